package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"bluegreen/rehearse/load"
)

// inStep is how many clients send at the same moments, each on a connection of its own, and then let it rest: what nginx
// keeps open to the app rests just as long.
const inStep = 20

// stopInTime is far more than any of the apps takes to stop, and far less than its grace period.
const stopInTime = 15 * time.Second

// The apps of examples/runtimes, and the periods of their clients: those at which their servers close what rests, as far
// as a test can wait for it. Gunicorn does after 2 s, Node after 5 s, Puma and Tomcat after 20 s, php's nginx after 75 s.
var runtimes = []struct {
	name    string
	periods []time.Duration
}{
	{"gunicorn", []time.Duration{2 * time.Second, 3 * time.Second}},
	{"node", []time.Duration{2 * time.Second, 5 * time.Second}},
	{"puma", []time.Duration{2 * time.Second, 5 * time.Second}},
	{"tomcat", []time.Duration{2 * time.Second, 5 * time.Second}},
	{"php", []time.Duration{2 * time.Second, 5 * time.Second}},
}

func TestEveryRuntimeIsSwappedWithoutALostRequest(t *testing.T) {
	t.Parallel()
	for _, r := range runtimes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, example(t, r.name))
			l := newTraffic(h)
			l.deployed("v1", h.deploy("v1"))
			for _, period := range r.periods {
				l.beginInStep(period)
			}
			l.beginEcho(lightConnections, lightPeriod)
			l.deployEcho("v2", "switch")
			wantStoppedInTime(t, l.deployEcho("v3", "retire")) // replaces v1
			h.rollback()
			l.wantNoLoss()
		})
	}
}

// wantStoppedInTime checks that an app ended by its stop signal, and not by the end of its grace period of 30 s and more.
func wantStoppedInTime(t *testing.T, deploy output) {
	t.Helper()
	took := time.Duration(deploy.find("step_done", "retire").DurationMS) * time.Millisecond
	t.Logf("stopped in %v", took)
	if took > stopInTime {
		t.Errorf("it was stopped after %v: its stop signal does not reach it", took)
	}
}

// With nginx's connections kept for longer than gunicorn keeps them, requests are lost: so the test above can see it. No
// release changes. doctor sees it, too.
func TestAnUpstreamTimeoutAboveTheAppsLosesRequests(t *testing.T) {
	t.Parallel()
	h := newHost(t, example(t, "gunicorn"), ownKey("upstream.keepalive_timeout", "4s"))
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	for range 4 {
		l.beginInStep(2 * time.Second)
	}
	h.wantFindings(t, []string{"problem idle-connections"}, "rollback") // there is none to roll back to
	l.awaitLoss(load.Status5xxNginx)
	l.wantLoss(load.Status5xxNginx)
}

// example puts a service of examples/runtimes in the place of the host's own, as it stands there.
func example(t *testing.T, name string) option {
	t.Helper()
	image := fmt.Sprintf("runtime-%s:v1", name)
	if _, err := engine.ImageInspect(t.Context(), image); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: there is no image %s (`make e2e` builds it where it can have Debian's packages): %v", image, err)
	}
	text, err := os.ReadFile("../examples/runtimes/" + name + "/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var project struct {
		Services map[string]map[string]any
	}
	if err := yaml.Unmarshal(text, &project); err != nil || project.Services[name] == nil {
		t.Fatalf("no service %s in its example: %v", name, err)
	}
	service := project.Services[name]
	own, _ := service["x-bluegreen"].(map[string]any)
	return func(h *host) {
		maps.Copy(h.own, own)
		maps.Copy(h.app, service)
		h.app["x-bluegreen"], h.app["image"] = h.own, image
	}
}

// beginInStep starts clients that all send at the same moment, once in each period.
func (l *traffic) beginInStep(period time.Duration) {
	for range inStep {
		l.beginEcho(1, period)
	}
}

// deployEcho deploys a version, with a few busy connections from a step on: other runtimes share the machine.
func (l *traffic) deployEcho(version, fromStep string) output {
	l.h.t.Helper()
	p := l.h.start([]string{"VERSION=" + version}, "deploy", "-o", "json")
	p.awaitStep(fromStep)
	busy := l.beginEcho(2, 0)
	out := p.wait()
	time.Sleep(busyTail)
	busy.Stop()
	l.deployed(version, out)
	return out
}

// beginEcho is begin, for an app that gives back what it is sent.
func (l *traffic) beginEcho(connections int, period time.Duration) *load.Run {
	run := load.Start(l.h.t.Context(), load.Config{
		Target: load.Target{Addr: l.h.addr()}, Connections: connections, Period: period, Timeline: &l.releases, MaxTime: loadLimit,
		Mix:   []load.Request{{Method: http.MethodPost, Body: bytes.Repeat([]byte("a"), bodySize)}},
		Check: echoed,
	})
	l.runs = append(l.runs, run)
	return run
}

func echoed(a load.Checked) error {
	if !bytes.Equal(a.Body, a.Request.Body) {
		return errors.New("the answer is not what was sent")
	}
	return nil
}
