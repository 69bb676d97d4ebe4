package e2e

import (
	"fmt"
	"os"
	"strings"
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
	return h.begunWith(s, kind, step, version, "deploy")
}

// begunWith is begun for any command.
func (h *host) begunWith(s os.Signal, kind, step, version, command string) output {
	h.t.Helper()
	p := h.start([]string{"VERSION=" + version}, command, "-o", "json")
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
	t.Parallel()
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

// A person who does not want to wait for the undos interrupts twice.
func TestASecondCtrlCLeavesAtOnceAndTheNextCommandRecovers(t *testing.T) {
	const grace = 10 * time.Second
	h, l := newPair(t, serviceKey("stop_grace_period", grace.String()))
	p := h.start([]string{"VERSION=v3", "FAULT=ignore-term"}, "deploy", "-o", "json")
	p.awaitStep("health")
	p.signal(os.Interrupt)
	// The undo stops the new container, which takes its whole grace period.
	if _, ok := p.await(func(e event) bool { return e.Event == "step_started" && e.Step == "create" && e.Undo }); !ok {
		t.Fatalf("nothing was undone: %v", p.wait())
	}
	time.Sleep(300 * time.Millisecond) // no person is faster, and what is counts as one
	again := time.Now()
	p.signal(os.Interrupt)
	out := p.wait()
	if took := time.Since(again); out.code != 130 || !strings.Contains(out.stderr, "left at once") || took >= grace {
		t.Errorf("want exit 130 at once, not after %v: %v", took, out)
	}
	h.wantTruth(t)
	l.deployed("v4", h.deploy("v4"))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	h.wantTidyVolume(t)
	l.wantNoLoss()
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
	got = strings.Replace(got, "\nrevoked\n", "\n", 1) // there once a lock was broken
	want := fmt.Sprintf(".:\nhost.json\nnginx.conf\nsites\n\nsites:\n%[1]s\n%[1]s.conf\n\nsites/%[1]s:\nany.loc\nconfirmed.json\nhistory.jsonl\npaths.inc\nproxy.inc\nservice-url.inc\nstate.json\n", h.service)
	if got != want {
		t.Errorf("files in the volume:\n%s\nwant\n%s", got, want)
	}
}

// TestADeployWhoseReaderIsGoneGoesOn to its end: `bluegreen deploy | head -1` is no interruption.
func TestADeployWhoseReaderIsGoneGoesOn(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	for i, format := range []string{"text", "json"} {
		version := fmt.Sprint("v", i+2)
		p := h.startAs([]string{"VERSION=" + version}, "sh", "-c", binary+` deploy -o "$0" 2>&1 | head -n 1`, format)
		if out := p.wait(); out.code != 0 {
			t.Fatal(out)
		}
		if s := h.status(); s.Release != i+2 || s.Lock != nil {
			t.Errorf("%s: want release %d live and no lock: %+v", format, i+2, s)
		}
		h.wantNothingHalfMade(t)
	}
}
