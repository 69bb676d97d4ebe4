// Package load is the client that measures whether a swap behind nginx loses requests, and how long each one took.
//
// A Run sends requests over keep-alive connections and says of every request what became of it. It never sends a
// request twice. Go's http.Client does, without saying so, when a kept connection is reset under an idempotent request;
// a run made with it would show no loss where there is one. So this package writes its requests to the connections
// itself and reads the answers with http.ReadResponse. The one exception is HTTP/2, where a server can declare that it
// has not processed a request; that one is sent again, as RFC 9113 provides, and counted apart.
//
// With a rate the loop is open: each request has a time at which it is due, which no earlier answer delays, and its
// latency counts from that time. A client that waits for an answer before it sends the next request sends none while
// the server stalls, and shows one slow request where its users would have met hundreds (coordinated omission).
//
// Clients are requests that last long enough for a swap to happen under them: slow answers, event streams, websockets.
// GetSlow, ReadStream, EchoWebsocket and Upload are single ones, bounded by their context.
package load

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// What a Config that leaves a field zero gets. Both limits always apply, so no run goes on without end.
const (
	DefaultTimeout        = 10 * time.Second
	DefaultMaxRequests    = 1_000_000
	DefaultMaxTime        = 10 * time.Minute
	DefaultMaxConnections = 1024
)

// Headers by which an answer says which release and which profile gave it, unless the Config names others.
const (
	DefaultVersionHeader = "X-Version"
	DefaultProfileHeader = "X-Profile"
)

// NoHeader as a header of a Config says that answers do not name it.
const NoHeader = "-"

// Target is where requests go.
type Target struct {
	Addr   string      // host and port that is connected to, such as "127.0.0.1:8080"
	Host   string      // the Host header; empty: Addr
	Path   string      // path and query; empty: "/"
	Header http.Header // further headers of each request
	TLS    *tls.Config // nil: plain HTTP. Without a ServerName, Host is it.
	// Dial makes the connections to Addr, such as from inside a container; nil: this machine does. ctx bounds the making alone.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Config says what a Run sends.
type Config struct {
	Target
	// Mix is what is sent, each request as often as its share says; empty: GETs of the target's path.
	Mix []Request
	// Connections is how many connections are kept alive, each with one request under way at most; zero: 1. With HTTP2
	// and a rate, a connection carries as many at once as are under way.
	Connections int
	// Rate is how many requests a second are due, on all connections together: request n at n/Rate from the start. A due
	// request takes the connection that has been idle for longest. If none is idle, a further one is opened, and closed
	// again once it is no longer needed. Zero: a closed loop, in which each connection waits for its answers.
	Rate float64
	// MaxConnections is how many connections a rate may open, or with HTTP2 how many streams; zero:
	// DefaultMaxConnections. A request that is due beyond that waits for one.
	MaxConnections int
	// Period is, without a rate, from one request of a connection to its next; zero: as soon as the answer is there.
	Period time.Duration
	// HTTP2 sends the requests as streams of HTTP/2 connections: with prior knowledge on plain TCP, with ALPN over TLS.
	HTTP2 bool
	// Timeout is for one request, connecting included, and with a rate the time since it was due; zero: DefaultTimeout.
	Timeout     time.Duration
	MaxRequests int64         // the run ends after as many; zero: DefaultMaxRequests
	MaxTime     time.Duration // the run ends after as long; zero: DefaultMaxTime

	VersionHeader string // names the release that answered; empty: DefaultVersionHeader; or NoHeader
	ProfileHeader string // names the profile that answered; empty: DefaultProfileHeader

	// Check is called with each complete 2xx answer, from several goroutines at once; an error makes it a WrongAnswer.
	Check func(Checked) error
	// Each is called once for each finished request, from several goroutines at once. What it takes is time in which its
	// connection sends nothing.
	Each func(Exchange)

	// Timeline judges which release may have answered which request; nil: any may. With it the run remembers every
	// answer (48 bytes each), because a release's end is often known only later.
	Timeline *Timeline
}

func (t Target) withDefaults() Target {
	t.Host = cmp.Or(t.Host, t.Addr)
	t.Path = cmp.Or(t.Path, "/")
	return t
}

func (c Config) withDefaults() Config {
	c.Target = c.Target.withDefaults()
	c.Mix = mixOf(c.Mix, c.Path)
	c.Connections = max(c.Connections, 1)
	c.MaxConnections = max(cmp.Or(c.MaxConnections, DefaultMaxConnections), c.Connections)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.MaxRequests = cmp.Or(c.MaxRequests, DefaultMaxRequests)
	c.MaxTime = cmp.Or(c.MaxTime, DefaultMaxTime)
	c.VersionHeader = cmp.Or(c.VersionHeader, DefaultVersionHeader)
	c.ProfileHeader = cmp.Or(c.ProfileHeader, DefaultProfileHeader)
	return c
}

// Run is load under way. Any number of runs can go on side by side.
type Run struct {
	cfg    Config
	start  time.Time
	source *source
	tally  *tally
	shared *http2Lines // nil with HTTP/1.1
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// Start begins to send. The run ends with Stop, with ctx, or at one of the limits of cfg; requests under way at that
// moment, and with a rate those that are due, are always waited for, and count.
func Start(ctx context.Context, cfg Config) *Run {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.MaxTime)
	start := time.Now()
	r := &Run{cfg: cfg, start: start, source: newSource(cfg), tally: newTally(start, cfg.Timeline), cancel: cancel}
	if cfg.HTTP2 {
		r.shared = newHTTP2Lines(cfg, r.tally)
	}
	if cfg.Rate > 0 {
		r.ended.Go(func() { r.pace(ctx) })
		return r
	}
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
	if r.shared != nil {
		r.shared.close()
	}
	r.tally.end()
	return r.Report()
}

// Sent returns how many requests have been begun so far, those included that wait for a connection.
func (r *Run) Sent() int64 { return r.source.taken() }

// Report says what has become of the requests finished so far. It may be called at any time.
func (r *Run) Report() Report {
	return r.tally.report()
}
