package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"bluegreen/rehearse/load"
)

// The load under failing deploys: light, as its point is that none of it is lost, and often enough on each connection
// that an old worker is rid of it at once.
const (
	lightConnections = 8
	lightPeriod      = 20 * time.Millisecond
)

// Figures of the promises that failures are held to. What they take alone on a machine is far less: others share it.
const (
	exitReported = 2 * time.Second
	warmRollback = 2 * time.Second
)

// newPair is a host with v1 warm in real1 and v2 live in real2, under light load.
func newPair(t *testing.T, options ...option) (*host, *traffic) {
	t.Helper()
	h := newHost(t, options...)
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.deployed("v2", h.deploy("v2"))
	l.begin(lightConnections, lightPeriod)
	return h, l
}

func TestAReleaseThatDoesNotBecomeHealthyNeverReceivesTraffic(t *testing.T) {
	h, l := newPair(t, ownKey("health.deadline", "3s"))
	for _, c := range []struct {
		fault string
		says  []string
	}{
		{"exit-at-boot", []string{"real1 exited with code 1", "hello: crashed on purpose"}},
		{"exit-after:1", []string{"real1 exited with code 1", "INFO Listening", "hello: crashed on purpose"}},
		{"never-listen", []string{"not ready within 3s", "nothing listens behind the port yet"}},
		{"late:30s", []string{"not ready within 3s", "nothing listens behind the port yet"}},
		{"hang-accept", []string{"not ready within 3s", "INFO Listening"}},
		{"flap", []string{"not ready within 3s", "INFO Listening"}},
		{"wrong-profile", []string{"not ready within 3s", "real2", "INFO Listening"}},
		{"fail-requests", []string{"not ready within 3s", "500"}}, // /profile is well: only a check of another page tells
	} {
		t.Run(c.fault, func(t *testing.T) {
			if c.fault == "fail-requests" {
				h.change(ownKey("health.path", "/"), ownKey("health.expect", "status"))
			}
			warm := h.inspect(t, h.container("real1")).ID
			out := h.deployFaulty("bad", c.fault)
			wantFailure(t, h, out, c.says)
			if got := h.inspect(t, h.container("real1")).ID; got != warm {
				t.Errorf("container %s is not the one that was warm before", h.container("real1"))
			}
			if strings.HasPrefix(c.fault, "exit-") {
				wantExitReported(t, h, out)
			}
			wantWarmRollback(t, h)
		})
	}
	l.wantNoLoss()
}

