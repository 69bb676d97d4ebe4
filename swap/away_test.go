package swap

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/docker"
)

// crashNginx ends nginx, and starts it again a while later, as its restart policy does.
func (h *host) crashNginx(t *testing.T, away time.Duration) {
	b := h.must(t, "bluegreen-nginx")
	defer h.lock()()
	h.halt(b, 137)
	go func() {
		time.Sleep(away)
		_ = h.start(b.ID)
	}()
}

func TestAChangeThatEndedWithNginxIsMadeAgain(t *testing.T) {
	for name, away := range map[string]time.Duration{"back at once": 0, "back in a while": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				p := h.process(fault{call{"Apply", 1}, failBefore})
				p.at = map[call]func(){{"Apply", 1}: func() { h.crashNginx(t, away); time.Sleep(time.Millisecond) }}
				if res, err := p.run(deploy("v3")); err != nil || res.Live != "real1" {
					t.Fatalf("%+v, %v", res, err)
				}
				soon()
				checkSettled(t, h)
			})
		})
	}
}

// TestAChangeMadeAgainIsNotCalledUntouched: the first try may have written some of it.
func TestAChangeMadeAgainIsNotCalledUntouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"Apply", 1}, failBefore})
		p.at = map[call]func(){
			{"Apply", 1}: func() { h.crashNginx(t, 0); time.Sleep(time.Millisecond) },
			{"Apply", 2}: func() { h.refuses = true },
			{"Apply", 3}: func() { h.refuses = false },
		}
		if _, err := p.run(deploy("v3")); ExitCode(err) != ExitFailed {
			t.Fatal(err)
		}
		if p.counts["Confirm"] != 1 {
			t.Errorf("the files from before were not put back: %v", p.calls)
		}
		soon()
		checkSettled(t, h)
	})
}

func TestAnNginxThatIsAwayIsNotTheReleasesFault(t *testing.T) {
	for _, probe := range []int{6, 7} { // the first of verify, the second of watch
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			p := h.process(fault{})
			p.at = map[call]func(){{"Probe", probe}: func() { h.crashNginx(t, 3*time.Second) }}
			if res, err := p.run(deploy("v3")); err != nil || res.Live != "real1" {
				t.Fatalf("%+v, %v", res, err)
			}
			soon()
			checkLive(t, h)
		})
	}
}

// TestAnEngineThatGoesAwayIsNoticedAtOnce: the wait for a container's end breaks off. Before the swap what was begun is
// undone once the engine is back; after it the release stays.
func TestAnEngineThatGoesAwayIsNoticedAtOnce(t *testing.T) {
	for name, x := range map[string]struct {
		wait int // the wait for a container's end that breaks off
		live string
	}{"health": {1, "real2"}, "verify": {2, "real1"}, "watch": {3, "real1"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				h.apps["sha256:v3"] = app{never: name == "health"}
				p := h.process(fault{})
				w, waits := p.world(), 0
				if name == "verify" { // nothing answers, for a moment
					h.must(t, "shop-real2")
					p.at = map[call]func(){{"Probe", 6}: func() { h.crashNginx(t, 10*time.Millisecond) }}
				}
				real := w.Wait
				w.Wait = func(ctx context.Context, id string) <-chan docker.Exit {
					if waits++; waits != x.wait {
						return real(ctx, id)
					}
					broken := make(chan docker.Exit, 1)
					broken <- docker.Exit{Err: &docker.UnreachableError{Host: "unix:///gone", Err: io.ErrUnexpectedEOF}}
					return broken
				}
				began := time.Now()
				res, err := Run(t.Context(), w, deploy("v3"))
				p.over = true
				var away *docker.UnreachableError
				if !errors.As(err, &away) || ExitCode(err) != ExitUnreachable || res.Live != x.live || time.Since(began) > 2*time.Second {
					t.Errorf("after %v: %+v, %v", time.Since(began), res, err)
				}
				if x.live == "real1" && !strings.Contains(err.Error(), "release 3 is live and stays so") {
					t.Errorf("got %v", err)
				}
				soon()
				checkSettled(t, h)
			})
		})
	}
}
