package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// The load of the tests. Busy connections send back to back, and stand for a service at its limit: they meet a reload
// with a request on its way. Slow ones are mostly idle, and stand for client pools: they meet the moment in which an
// old worker closes them. POSTs are what a proxy must not send twice.
const (
	busyConnections = 32
	slowConnections = 300 // of each period
	bodySize        = 512 // of the POSTs, which half of the requests are
	steadyPeriod    = 20 * time.Millisecond
	busyTail        = 500 * time.Millisecond // how long the busy ones go on after a command
	loadLimit       = 3 * time.Hour          // longer than any test
	lossAwaited     = time.Minute
)

var slowPeriods = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}

// halfPosts is what the load sends.
var halfPosts = []load.Request{{Share: 0.5}, {Method: http.MethodPost, Body: bytes.Repeat([]byte("a"), bodySize), Share: 0.5}}

// traffic is load on a host, and what is known of when which release could answer.
type traffic struct {
	h        *host
	releases load.Timeline
	version  map[string]string // in each profile
	runs     []*load.Run
}

func newTraffic(h *host) *traffic { return &traffic{h: h, version: map[string]string{}} }

// begin starts load that goes on until the end.
func (l *traffic) begin(connections int, period time.Duration) *load.Run {
	return l.start(load.Config{Connections: connections, Period: period})
}

// beginHTTP2 is begin for HTTP/2, over as few connections as clients of that have.
func (l *traffic) beginHTTP2(connections int, period time.Duration) *load.Run {
	return l.start(load.Config{Connections: connections, Period: period, HTTP2: true})
}

func (l *traffic) start(c load.Config) *load.Run {
	c.Target, c.Mix, c.Timeline, c.MaxTime = l.h.target(""), halfPosts, &l.releases, loadLimit
	run := load.Start(l.h.t.Context(), c)
	l.runs = append(l.runs, run)
	return run
}

// beginSlow starts the connections with long periods.
func (l *traffic) beginSlow(connections int) {
	for _, period := range slowPeriods {
		l.begin(connections, period)
	}
}

// under runs a command with -o json under busy connections, from the moment it starts a step (from its start: "") until
// a little after its end.
func (l *traffic) under(step string, env []string, args ...string) output {
	l.h.t.Helper()
	p := l.h.start(env, append(args, "-o", "json")...)
	if step != "" {
		p.awaitStep(step)
	}
	busy := l.begin(busyConnections, 0)
	out := p.wait()
	time.Sleep(busyTail)
	busy.Stop()
	if out.code != 0 {
		l.h.t.Fatalf("want exit 0: %v", out)
	}
	return out
}

// deploy deploys a version, busy from a step on.
func (l *traffic) deploy(version, fromStep string) output {
	l.h.t.Helper()
	out := l.under(fromStep, []string{"VERSION=" + version}, "deploy")
	l.deployed(version, out)
	return out
}

// deployed notes what a deploy's events say: from the switch on the new release may answer, and what was in its profile
// may not once its container was about to be stopped.
func (l *traffic) deployed(version string, out output) {
	l.h.t.Helper()
	began := out.find("step_started", "switch")
	if began.Time.IsZero() || out.result().Outcome != "swapped" {
		l.h.t.Fatalf("want a swap: %v", out)
	}
	if retired := out.find("step_started", "retire"); !retired.Time.IsZero() {
		l.releases.Retired(l.version[began.Profile], retired.Time)
	}
	l.releases.Live(version, began.Time)
	l.version[began.Profile] = version
}

// figures are the sum of all load.
type figures struct {
	requests, lost, wrong, idleCloses int64
	outcomes                          map[load.Outcome]int64
	first                             []load.Lost
	slowest                           time.Duration
}

// end stops all load and sums up. Answers are judged now, when it is known which release ended when.
func (l *traffic) end() figures {
	f := figures{outcomes: map[load.Outcome]int64{}}
	for _, run := range l.runs {
		run.Stop()
	}
	for _, run := range l.runs {
		r := run.Report()
		f.requests, f.lost, f.idleCloses = f.requests+r.Requests, f.lost+r.Lost, f.idleCloses+r.IdleCloses
		f.slowest = max(f.slowest, r.Max)
		f.first = append(f.first, r.FirstLost...)
		for outcome, n := range r.Outcomes {
			f.outcomes[outcome] += n
		}
	}
	f.wrong = f.outcomes[load.WrongRelease]
	return f
}

func (f figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d requests lost (%d of them answered by a wrong release), slowest answer %v, %d idle connections closed",
		f.lost, f.requests, f.wrong, f.slowest.Round(time.Millisecond), f.idleCloses)
	if f.lost > 0 {
		fmt.Fprintf(&b, "\n%v", f.outcomes)
	}
	for _, lost := range f.first[:min(len(f.first), 20)] {
		fmt.Fprintf(&b, "\n  %v", lost)
	}
	return b.String()
}

// lost counts so far what was lost in this way.
func (l *traffic) lost(kind load.Outcome) (n int64) {
	for _, run := range l.runs {
		n += run.Report().Outcomes[kind]
	}
	return n
}

// awaitLoss waits until a request was lost in this way, where it is chance which one meets the moment.
func (l *traffic) awaitLoss(kind load.Outcome) {
	for begin := time.Now(); l.lost(kind) == 0 && time.Since(begin) < lossAwaited; {
		time.Sleep(200 * time.Millisecond)
	}
}

// wantNoLoss ends the load and fails the test if a single request was lost.
func (l *traffic) wantNoLoss() figures {
	l.h.t.Helper()
	f := l.end()
	l.h.t.Log(f)
	if f.lost > 0 || f.requests == 0 {
		l.h.t.Errorf("want no request lost, and some sent: %v", f)
	}
	return f
}

// wantLoss ends the load and fails the test if it shows no loss of the given kind: then it could not show one either
// where there must be none.
func (l *traffic) wantLoss(kind load.Outcome) {
	l.h.t.Helper()
	f := l.end()
	l.h.t.Log(f)
	if f.outcomes[kind] == 0 {
		l.h.t.Errorf("want requests lost as %q: %v", kind, f)
	}
}

// skipShort keeps what takes minutes out of `go test -short`.
func skipShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes minutes")
	}
}
