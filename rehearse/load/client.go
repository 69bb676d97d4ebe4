package load

import (
	"context"
	"errors"
	"time"
)

// refusedPause keeps a connection of a closed loop without a period from spinning while nothing listens.
const refusedPause = 10 * time.Millisecond

// errNoConnection is the error of a request that was due for so long that it was never sent.
var errNoConnection = errors.New("no connection was free in time")

// line carries requests to the server and answers back, one at a time.
type line interface {
	// carry sends the request of x, and says in x when, and what became of it.
	carry(x *Exchange, q *prepared, deadline time.Time)
	hangUp()
}

// client sends requests over one line, one after the other.
type client struct {
	run    *Run
	number int
	line   line
	jobs   chan job // with a rate
}

func newClient(r *Run, number int) *client {
	c := &client{run: r, number: number, jobs: make(chan job, 1)}
	if r.shared != nil {
		c.line = r.shared.line(number)
	} else {
		c.line = &wire{cfg: &r.cfg, tally: r.tally, reader: reader{cfg: &r.cfg}}
	}
	return c
}

// loop sends requests until ctx or a limit of the run ends it.
func (c *client) loop(ctx context.Context) {
	defer c.line.hangUp()
	period := c.run.cfg.Period
	due := c.run.start.Add(period * time.Duration(c.number) / time.Duration(c.run.cfg.Connections))
	free := due
	for sleepUntil(ctx, due) {
		number, q, ok := c.run.source.take()
		if !ok {
			c.run.cancel() // ends the wait of all other connections
			return
		}
		now := time.Now()
		x := Exchange{Number: number, Due: due, Late: now.Sub(later(due, free))}
		c.exchange(&x, q, now.Add(c.run.cfg.Timeout))
		free = x.Done
		switch {
		case period > 0:
			due = due.Add(period) // never from now: a slow answer must not thin out the load
		case x.Outcome == Refused:
			due = x.Done.Add(refusedPause)
		default:
			due = x.Done
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sleepUntil waits for the time and says whether to go on.
func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// do sends a request that is due by a rate.
func (c *client) do(j job) {
	now := time.Now()
	x := Exchange{Number: j.number, Due: j.due, Late: now.Sub(j.due)}
	if j.waited {
		x.Late = j.noticed.Sub(j.due)
	}
	c.exchange(&x, j.request, j.due.Add(c.run.cfg.Timeout))
}

// exchange sends one request, once, reads its answer, and records what became of it.
func (c *client) exchange(x *Exchange, q *prepared, deadline time.Time) {
	x.Connection, x.Request, x.Sent = c.number, q.Request, time.Now()
	if x.Sent.Before(deadline) {
		c.line.carry(x, q, deadline)
	} else {
		x.Outcome, x.Err = Timeout, errNoConnection
	}
	x.Done = time.Now()
	c.run.tally.add(x)
	if c.run.cfg.Each != nil {
		c.run.cfg.Each(*x)
	}
}
