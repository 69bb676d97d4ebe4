package nginx

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// The first looks are close together: without idle clients the old workers end at once.
const (
	drainFirstInterval = 50 * time.Millisecond
	drainLastInterval  = 500 * time.Millisecond
)

// NotDrainedError says how many workers of older generations were left.
type NotDrainedError struct {
	Left  int
	After time.Duration
}

func (e *NotDrainedError) Error() string {
	return fmt.Sprintf("%d nginx workers of older generations still busy after %v", e.Left, e.After.Round(time.Second))
}

// Drain waits until none of the workers that are of an older generation now is left, reporting each change in their number
// to progress (which may be nil). Those that other services' reloads retire meanwhile already serve what this service serves
// now: they are not waited for. Call it only after the reload was confirmed: before, the old workers are not marked as such.
// *NotDrainedError after deadline.
func Drain(ctx context.Context, p Place, deadline time.Duration, progress func(left int, since time.Duration)) error {
	start, interval, reported := time.Now(), drainFirstInterval, 0
	var old []int
	for first := true; ; first = false {
		w, err := ReadWorkers(ctx, p)
		if err != nil {
			return fmt.Errorf("drain: %w", err)
		}
		if first {
			old = w.Draining
		}
		old = slices.DeleteFunc(old, func(pid int) bool { return !slices.Contains(w.Draining, pid) })
		left, since := len(old), time.Since(start)
		if left != reported && progress != nil {
			progress(left, since)
		}
		switch reported = left; {
		case left == 0:
			return nil
		case since >= deadline:
			return &NotDrainedError{Left: left, After: since}
		}
		if !pause(ctx, min(interval, deadline-since)) {
			return fmt.Errorf("drain: %w", ctx.Err())
		}
		interval = min(interval*2, drainLastInterval)
	}
}
