package load

import (
	"context"
	"sync"
	"time"
)

// trimEvery is how often connections are closed that a rate has not needed meanwhile.
const trimEvery = time.Second

// job is a request that is due.
type job struct {
	number  int64
	request *prepared
	due     time.Time
	noticed time.Time // when this client knew that it was due
	waited  bool      // for a connection
}

// pool is the clients of an open loop. Those without a request are in the queue of idle ones; when there are none,
// requests are in the queue of waiting ones.
type pool struct {
	run *Run

	mu      sync.Mutex
	idle    fifo[*client]
	waiting fifo[job]
	open    int // clients, idle or not
	made    int // clients so far, for their numbers
	spare   int // fewest that were idle since the last trim
	trimmed time.Time
	ended   bool
}

// pace hands out each request when it is due, until ctx or a limit ends the run.
func (r *Run) pace(ctx context.Context) {
	p := &pool{run: r, trimmed: r.start}
	for range r.cfg.Connections {
		p.idle.push(p.add())
	}
	defer p.end()
	clock := newClock()
	for n := 0; ; n++ {
		due := r.start.Add(time.Duration(float64(n) / r.cfg.Rate * float64(time.Second)))
		if !clock.sleepUntil(ctx, due) {
			return
		}
		number, q, ok := r.source.take()
		if !ok {
			return
		}
		p.hand(job{number: number, request: q, due: due, noticed: time.Now()})
	}
}

// add makes a client, which waits for its first request.
func (p *pool) add() *client {
	c := newClient(p.run, p.made)
	p.made++
	p.open++
	p.run.ended.Go(func() { p.serve(c) })
	return c
}

// serve sends the requests that a client is handed.
func (p *pool) serve(c *client) {
	defer c.line.hangUp()
	for j := range c.jobs {
		for more := true; more; j, more = p.next(c) {
			c.do(j)
		}
	}
}

// hand gives a request to the client that has been idle for longest, or to a new one.
func (p *pool) hand(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.idle.len() > 0:
		p.idle.pop().jobs <- j // has room: the client is idle
	case p.open < p.run.cfg.MaxConnections:
		p.add().jobs <- j
	default:
		j.waited = true
		p.waiting.push(j)
	}
	p.spare = min(p.spare, p.idle.len())
	if j.noticed.Sub(p.trimmed) >= trimEvery {
		p.trim(j.noticed)
	}
}

// trim ends those clients beyond the configured ones that were idle all the time.
func (p *pool) trim(now time.Time) {
	for range min(p.spare, p.open-p.run.cfg.Connections) {
		close(p.idle.pop().jobs)
		p.open--
	}
	p.spare, p.trimmed = p.idle.len(), now
}

// next returns the request that has waited longest; without one the client becomes idle.
func (p *pool) next(c *client) (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.waiting.len() > 0:
		return p.waiting.pop(), true
	case p.ended:
		close(c.jobs)
	default:
		p.idle.push(c)
	}
	return job{}, false
}

// end lets every client go once nothing waits any more.
func (p *pool) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for p.idle.len() > 0 {
		close(p.idle.pop().jobs)
	}
}
