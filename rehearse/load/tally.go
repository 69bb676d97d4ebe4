package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in microseconds with three significant figures; longer ones count as the longest.
const (
	longestLatency = 10 * time.Minute
	latencyFigures = 3
)

// keptLost is how many lost requests a Report describes; the rest are only counted.
const keptLost = 20

// tally gathers what became of the requests of one run. One lock serves: it is held for a fraction of a microsecond.
type tally struct {
	start    time.Time
	timeline *Timeline

	mu         sync.Mutex
	ended      time.Time // zero while the run goes on
	counts     [outcomes]int64
	connects   int64
	idleCloses int64
	resent     int64
	versions   map[string]*Seen
	profiles   map[string]int64
	latency    *hdrhistogram.Histogram
	lastOK     time.Time
	gap        time.Duration
	lost       []Lost
	answers    []chunk // for the timeline
}

// answer is a complete 2xx answer that awaits judgement. Times count from the start of the run.
type answer struct {
	sent, done time.Duration
	version    string // shared with the key of tally.versions
	request    *Request
	connection int32
}

// chunk holds answers; a single long slice would be copied as it grows, and the load would stand still meanwhile.
type chunk []answer

const chunkSize = 1 << 12

func newTally(start time.Time, timeline *Timeline) *tally {
	return &tally{
		start:    start,
		timeline: timeline,
		versions: map[string]*Seen{},
		profiles: map[string]int64{},
		latency:  hdrhistogram.New(1, longestLatency.Microseconds(), latencyFigures),
		lastOK:   start,
	}
}

func (t *tally) connect() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connects++
}

func (t *tally) idleClose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idleCloses++
}

// end fixes the end of the run; only the first call counts.
func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended.IsZero() {
		t.ended = time.Now()
	}
}

// add records one finished exchange.
func (t *tally) add(x *Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[x.Outcome]++
	t.resent += int64(x.Unprocessed)
	if x.Outcome == OK {
		t.addOK(x)
		return
	}
	if len(t.lost) < keptLost {
		t.lost = append(t.lost, Lost{
			Time: x.Sent, Connection: x.Connection, Method: x.Request.Method, Path: x.Request.Path,
			Outcome: x.Outcome, Error: x.Err.Error(),
		})
	}
}

func (t *tally) addOK(x *Exchange) {
	_ = t.latency.RecordValue(min(x.Done.Sub(x.Due), longestLatency).Microseconds()) // always in range
	t.gap = max(t.gap, x.Done.Sub(t.lastOK))
	if x.Done.After(t.lastOK) {
		t.lastOK = x.Done
	}
	seen := t.see(x)
	t.profiles[known(t.profiles, x.Profile)]++
	if t.timeline != nil {
		t.keep(answer{
			sent: x.Sent.Sub(t.start), done: x.Done.Sub(t.start),
			version: seen.version, request: x.Request, connection: int32(x.Connection),
		})
	}
}

// mostNames is how many versions and profiles are told apart: a header that differs with each answer names none.
const mostNames = 5000

// OtherNames stands for those beyond.
const OtherNames = "(others)"

// known is the name under which something is counted.
func known[T any](counted map[string]T, name string) string {
	if _, there := counted[name]; there || len(counted) < mostNames {
		return name
	}
	return OtherNames
}

func (t *tally) see(x *Exchange) *Seen {
	version := known(t.versions, x.Version)
	seen := t.versions[version]
	if seen == nil {
		seen = &Seen{version: version, First: x.Done}
		t.versions[version] = seen
	}
	seen.Answers++
	if x.Done.Before(seen.First) {
		seen.First = x.Done
	}
	if x.Done.After(seen.Last) {
		seen.Last = x.Done
	}
	return seen
}

func (t *tally) keep(a answer) {
	last := len(t.answers) - 1
	if last < 0 || len(t.answers[last]) == chunkSize {
		t.answers = append(t.answers, make(chunk, 0, chunkSize))
		last++
	}
	t.answers[last] = append(t.answers[last], a)
}
