package load

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Kind is a kind of client whose requests last.
type Kind string

// The kinds of clients.
const (
	// Slow sends one GET after the other, and waits for each whole answer.
	Slow Kind = "slow"
	// Stream reads server-sent events until the server ends the stream cleanly, or leaves after the hold time.
	Stream Kind = "stream"
	// Websocket keeps a websocket open for the hold time, wants an answer to each ping, and closes it by handshake. What
	// the server sends is read and ignored.
	Websocket Kind = "websocket"
)

// DefaultLongTimeout is how long a whole slow answer may take.
const DefaultLongTimeout = 2 * time.Minute

// DefaultHold is how long a stream or a websocket is kept.
const DefaultHold = 10 * time.Second

// longPeriod is the least time from one request of a client to its next, so that answers which fail, or do not last,
// make no busy loop.
const longPeriod = 100 * time.Millisecond

// ClientsConfig says what Clients do.
type ClientsConfig struct {
	Kind
	Target
	Clients int // each with one request under way; zero: 1
	// Hold is how long a stream or a websocket is kept; zero: DefaultHold. Slow answers are always waited for.
	Hold time.Duration
	// Every is the least time from one request of a client to its next; zero: 100 ms.
	Every time.Duration
	// Timeout is for connecting and for the head of an answer, and between a ping and its answer; zero: DefaultTimeout.
	Timeout time.Duration
	// LongTimeout is for a whole slow answer; zero: DefaultLongTimeout.
	LongTimeout   time.Duration
	VersionHeader string // tells answers by the app from those by nginx; empty: DefaultVersionHeader
}

func (c ClientsConfig) withDefaults() ClientsConfig {
	c.Target = c.Target.withDefaults()
	c.Clients = max(c.Clients, 1)
	c.Hold = cmp.Or(c.Hold, DefaultHold)
	c.Every = cmp.Or(c.Every, longPeriod)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.LongTimeout = cmp.Or(c.LongTimeout, DefaultLongTimeout)
	c.VersionHeader = cmp.Or(c.VersionHeader, DefaultVersionHeader)
	return c
}

// ClientsReport is what became of the requests of Clients. Those begun that are neither done nor lost are under way.
type ClientsReport struct {
	Kind     Kind
	Begun    int64
	Done     int64 // ended as they should, or by Stop
	Lost     int64
	Outcomes map[Outcome]int64 // those that occurred
	// FirstLost describes the first 20 that were lost; a Time is when the request was begun.
	FirstLost []Lost
}

// Clients are clients of one kind under way.
type Clients struct {
	cfg    ClientsConfig
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	report ClientsReport
}

// StartClients begins to send. Each client does one long thing after the other, on a connection of its own each time,
// until Stop or the end of ctx.
func StartClients(ctx context.Context, cfg ClientsConfig) *Clients {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(ctx)
	c := &Clients{cfg: cfg, cancel: cancel, report: ClientsReport{Kind: cfg.Kind, Outcomes: map[Outcome]int64{}}}
	for number := range cfg.Clients {
		c.ended.Go(func() { c.loop(ctx, number) })
	}
	return c
}

// Stop ends streams and websockets as a client does that leaves, waits for slow answers, and reports.
func (c *Clients) Stop() ClientsReport {
	c.cancel()
	c.ended.Wait()
	return c.Report()
}

// Report says what has become of the requests so far. It may be called at any time.
func (c *Clients) Report() ClientsReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.report
	r.Outcomes, r.FirstLost = maps.Clone(r.Outcomes), slices.Clone(r.FirstLost)
	return r
}

func (c *Clients) loop(ctx context.Context, number int) {
	for ctx.Err() == nil {
		began := time.Now()
		c.begin()
		outcome, err := c.cfg.once(ctx)
		c.end(outcome, Lost{
			Time: began, Connection: number, Method: "GET", Path: c.cfg.Path, Outcome: outcome, Error: text(err),
		})
		sleepUntil(ctx, began.Add(c.cfg.Every))
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (c *Clients) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Begun++
}

func (c *Clients) end(outcome Outcome, lost Lost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Outcomes[outcome]++
	if outcome == OK {
		c.report.Done++
		return
	}
	c.report.Lost++
	if len(c.report.FirstLost) < keptLost {
		c.report.FirstLost = append(c.report.FirstLost, lost)
	}
}
