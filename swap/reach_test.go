package swap

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/docker"
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
