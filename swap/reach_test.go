package swap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
)

// TestAnNginxThatIsAskedThroughAndGoesDownEndsTheWaitAtOnce: its state says nothing of the release, and whoever waits is told
// what to do about it.
func TestAnNginxThatIsAskedThroughAndGoesDownEndsTheWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.elsewhere = true
		r := deploy("v3")
		r.Service.Settings.Health.Deadline = time.Hour
		r.Emit = func(e Event) {
			if e.Kind == StepStarted && e.Step.Kind == StepHealth {
				h.must(t, "bluegreen-nginx").State = "paused"
			}
		}
		began := time.Now()
		_, err := Run(t.Context(), h.process(fault{}).world(), r)
		if !errors.Is(err, ErrNginxDown) || time.Since(began) > 10*time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// TestWithoutAProgramToAskWithNothingIsTouched: nginx's image has none, and this machine cannot ask by itself.
func TestWithoutAProgramToAskWithNothingIsTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.elsewhere, h.noDialer = true, true
		before := h.summary()
		_, err := h.process(fault{}).run(deploy("v3"))
		var none *docker.NoDialerError
		if !errors.As(err, &none) || ExitCode(err) != ExitFailed {
			t.Errorf("got %v", err)
		}
		if after := h.summary(); after != before {
			t.Errorf("there is\n%s\nnot\n%s", after, before)
		}
	})
}

// stopNginx stops nginx, whatever it serves.
func (h *host) stopNginx(t *testing.T) {
	t.Helper()
	if err := h.stop(h.must(t, "bluegreen-nginx").ID); err != nil {
		t.Fatal(err)
	}
	h.wrongs = nil
}

// TestAnNginxThatIsDownIsNotTheLiveProfilesFault: nobody can be asked through it. A deploy of what is live starts nginx, and
// nothing else.
func TestAnNginxThatIsDownIsNotTheLiveProfilesFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		deployed("v1", "v2")(t, h)
		h.elsewhere = true
		h.stopNginx(t)
		status, err := ReadStatus(t.Context(), h.process(fault{}).world(), deploy("v2").Service)
		if err != nil || status.Serving || strings.Contains(fmt.Sprint(status.Notes), "does not answer") {
			t.Errorf("%v, %+v", err, status)
		}
		if res := h.mustRun(t, deploy("v2")); res.Release != 2 || res.Outcome != Done {
			t.Errorf("%+v: want release 2 left where it is, and nginx started", res)
		}
		h.elsewhere = false // the check is made beside it
		checkLive(t, h)
	})
}

// TestNothingGoesLiveByItsContainersWordAlone: an interrupted swap whose release does not answer is taken back once nginx, which
// was down, can be asked through.
func TestNothingGoesLiveByItsContainersWordAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		deployed("v1", "v2")(t, h)
		h.elsewhere = true
		if _, err := h.process(fault{call{"Confirm", 1}, killBefore}).run(deploy("v3")); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		h.stopNginx(t)
		h.apps["sha256:v3"] = app{never: true}
		soon()
		p := h.process(fault{})
		if _, err := p.run(deploy("v4")); err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprint(p.events); !strings.Contains(said, "real1 does not answer, going back to real2") {
			t.Errorf("release 3 in real1 is not taken back: %s", said)
		}
		h.elsewhere = false
		checkLive(t, h)
	})
}

// TestTheWayToNginxIsNoPartOfTheAnswersTime: over ssh a connection takes a login, however fast the app is. The way has an end, too.
func TestTheWayToNginxIsNoPartOfTheAnswersTime(t *testing.T) {
	for way, fits := range map[time.Duration]bool{5 * time.Second: true, time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			deployed("v1", "v2")(t, h)
			h.elsewhere = true
			r := deploy("v3")
			r.Service.Settings.Health.Timeout, r.Service.Settings.Health.Deadline = time.Second, time.Minute
			p := h.process(fault{})
			w := p.world()
			probe := w.Probe
			w.Probe = func(ctx context.Context, q health.Probe) (string, error) {
				if q.Timeout != time.Second {
					t.Errorf("the answer to %s may take %v", q.URL, q.Timeout)
				}
				select {
				case <-time.After(way):
				case <-ctx.Done():
					return "", ctx.Err()
				}
				return probe(ctx, q)
			}
			began := time.Now()
			res, err := Run(t.Context(), w, r)
			p.over = true
			if (err == nil) != fits || time.Since(began) > 10*time.Minute {
				t.Errorf("a way of %v: %+v, %v after %v", way, res, err, time.Since(began))
			}
			h.elsewhere = false
			soon()
			checkLive(t, h)
		})
	}
}
