package rehearse

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// progressEvery is how often progress is told.
const progressEvery = time.Second

// loadLimit ends a load whatever happens.
const loadLimit = MaxDuration + time.Hour

// A report's series has slots of this width, wider ones for a long run: so many are enough for a picture.
const (
	narrowestSlot = 100 * time.Millisecond
	mostSlots     = 3000
)

// traffic is the load of one run, measured.
type traffic struct {
	Load
	to            load.Target
	planned       time.Duration
	releaseHeader string                   // by which answers name their release
	connections   int                      // that may be open at most; 0: load's own bound
	every         time.Duration            // least time from one long request of a client to its next; 0: load's own
	check         func(load.Checked) error // of good answers, beside Expect; nil: none
	progress      func(Progress)

	meter  *meter
	start  time.Time
	before cost
	run    *load.Run
	others []*load.Clients
	told   context.CancelFunc // ends the telling of progress
	ended  sync.WaitGroup
	phase  phase
}

func newTraffic(l Load, to load.Target, planned time.Duration) *traffic {
	slot := max(narrowestSlot, (planned / mostSlots).Truncate(narrowestSlot))
	return &traffic{Load: l, to: to, planned: planned, meter: newMeter(slot)}
}

// config is the load of the clients that send requests at a rate.
func (t *traffic) config() load.Config {
	return load.Config{
		Target: t.to, Rate: t.Rate, Connections: t.Connections, Mix: t.Mix, HTTP2: t.HTTP2, Timeout: t.Timeout,
		VersionHeader: t.releaseHeader, MaxConnections: t.connections, MaxTime: loadLimit, MaxRequests: unbounded, Check: t.checks(), Each: t.meter.record,
	}
}

// checks are what every good answer must pass; nil: nothing, and its body need not be kept.
func (t *traffic) checks() func(load.Checked) error {
	if t.Expect == "" {
		return t.check
	}
	return func(a load.Checked) error {
		if a.Request.Method != http.MethodHead && !bytes.Contains(a.Body, []byte(t.Expect)) {
			return fmt.Errorf("answer has no %q in it: %.100q", t.Expect, a.Body)
		}
		if t.check == nil {
			return nil
		}
		return t.check(a)
	}
}

// unbounded requests: the time bounds them.
const unbounded = int64(MaxRate * (loadLimit / time.Second))

// clients are the clients of a further kind.
func (t *traffic) clients(o Others) load.ClientsConfig {
	to := t.to
	to.Path = o.Path
	return load.ClientsConfig{Kind: o.Kind, Target: to, Clients: o.Clients, Hold: DefaultHold, Every: t.every, VersionHeader: t.releaseHeader}
}

// preflight asks for everything once: a path that does not exist is to be an error before the run, and no loss in it.
func (t *traffic) preflight(ctx context.Context) error {
	var clients []load.ClientsConfig
	for _, o := range t.Others {
		if o.Clients > 0 {
			clients = append(clients, t.clients(o))
		}
	}
	answered := make(chan error, 1)
	go func() { answered <- load.Preflight(ctx, t.config(), clients...) }()
	select {
	case <-ctx.Done():
		return ctx.Err() // an answer may still be waited for, as long as one may take
	case err := <-answered:
		if err != nil {
			return fmt.Errorf("ask once before the load: %w", err)
		}
		return nil
	}
}

// begin starts the load.
func (t *traffic) begin(ctx context.Context) {
	t.before, t.start = costSoFar(), time.Now()
	t.meter.begin(t.start)
	t.run = load.Start(ctx, t.config())
	for _, o := range t.Others {
		if o.Clients > 0 {
			t.others = append(t.others, load.StartClients(ctx, t.clients(o)))
		}
	}
	ctx, t.told = context.WithCancel(ctx)
	t.ended.Go(func() { t.tell(ctx) })
}

// impatience is how long a person who interrupted waits for the last answers.
const impatience = time.Second

// stop stops the load and waits for the answers that are under way, not for long once ctx has ended.
func (t *traffic) stop(ctx context.Context) {
	t.phase.set("waiting for the last answers")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		t.run.Stop()
		for _, clients := range t.others {
			clients.Stop()
		}
	}()
	select {
	case <-stopped:
		return
	case <-ctx.Done():
	}
	select {
	case <-stopped:
	case <-time.After(impatience):
	}
}

// end stops the load and reports.
func (t *traffic) end(ctx context.Context, name string) report.Run {
	t.stop(ctx)
	end, seen := time.Now(), t.run.Report()
	r := report.Run{Name: name, Others: []report.Other{}, Swaps: []report.Swap{}, Releases: []report.ReleaseCount{}}
	for _, clients := range t.others {
		r.Others = append(r.Others, other(clients.Report()))
	}
	t.told()
	t.ended.Wait()
	t.meter.fill(&r, end)
	r.Harmless.IdleCloses, r.Harmless.Connects = seen.IdleCloses, seen.Connects
	costSoFar().since(t.before, end.Sub(t.start), &r.Client)
	return r
}

// tell tells progress until ctx ends.
func (t *traffic) tell(ctx context.Context) {
	var before int64
	last := t.start
	for sleep(ctx, progressEvery) {
		now := time.Now()
		requests, lost, doing := t.meter.sums()
		t.progress(Progress{
			Phase: t.phase.get(), Step: doing, Requests: requests, Lost: lost,
			Rate: float64(requests-before) / now.Sub(last).Seconds(),
			Left: max(0, t.planned-now.Sub(t.start)),
		})
		before, last = requests, now
	}
}

// phase is what is being done, as progress tells it.
type phase struct {
	mu   sync.Mutex
	text string
}

func (p *phase) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

func (p *phase) get() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text
}

// sleep waits, and says whether to go on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
