package e2e

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// elsewhere runs bluegreen as on another machine: one that reaches the host, and has no compose file.
func (h *host) elsewhere(t *testing.T, command string, args ...string) output {
	t.Helper()
	other := *h
	other.t, other.dir = t, t.TempDir()
	return other.run(append([]string{command, h.service, "--network", h.network}, args...)...)
}

// paused deploys a version up to its switch, and notes what was taken away for it.
func (l *traffic) paused(t *testing.T, version string, args ...string) output {
	t.Helper()
	out := l.h.mustWith([]string{"VERSION=" + version}, append([]string{"deploy", "--pause", "-o", "json"}, args...)...)
	if r := out.result(); r.Outcome != "paused" || r.Waiting == nil {
		t.Fatalf("want a pause: %v", out)
	}
	l.retired(out)
	return out
}

// retired notes which release a run that does not swap has taken away.
func (l *traffic) retired(out output) {
	if step := out.find("step_started", "retire"); !step.Time.IsZero() {
		l.releases.Retired(l.version[step.Profile], step.Time)
	}
}

// rolledBack notes a rollback to a version.
func (l *traffic) rolledBack(version string, out output) {
	began := out.find("step_started", "switch")
	l.releases.Live(version, began.Time)
	l.version[began.Profile] = version
}

// wantPreview makes sure that the URL of a paused release shows it.
func wantPreview(t *testing.T, out output, version, profile string) {
	t.Helper()
	w := out.result().Waiting
	if len(w.Preview) == 0 {
		t.Fatalf("no preview: %v", out)
	}
	at, ok := strings.CutPrefix(w.Preview[len(w.Preview)-1], "http://")
	if !ok || !strings.HasPrefix(at, "127.0.0.1:") {
		t.Fatalf("preview %q, want one on loopback", w.Preview)
	}
	wantAnswer(t, http.DefaultClient, at, version, profile)
}

// TestAPausedReleaseGetsNoTrafficUntilItIsPromoted, by another machine that has no compose file.
func TestAPausedReleaseGetsNoTrafficUntilItIsPromoted(t *testing.T) {
	t.Parallel()
	h, l := newPair(t)
	out := l.paused(t, "v3")
	wantPreview(t, out, "v3", "real1")
	if s := h.status(); s.Live != "real2" || s.Release != 2 || s.Paused == nil || s.Paused.Release != 3 || s.Lock != nil {
		t.Errorf("want release 2 live, 3 paused, no lock: %+v", s)
	}
	if again := h.mustWith([]string{"VERSION=v3"}, "deploy", "--pause", "-o", "json").result(); again.Outcome != "unchanged" || again.Waiting == nil {
		t.Errorf("the same again: %+v", again)
	}
	promoted := h.elsewhere(t, "promote", "-o", "json")
	if promoted.code != 0 {
		t.Fatal(promoted)
	}
	l.deployed("v3", promoted)
	h.wantAnswer(t, "v3", "real1")
	if s := h.status(); s.Live != "real1" || s.Release != 3 || s.Paused != nil {
		t.Errorf("want release 3 live, nothing paused: %+v", s)
	}
	if again := h.elsewhere(t, "promote", "-o", "json"); again.code != 0 || again.result().Outcome != "unchanged" {
		t.Errorf("promoted again: %v", again)
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	l.rolledBack("v2", h.rollback())
	l.wantNoLoss()
}

func TestAnAbortedReleaseLeavesTheWayBack(t *testing.T) {
	t.Parallel()
	h, l := newPair(t)
	warm := h.inspect(t, h.container("real1")).ID
	l.paused(t, "v3")
	if out := h.elsewhere(t, "abort"); out.code != 0 || !strings.Contains(out.stdout, "release 3 is taken away") {
		t.Fatal(out)
	}
	if got := h.inspect(t, h.container("real1")); got.ID != warm || !got.State.Running || got.HostConfig.RestartPolicy.Name != "always" {
		t.Errorf("real1 is not the warm container as it was: %+v", got.State)
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	h.wantTidyVolume(t)
	if out := h.elsewhere(t, "abort", "-o", "json"); out.code != 0 || out.result().Outcome != "unchanged" {
		t.Errorf("aborted again: %v", out)
	}
	l.rolledBack("v1", h.rollback())
	h.wantAnswer(t, "v1", "real1")
	l.wantNoLoss()
}

func TestAPausedReleaseIsPromotedByItselfAfterAWhile(t *testing.T) {
	t.Parallel()
	h, l := newPair(t)
	out := l.under("", []string{"VERSION=v3"}, "deploy", "--promote-after", "3s")
	l.retired(out)
	l.deployed("v3", out)
	results := 0
	for _, e := range out.events {
		if e.Event == "result" {
			results++
		}
	}
	switched, paused := out.find("step_started", "switch").Time, out.find("step_done", "pause").Time
	if results != 1 || switched.Sub(paused) < 2*time.Second {
		t.Errorf("%d results, switched %v after the pause: %v", results, switched.Sub(paused), out)
	}
	h.wantAnswer(t, "v3", "real1")
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	l.wantNoLoss()
}

// TestKilledWhilePausedAnotherMachineGoesOn with the deploy, or takes it away: kill -9 of the one that waits, and Ctrl-C.
func TestKilledWhilePausedAnotherMachineGoesOn(t *testing.T) {
	t.Parallel()
	h, l := newPair(t)
	for version, end := range map[string]struct {
		signal  os.Signal
		code    int
		command string
	}{
		"killed1": {syscall.SIGKILL, -1, "promote"}, "killed2": {syscall.SIGKILL, -1, "abort"}, "interrupted": {os.Interrupt, 130, "promote"},
	} {
		t.Run(version, func(t *testing.T) {
			live := h.status()
			p := h.start([]string{"VERSION=" + version}, "deploy", "--promote-after", "10m", "-o", "json")
			if _, ok := p.await(func(e event) bool { return strings.Contains(e.Text, "promoting it at") }); !ok {
				t.Fatalf("it does not wait: %v", p.wait())
			}
			p.signal(end.signal)
			out := p.wait()
			l.retired(out)
			if out.code != end.code {
				t.Errorf("want exit %d: %v", end.code, out)
			}
			if s := h.status(); s.Live != live.Live || s.Paused == nil {
				t.Errorf("want %s live and a release paused: %+v", live.Live, s)
			}
			next := h.elsewhere(t, end.command, "-o", "json")
			if next.code != 0 {
				t.Fatal(next)
			}
			if end.command == "promote" {
				l.deployed(version, next)
			} else if s := h.status(); s.Live != live.Live || s.Release != live.Release || s.Paused != nil {
				t.Errorf("want %s live as before, nothing paused: %+v", live.Live, s)
			}
			h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
		})
	}
	l.wantNoLoss()
}

func TestAFirstReleaseIsPausedAndPromoted(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	l := newTraffic(h)
	wantPreview(t, l.paused(t, "v1"), "v1", "real1")
	out := h.elsewhere(t, "promote", "-o", "json")
	if out.code != 0 {
		t.Fatal(out)
	}
	h.wantAnswer(t, "v1", "real1")

	other := newHost(t)
	newTraffic(other).paused(t, "v1")
	if out := other.elsewhere(t, "abort"); out.code != 0 {
		t.Fatal(out)
	}
	other.wantContainers(t, map[string]string{})
	if out := other.run("down", "--volumes"); out.code != 0 {
		t.Error(out)
	}
}