// wantFailure checks what a deploy says and leaves that failed before the swap.
func wantFailure(t *testing.T, h *host, out output, says []string) {
	t.Helper()
	if r := out.result(); out.code != 1 || r.Outcome != "failed" || r.Live != "real2" || r.Release != 2 {
		t.Errorf("want exit 1, failed, release 2 live in real2: %v", out)
	}
	says = append(says, "live: release 2 ("+helloImage+") in real2", "next: ", "docker logs "+h.container("real1-failed"))
	for _, part := range says {
		if !strings.Contains(out.stderr, part) {
			t.Errorf("stderr lacks %q: %v", part, out)
		}
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running", "real1-failed": "exited"})
}

// wantExitReported checks that a container's end was noticed at once, not by waiting for answers.
func wantExitReported(t *testing.T, h *host, out output) {
	t.Helper()
	ended, err := time.Parse(time.RFC3339Nano, h.inspect(t, h.container("real1-failed")).State.FinishedAt)
	if err != nil {
		t.Fatal(err)
	}
	reported := out.find("step_failed", "health").Time.Sub(ended)
	t.Logf("reported %v after the container's end", reported.Round(time.Millisecond))
	if reported > exitReported {
		t.Errorf("want %v or less", exitReported)
	}
}

// wantWarmRollback goes back to v1, which was warm before the failure, and forward again. The failed container stays as
// it is.
func wantWarmRollback(t *testing.T, h *host) {
	t.Helper()
	for _, want := range []struct {
		live    string
		release int
	}{{"real1", 1}, {"real2", 2}} {
		out := h.rollback()
		r := out.result()
		t.Logf("rollback to %s: %d ms, switch %d ms", want.live, r.DurationMS, r.SwitchMS)
		if r.Live != want.live || r.Release != want.release {
			t.Errorf("want release %d live in %s: %v", want.release, want.live, out)
		}
		if took := time.Duration(r.DurationMS) * time.Millisecond; took > warmRollback {
			t.Errorf("rollback took %v, want %v or less", took, warmRollback)
		}
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running", "real1-failed": "exited"})
}

func TestAReleaseThatBecomesHealthyInTheEndGoesLive(t *testing.T) {
	h, l := newPair(t)
	for i, fault := range []string{"status:500,3", "late:1s"} {
		version := fmt.Sprintf("v%d", i+3)
		out := h.deployFaulty(version, fault)
		l.deployed(version, out)
		h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	}
	l.wantNoLoss()
}

func TestAReleaseThatIgnoresItsStopSignalLosesNothingWhenItIsReplaced(t *testing.T) {
	t.Parallel()
	const grace = 3 * time.Second
	h := newHost(t, serviceKey("stop_grace_period", grace.String()))
	l := newTraffic(h)
	l.deployed("v1", h.deployFaulty("v1", "ignore-term"))
	l.begin(lightConnections, lightPeriod)
	l.deployed("v2", h.deploy("v2"))
	out := h.deploy("v3")
	l.deployed("v3", out)
	if took := time.Duration(out.find("step_done", "retire").DurationMS) * time.Millisecond; took < grace {
		t.Errorf("v1 was stopped after %v, want the whole grace period of %v", took, grace)
	}
	l.wantNoLoss()
}

// A release that fails while it is watched is switched back from. Its own answers are the only ones that may be lost:
// the load of the time in which it was live is counted by itself, and there must be no loss in the others.
func TestAReleaseThatFailsInFrontOfUsersIsSwitchedBackFrom(t *testing.T) {
	h := newHost(t)
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	h.change(ownKey("watch", "20s"))
	for _, c := range []struct {
		fault, says string
		loses       bool
	}{
		{"crash-later:4s", "hello: crashed on purpose", true},
		{"profile-503-after:8", "503", false}, // users see nothing of it
	} {
		t.Run(c.fault, func(t *testing.T) { switchedBack(t, h, l, c.fault, c.says, c.loses) })
	}
	h.change(ownKey("watch", "500ms"))
	l.deployed("v2", h.deploy("v2"))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	l.wantNoLoss()
}

func switchedBack(t *testing.T, h *host, l *traffic, fault, says string, loses bool) {
	before := l.begin(lightConnections, lightPeriod)
	p := h.start([]string{"VERSION=bad", "FAULT=" + fault}, "deploy", "-o", "json")
	l.releases.Live("bad", p.awaitStep("switch").Time)
	p.awaitStep("watch")
	before.Stop()
	during := load.Start(t.Context(), load.Config{Target: load.Target{Addr: h.addr()}, Connections: lightConnections, Period: lightPeriod})
	back, ok := p.await(func(e event) bool { return e.Event == "step_done" && e.Step == "switch" && e.Undo })
	lost := during.Stop()
	l.releases.Retired("bad", back.Time)
	after := l.begin(lightConnections, lightPeriod)
	out := p.wait()
	after.Stop()
	if !ok || out.code != 4 || out.result().Outcome != "rolled_back" || out.result().Live != "real1" {
		t.Fatalf("want exit 4, switched back to real1: %v", out)
	}
	for _, part := range []string{says, "live: release 1 ", "next: ", "docker logs " + h.container("real2-failed")} {
		if !strings.Contains(out.stderr, part) {
			t.Errorf("stderr lacks %q: %v", part, out)
		}
	}
	t.Logf("while the failing release was live: %d of %d lost", lost.Lost, lost.Requests)
	if lost.Lost > 0 && !loses {
		t.Errorf("want none lost: %v", lost)
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2-failed": "exited"})
	if s := h.status(); s.Live != "real1" || s.Release != 1 {
		t.Errorf("want release 1 live in real1: %+v", s)
	}
}

// containers are the service's containers and their states, without the service's name.
func (h *host) containers(t *testing.T) map[string]string {
	t.Helper()
	all, err := engine.ContainerList(t.Context(), container.ListOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range all {
		name := strings.TrimPrefix(c.Names[0], "/")
		if strings.Contains(name+" "+c.Labels["bluegreen.network"], h.id) && name != h.nginx() {
			found[strings.TrimPrefix(name, h.service+"-")] = c.State
		}
	}
	return found
}

// wantContainers checks that there are these containers besides nginx, in these states, and no lock or anything else.
func (h *host) wantContainers(t *testing.T, want map[string]string) {
	t.Helper()
	if got := h.containers(t); !maps.Equal(got, want) {
		t.Errorf("containers besides nginx: %v, want %v", got, want)
	}
}

func (h *host) inspect(t *testing.T, name string) container.InspectResponse {
	t.Helper()
	c, err := engine.ContainerInspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
