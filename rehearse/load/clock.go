package load

import (
	"context"
	"time"
)

// imprecise is how late Go's timers can be, and then some: that part of a long sleep is left to the clock.
const imprecise = 3 * time.Millisecond

// sleepUntil waits for the time, precisely, and says whether to go on.
func (c clock) sleepUntil(ctx context.Context, due time.Time) bool {
	if wait := time.Until(due); wait > 2*imprecise && !sleepUntil(ctx, due.Add(-imprecise)) {
		return false
	}
	if wait := time.Until(due); wait > 0 {
		c.sleep(wait)
	}
	return ctx.Err() == nil
}
