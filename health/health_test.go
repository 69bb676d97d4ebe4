package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a Getter that gives one error a try (nil: good), the last one for ever.
func answers(errs ...error) Getter {
	n := 0
	return func(context.Context) (string, error) {
		err := errs[min(n, len(errs)-1)]
		n++
		return "seen", err
	}
}

func check(get Getter) Check {
	return Check{Get: get, Interval: 250 * time.Millisecond, Timeout: 2 * time.Second, Deadline: 10 * time.Second, Successes: 2}
}

var errNo = errors.New("answered 500")

func TestReadyNeedsSuccessesInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []Try
		c := check(answers(errNo, nil, errNo, nil, nil))
		c.Progress = func(x Try) { tries = append(tries, x) }
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(tries) != 5 {
			t.Fatalf("%d tries, want 5: one good answer between two bad ones does not count", len(tries))
		}
	})
}

func TestWarmProfileIsReadyWithinMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := check(answers(nil)).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != FirstPause {
			t.Fatalf("took %v, want %v", took, FirstPause)
		}
	})
}

func TestPausesGrowToTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		c := check(answers(errNo))
		c.Progress = func(x Try) { at = append(at, x.Since) }
		c.Deadline = 900 * time.Millisecond
		_ = c.Wait(t.Context())
		want := "[0s 5ms 15ms 35ms 75ms 155ms 315ms 565ms 815ms]"
		if got := fmt.Sprint(at); got != want {
			t.Fatalf("tries at %v, want %v", got, want)
		}
	})
}

func TestDeadlineQuotesTheLastFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := check(answers(errNo)).Wait(t.Context())
		var not *NotReadyError
		if !errors.As(err, &not) || !errors.Is(err, errNo) {
			t.Fatalf("%v, want *NotReadyError around %v", err, errNo)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Fatalf("took %v, want the deadline", took)
		}
	})
}

func TestHangingTryEndsAtItsTimeoutAndTheDeadlineQuotesWhatWasSeenBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := check(func(ctx context.Context) (string, error) {
			if n++; n == 1 {
				return "", errNo
			}
			<-ctx.Done()
			return "", ctx.Err()
		})
		c.Deadline = time.Second
		if err := c.Wait(t.Context()); !errors.Is(err, errNo) {
			t.Fatalf("%v does not quote the last real answer", err)
		}
	})
}

func TestEndOfTheContainerEndsTheWaitAtOnce(t *testing.T) {
	for name, get := range map[string]Getter{
		"between two tries": answers(errNo),
		"in a hanging try": func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := make(chan struct{})
				c := check(get)
				c.Container = gone
				go func() { time.Sleep(100 * time.Millisecond); close(gone) }()
				start := time.Now()
				var ended *EndedError
				if err := c.Wait(t.Context()); !errors.As(err, &ended) {
					t.Fatalf("%v, want *EndedError", err)
				}
				if took := time.Since(start); took != 100*time.Millisecond {
					t.Fatalf("took %v, want 100ms", took)
				}
			})
		})
	}
}

func TestContainerThatAnsweredWellAndEndedIsNotReady(t *testing.T) {
	gone := make(chan struct{})
	n := 0
	c := check(func(context.Context) (string, error) {
		if n++; n == 2 {
			close(gone)
		}
		return "", nil
	})
	c.Container = gone
	var ended *EndedError
	if err := c.Wait(t.Context()); !errors.As(err, &ended) {
		t.Fatalf("%v, want *EndedError", err)
	}
}

func TestDockersOwnHealthCheckIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		states := []string{"starting", "starting", "healthy"}
		c := check(answers(nil))
		c.Docker = func(context.Context) (string, error) {
			s := states[0]
			if len(states) > 1 {
				states = states[1:]
			}
			return s, nil
		}
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Docker = func(context.Context) (string, error) { return "unhealthy", nil }
		err := c.Wait(t.Context())
		if err == nil || !strings.Contains(err.Error(), `docker's own health check says "unhealthy"`) {
			t.Fatalf("%v does not say that docker's health check is unhealthy", err)
		}
	})
}

func TestInterruptedWaitReturnsTheReason(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("ctrl-c"))
	if err := check(answers(errNo)).Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want context.Canceled", err)
	}
}
