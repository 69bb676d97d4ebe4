package nginx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// confirmFirst is waited before the first look: nginx pauses 100 ms between starting new workers and retiring old ones
	// (ngx_master_process_cycle), of which some have passed by now. A look takes time of the processor from the requests.
	confirmFirst    = 60 * time.Millisecond
	confirmInterval = 10 * time.Millisecond
	confirmAsks     = 3 // new connections, any worker may take each
)

// NotConfirmedError says what still stood in the way.
type NotConfirmedError struct{ Reason string }

func (e *NotConfirmedError) Error() string { return "reload not confirmed: " + e.Reason }

// Confirmation is what proves that a reload took.
type Confirmation struct {
	Before   Workers        // as they were before the reload
	Listener StatusListener // asked over new connections, where it can be reached
	Want     *Target        // what it has to answer; nil: not asked
	Deadline time.Duration
}

// Confirm returns once every worker noted before the reload is gone or shutting down, a new one is up, and
// new connections to the status listener are answered as wanted. *NotConfirmedError after the deadline.
func Confirm(ctx context.Context, p Place, c Confirmation) error {
	limited, cancel := context.WithTimeout(ctx, c.Deadline)
	defer cancel()
	err := errors.New("nothing was seen of nginx")
	pause(limited, confirmFirst)
	for {
		latest := c.missing(limited, p)
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

// missing is what is not as it should be yet; nil when all is.
func (c Confirmation) missing(ctx context.Context, p Place) error {
	now, err := ReadWorkers(ctx, p)
	if err != nil {
		return err
	}
	old := func(pid int) bool { return slices.Contains(c.Before.Serving, pid) }
	if left := slices.DeleteFunc(slices.Clone(now.Serving), func(pid int) bool { return !old(pid) }); len(left) > 0 {
		return fmt.Errorf("older workers still take connections (pids %v)", left)
	}
	if len(now.Serving) == 0 {
		return errors.New("no new worker is up")
	}
	if c.Want == nil {
		return nil
	}
	return c.asked(ctx)
}

// asked makes sure over several connections, at once: the way there may take its time.
func (c Confirmation) asked(ctx context.Context) error {
	var all errgroup.Group
	for range confirmAsks {
		all.Go(func() error { return c.askOnce(ctx) })
	}
	return all.Wait()
}

// askOnce asks over one connection. A listener that cannot be reached leaves the word to the workers; one that answers
// wrongly does not.
func (c Confirmation) askOnce(ctx context.Context) error {
	got, err := c.Listener.Ask(ctx, c.Want.Service)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrNoAnswer):
		return nil
	case err != nil:
		return err
	case got != *c.Want:
		return fmt.Errorf("new connections are answered by %v, not by %v", got, *c.Want)
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
