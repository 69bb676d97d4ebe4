// Package health waits until a profile answers as itself, or says why it does not.
//
// It is one small loop with its own HTTP client: tries follow each other quickly at first
// and then at a steady interval, each with its own timeout, all of them inside one deadline.
// The end of the container ends the loop at once.
package health

import (
	"context"
	"fmt"
	"time"
)

// FirstPause is the pause after the first try. It doubles up to Check.Interval, so that
// an app which is up within milliseconds is not kept waiting for a whole interval.
const FirstPause = 5 * time.Millisecond

// Check says what to ask and when the answers are good enough.
type Check struct {
	Get       Getter        // asks once and judges the answer
	Interval  time.Duration // longest pause between two tries
	Timeout   time.Duration // of one try
	Deadline  time.Duration // of them all
	Successes int           // good answers in a row
	// Container is closed, or gets a value, when the container has ended. Nil: not watched.
	Container <-chan struct{}
	// Docker answers the state of the container's own HEALTHCHECK ("healthy", "starting",
	// "unhealthy"). Nil: the container has none.
	Docker func(context.Context) (string, error)
	// Progress is told of every try. Nil: nobody listens.
	Progress func(Try)
}

// Getter asks a profile once. A nil error is a good answer; detail says what was seen.
type Getter func(ctx context.Context) (detail string, err error)

// Try is one question and what came of it.
type Try struct {
	N      int
	InARow int // good answers in a row, this one included
	Detail string
	Err    error
	Since  time.Duration // from the start of Wait
}

// NotReadyError says that the deadline passed, and quotes the last failure.
type NotReadyError struct {
	Tries    int
	Deadline time.Duration
	Last     error
}

func (e *NotReadyError) Error() string {
	return fmt.Sprintf("not ready within %v (%d tries); the last one: %v", e.Deadline, e.Tries, e.Last)
}

func (e *NotReadyError) Unwrap() error { return e.Last }

// EndedError says that the container ended while it was being waited for.
type EndedError struct {
	Tries int
	Last  error // what the last try saw, nil when it was good
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("the container ended after %d tries", e.Tries)
}

// Wait returns nil as soon as Successes answers in a row were good and the container's own
// health check, if it has one, says healthy. Otherwise *NotReadyError at the deadline,
// *EndedError when the container ends first, or the error of ctx.
func (c Check) Wait(ctx context.Context) error {
	start := time.Now()
	deadline, cancel := context.WithTimeout(ctx, c.Deadline)
	defer cancel()

	pause := min(FirstPause, c.Interval)
	row, n := 0, 0
	var last error
	for {
		if c.ended() {
			return &EndedError{Tries: n, Last: last}
		}
		n++
		detail, err := c.try(deadline)
		if err != nil && deadline.Err() != nil && last != nil {
			err = last // a try cut off by the deadline says less than the one before it
		}
		row, last = row+1, err
		if err != nil {
			row = 0
		}
		c.report(Try{N: n, InARow: row, Detail: detail, Err: err, Since: time.Since(start)})
		if row >= c.Successes {
			if last = c.docker(deadline); last == nil {
				return c.stillThere(n)
			}
		}
		select {
		case <-c.Container:
			return &EndedError{Tries: n, Last: last}
		case <-deadline.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &NotReadyError{Tries: n, Deadline: c.Deadline, Last: last}
		case <-time.After(pause):
			pause = min(2*pause, c.Interval)
		}
	}
}

// try asks once, within the timeout; the end of the container cuts it short.
func (c Check) try(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if c.Container != nil {
		go func() {
			select {
			case <-c.Container:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return c.Get(ctx)
}

// docker is nil when the container's own health check says healthy, or there is none.
func (c Check) docker(ctx context.Context) error {
	if c.Docker == nil {
		return nil
	}
	state, err := c.Docker(ctx)
	if err != nil {
		return fmt.Errorf("read docker's health state: %w", err)
	}
	if state != "healthy" {
		return fmt.Errorf("answers well, but docker's own health check says %q", state)
	}
	return nil
}

// stillThere guards the last moment: a container that answered and ended is not ready.
func (c Check) stillThere(n int) error {
	if c.ended() {
		return &EndedError{Tries: n}
	}
	return nil
}

func (c Check) ended() bool {
	select {
	case <-c.Container:
		return true
	default:
		return false
	}
}

func (c Check) report(t Try) {
	if c.Progress != nil {
		c.Progress(t)
	}
}
