package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The steps of a deploy that replaces a container, and of the first one on a host.
var (
	redeploySteps = []string{"drain", "retire", "create", "health", "switch", "verify", "watch", "finish"}
	firstSteps    = []string{"network", "nginx", "create", "health", "switch", "verify", "watch"}
)

// begun is a command that was signalled when it said that it began or ended a step.
func (h *host) begun(s os.Signal, kind, step, version string) output {
	h.t.Helper()
	p := h.start([]string{"VERSION=" + version}, "deploy", "-o", "json")
	if _, ok := p.await(func(e event) bool { return e.Event == kind && e.Step == step && !e.Undo }); !ok {
		h.t.Fatalf("no %s of %s: %v", kind, step, p.wait())
	}
	p.signal(s)
	return p.wait()
}

// interrupted notes what a deploy that came to no good end could have made answer.
func (l *traffic) interrupted(version string, out output) {
	if retired := out.find("step_started", "retire"); !retired.Time.IsZero() {
		l.releases.Retired(l.version[retired.Profile], retired.Time)
	}
	if began := out.find("step_started", "switch"); !began.Time.IsZero() {
		l.releases.Live(version, began.Time)
		l.version[began.Profile] = version
	}
}

func TestCtrlCBeforeTheSwapLeavesTheLiveProfileServing(t *testing.T) {
	h, l := newPair(t)
	for i, step := range redeploySteps[:5] {
		t.Run(step, func(t *testing.T) {
			version := fmt.Sprint("cancelled", i)
			warm := h.inspect(t, h.container("real1")).ID
			out := h.begun(os.Interrupt, "step_started", step, version)
			l.interrupted(version, out)
			if r := out.result(); out.code != 130 || r.Outcome != "interrupted" || r.Live != "real2" || r.Release != 2 {
				t.Errorf("want exit 130, interrupted, release 2 live in real2: %v", out)
			}
			for _, part := range []string{"interrupted", "live: release 2 "} {
				if !strings.Contains(out.stderr, part) {
					t.Errorf("stderr lacks %q: %v", part, out)
				}
			}
			if got := h.inspect(t, h.container("real1")); got.ID != warm || !got.State.Running {
				t.Errorf("container %s is not the warm one, running", h.container("real1"))
			}
			h.wantNothingHalfMade(t)
			if s := h.status(); s.Live != "real2" || s.profile("real2").Health != "ok" || s.profile("real1").Health != "ok" {
				t.Errorf("want real2 live, both well: %+v", s)
			}
		})
	}
	l.deployed("v3", h.deploy("v3"))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	l.wantNoLoss()
}

func TestCtrlCAfterTheSwapKeepsTheNewRelease(t *testing.T) {
	h, l := newPair(t, ownKey("watch", "5s"))
	live := map[string]string{"real1": "real2", "real2": "real1"}
	was := "real2"
	for i, at := range []struct{ kind, step string }{
		{"step_done", "switch"}, {"step_started", "verify"}, {"step_started", "watch"}, {"step_started", "finish"},
	} {
		t.Run(at.kind+" "+at.step, func(t *testing.T) {
			if at.step == "finish" {
				h.change(ownKey("watch", "100ms"))
			}
			version := fmt.Sprint("kept", i)
			out := h.begun(os.Interrupt, at.kind, at.step, version)
			l.interrupted(version, out)
			want := live[was]
			// The last step may be done before the signal is there.
			if r := out.result(); r.Live != want || out.code != 130 && (at.step != "finish" || out.code != 0) {
				t.Errorf("want exit 130, %s live: %v", want, out)
			}
			h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
			was = h.status().Live
			if was != want {
				t.Errorf("%s is live, want %s", was, want)
			}
		})
	}
	l.deployed("last", h.deploy("last"))
	l.wantNoLoss()
}

func TestCtrlCInTheFirstDeployLeavesNothingHalfMade(t *testing.T) {
	skipShort(t)
	h := newHost(t)
	for _, step := range firstSteps[:5] {
		t.Run(step, func(t *testing.T) {
			out := h.begun(os.Interrupt, "step_started", step, "v1")
			if r := out.result(); out.code != 130 || r.Outcome != "interrupted" || r.Live != "" {
				t.Errorf("want exit 130, interrupted, nothing live: %v", out)
			}
			h.wantNothingHalfMade(t)
		})
	}
	h.deploy("v1")
	h.wantContainers(t, map[string]string{"real1": "running"})
	h.wantTidyVolume(t)
}

func TestKilledAtAnyStepTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	h, l := newPair(t)
	for i, step := range redeploySteps {
		for _, kind := range []string{"step_started", "step_done"} {
			t.Run(kind+" "+step, func(t *testing.T) {
				killed, next := fmt.Sprint("killed", i, kind), fmt.Sprint("next", i, kind)
				l.interrupted(killed, h.begun(syscall.SIGKILL, kind, step, killed))
				out := h.deploy(next)
				l.deployed(next, out)
				h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
				h.wantTidyVolume(t)
			})
		}
	}
	l.wantNoLoss()
}

// Steps have moments of their own. Here one deploy is killed some time after it began its first step, the next one while
// it settles what the first left, or later, and the third has to carry on.
func TestKilledAtAnyMomentTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	const moments, apart = 20, 80 * time.Millisecond // over the whole of a deploy
	h, l := newPair(t)
	for i := range moments {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			first, second := fmt.Sprint("first", i), fmt.Sprint("second", i)
			l.interrupted(first, h.killedAfter(time.Duration(i)*apart, true, first))
			l.interrupted(second, h.killedAfter(time.Duration(i*7%moments)*apart/2, false, second))
			last := fmt.Sprint("last", i)
			l.deployed(last, h.deploy(last))
			h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
			h.wantTidyVolume(t)
		})
	}
	l.wantNoLoss()
}

// killedAfter kills a deploy that long after its start, or after it began its first step.
func (h *host) killedAfter(wait time.Duration, planned bool, version string) output {
	h.t.Helper()
	p := h.start([]string{"VERSION=" + version}, "deploy", "-o", "json")
	if planned {
		p.await(func(e event) bool { return e.Event == "step_started" })
	}
	select {
	case <-time.After(wait):
	case <-p.ended:
	}
	p.kill()
	return p.wait()
}

func TestKilledInTheFirstDeployTheNextOneCarriesOn(t *testing.T) {
	skipShort(t)
	for _, step := range firstSteps {
		for _, kind := range []string{"step_started", "step_done"} {
			t.Run(kind+" "+step, func(t *testing.T) {
				t.Parallel()
				h := newHost(t)
				h.begun(syscall.SIGKILL, kind, step, "v1")
				out := h.deploy("v2")
				for name, state := range h.containers(t) {
					if name != "real1" && name != "real2" || state != "running" {
						t.Errorf("container %s is %s", name, state)
					}
				}
				if s := h.status(); s.Live != out.result().Live || s.profile(s.Live).Health != "ok" || s.Lock != nil {
					t.Errorf("want %s live, well and unlocked: %+v", out.result().Live, s)
				}
				h.wantTidyVolume(t)
			})
		}
	}
}

// wantNothingHalfMade checks that there are no locks, no containers put aside or never started; one that failed may
// be kept for inspection.
func (h *host) wantNothingHalfMade(t *testing.T) {
	t.Helper()
	for name, state := range h.containers(t) {
		ok := (name == "real1" || name == "real2") && state == "running" || strings.HasSuffix(name, "-failed") && state == "exited"
		if !ok {
			t.Errorf("left container %s, %s", name, state)
		}
	}
}

// wantTidyVolume checks that nginx's volume has the files of this one service and no others.
func (h *host) wantTidyVolume(t *testing.T) {
	t.Helper()
	got := h.exec(h.nginx(), "sh", "-euc", `cd /etc/nginx/bluegreen; ls -A . sites sites/"$1"`, "sh", h.service)
	want := fmt.Sprintf(".:\nnginx.conf\nsites\n\nsites:\n%[1]s\n%[1]s.conf\n\nsites/%[1]s:\nhistory.jsonl\nservice-url.inc\nstate.json\n", h.service)
	if got != want {
		t.Errorf("files in the volume:\n%s\nwant\n%s", got, want)
	}
}
