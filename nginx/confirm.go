package nginx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	confirmInterval = 10 * time.Millisecond // listing the processes costs about as much
	confirmAsks     = 3                     // new connections, any worker may take each
)

// NotConfirmedError says what still stood in the way.
type NotConfirmedError struct{ Reason string }

func (e *NotConfirmedError) Error() string { return "reload not confirmed: " + e.Reason }

// Confirm returns once every worker noted before the reload is gone or shutting down, a new one is up, and
// new connections to the status listener (when it can be reached) are answered by want (nil: not asked).
// *NotConfirmedError after deadline.
func Confirm(ctx context.Context, p Place, s StatusListener, before Workers, want *Target, deadline time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	c := confirmation{place: p, status: s, before: before, want: want}
	err := errors.New("nothing was seen of nginx")
	for {
		latest := c.missing(limited)
		if latest == nil {
			return nil
		}
		if limited.Err() == nil {
			err = latest // a look that the deadline cut off says nothing
		}
		if !pause(limited, confirmInterval) {
			break
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("confirm reload: %w", ctx.Err())
	}
	return &NotConfirmedError{Reason: err.Error()}
}

// confirmation is what one Confirm looks at.
type confirmation struct {
	place  Place
	status StatusListener
	before Workers
	want   *Target
}

// missing is what is not as it should be yet; nil when all is.
func (c confirmation) missing(ctx context.Context) error {
	now, err := ReadWorkers(ctx, c.place)
	if err != nil {
		return err
	}
	old := func(pid int) bool { return slices.Contains(c.before.Serving, pid) }
	if left := slices.DeleteFunc(slices.Clone(now.Serving), func(pid int) bool { return !old(pid) }); len(left) > 0 {
		return fmt.Errorf("older workers still take connections (pids %v)", left)
	}
	if len(now.Serving) == 0 {
		return errors.New("no new worker is up")
	}
	if c.want == nil {
		return nil
	}
	return c.asked(ctx)
}

// asked makes sure over several connections. A listener that cannot be reached leaves the word to the
// workers; one that answers wrongly does not.
func (c confirmation) asked(ctx context.Context) error {
	for range confirmAsks {
		got, err := c.status.Ask(ctx, c.want.Service)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrNoAnswer):
			return nil
		case err != nil:
			return err
		case got != *c.want:
			return fmt.Errorf("new connections are answered by %v, not by %v", got, *c.want)
		}
	}
	return nil
}

// pause sleeps; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
