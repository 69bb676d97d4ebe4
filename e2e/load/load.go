// Package load is the client that measures whether a swap behind nginx loses requests.
//
// A Run keeps a number of keep-alive connections busy, back to back or with one request a period, and says of every
// request what became of it. It never sends a request twice. Go's http.Client does, without saying so, when a kept
// connection is reset under an idempotent request; a run made with it would show no loss where there is one. So this
// package writes its requests to plain TCP connections itself and reads the answers with http.ReadResponse.
//
// Slow, Stream, Websocket and Upload are single requests that last long enough for a swap to happen under them. What
// bounds them is their context.
package load

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// What a Config that leaves a field zero gets. Both limits always apply, so no run goes on without end.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultMaxRequests = 1_000_000
	DefaultMaxTime     = 10 * time.Minute
)

// Headers by which an answer says which release and which profile gave it.
const (
	VersionHeader = "X-Version"
	ProfileHeader = "X-Profile"
)

// Target is where requests go.
type Target struct {
	Addr string // host and port that is connected to, such as "127.0.0.1:8080"
	Host string // the Host header; empty: Addr
	Path string // path and query; empty: "/"
}

// Config says what a Run sends.
type Config struct {
	Target
	Connections int           // keep-alive connections, each with one request under way at most; zero: 1
	Period      time.Duration // from one request of a connection to its next; zero: as soon as the answer is there
	PostShare   float64       // part of the requests that are POSTs, from 0 (all GET) to 1 (all POST)
	BodySize    int           // bytes in the body of a POST
	Timeout     time.Duration // for one request, connecting included; zero: DefaultTimeout
	MaxRequests int64         // the run ends after as many; zero: DefaultMaxRequests
	MaxTime     time.Duration // the run ends after as long; zero: DefaultMaxTime

	// Timeline judges which release may have answered which request; nil: any may. With it the run remembers every
	// answer (40 bytes each), because a release's end is often known only later.
	Timeline *Timeline
}

func (t Target) withDefaults() Target {
	t.Host = cmp.Or(t.Host, t.Addr)
	t.Path = cmp.Or(t.Path, "/")
	return t
}

func (c Config) withDefaults() Config {
	c.Target = c.Target.withDefaults()
	c.Connections = max(c.Connections, 1)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.MaxRequests = cmp.Or(c.MaxRequests, DefaultMaxRequests)
	c.MaxTime = cmp.Or(c.MaxTime, DefaultMaxTime)
	return c
}

// Run is load under way. Any number of runs can go on side by side.
type Run struct {
	cfg    Config
	start  time.Time
	begun  atomic.Int64
	tally  *tally
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// Start begins to send. The run ends with Stop, with ctx, or at one of the limits of cfg; requests under way at that
// moment are always waited for, and count.
func Start(ctx context.Context, cfg Config) *Run {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.MaxTime)
	start := time.Now()
	r := &Run{cfg: cfg, start: start, tally: newTally(start, cfg.Timeline), cancel: cancel}
	for number := range cfg.Connections {
		c := newClient(r, number)
		r.ended.Go(func() { c.loop(ctx) })
	}
	return r
}

// Stop begins no more requests, waits for those under way, and reports.
func (r *Run) Stop() Report {
	r.cancel()
	return r.Wait()
}

// Wait waits until ctx or a limit has ended the run, and reports.
func (r *Run) Wait() Report {
	r.ended.Wait()
	r.cancel()
	r.tally.end()
	return r.Report()
}

// Sent returns how many requests have been begun so far.
func (r *Run) Sent() int64 {
	return min(r.begun.Load(), r.cfg.MaxRequests)
}

// Report says what has become of the requests finished so far. It may be called at any time.
func (r *Run) Report() Report {
	return r.tally.report()
}

// take claims one of the requests that MaxRequests allows. The last one ends the wait of all other connections.
func (r *Run) take() bool {
	n := r.begun.Add(1)
	if n >= r.cfg.MaxRequests {
		r.cancel()
	}
	return n <= r.cfg.MaxRequests
}
