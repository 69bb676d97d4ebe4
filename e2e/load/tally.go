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
	client     int32
	post       bool
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
func (t *tally) add(x exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[x.outcome]++
	if x.outcome == OK {
		t.addOK(x)
		return
	}
	if len(t.lost) < keptLost {
		t.lost = append(t.lost, Lost{
			Time: x.sent, Connection: x.client, Method: method(x.post), Outcome: x.outcome, Error: x.err.Error(),
		})
	}
}

func (t *tally) addOK(x exchange) {
	_ = t.latency.RecordValue(min(x.done.Sub(x.due), longestLatency).Microseconds()) // always in range
	t.gap = max(t.gap, x.done.Sub(t.lastOK))
	if x.done.After(t.lastOK) {
		t.lastOK = x.done
	}
	seen := t.see(x)
	t.profiles[x.profile]++
	if t.timeline != nil {
		t.keep(answer{
			sent: x.sent.Sub(t.start), done: x.done.Sub(t.start),
			version: seen.version, client: int32(x.client), post: x.post,
		})
	}
}

func (t *tally) see(x exchange) *Seen {
	seen := t.versions[x.version]
	if seen == nil {
		seen = &Seen{version: x.version, First: x.done}
		t.versions[x.version] = seen
	}
	seen.Answers++
	if x.done.Before(seen.First) {
		seen.First = x.done
	}
	if x.done.After(seen.Last) {
		seen.Last = x.done
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

func method(post bool) string {
	if post {
		return "POST"
	}
	return "GET"
}
