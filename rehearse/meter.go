package rehearse

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// keptLost is how many lost requests a report describes; the rest are only counted.
const keptLost = 20

// mostReleases is how many releases are told apart: more than there can be swaps.
const mostReleases = 2 * MaxSwaps

// meter gathers what became of the requests of one run, in memory that does not grow with their number: histograms and
// sums. It knows from the events of the swaps which phase a request belongs to, and which release may answer it.
type meter struct {
	start    time.Time
	releases load.Timeline

	mu       sync.Mutex
	counts   map[load.Outcome]int64
	answers  map[string]*lifetime // good answers by release, as the answers name it
	all      latency
	phases   map[string]latency
	late     latency // the client's own delay
	lastGood time.Time
	gap      time.Duration
	resent   int64
	lost     []report.Lost
	series   series
	shares   shares
	workers  []report.Workers

	doing   string         // the step under way
	place   map[string]int // release in each profile
	swaps   []*swapMeter
	ended   time.Time // of the last swap; zero while one is under way, and before the first
	current *swapMeter
}

// lifetime is how many answers a release gave, and when.
type lifetime struct {
	count       int64
	first, last time.Time
}

func newMeter(slot time.Duration) *meter {
	m := &meter{
		counts: map[load.Outcome]int64{}, answers: map[string]*lifetime{},
		all: newLatency(), late: newLatency(), phases: map[string]latency{},
		series: newSeries(slot), place: map[string]int{},
	}
	for _, phase := range []string{report.PhaseBefore, report.PhaseDuring, report.PhaseAfter} {
		m.phases[phase] = newLatency()
	}
	return m
}

// begin starts the clock.
func (m *meter) begin(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.start, m.lastGood = now, now
}

// at is a moment as the report has it.
func (m *meter) at(t time.Time) report.MS { return report.Millis(t.Sub(m.start)) }

// record takes one finished request.
func (m *meter) record(x load.Exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x.Outcome == load.OK && !m.allows(x) {
		x.Outcome = load.WrongRelease
	}
	m.counts[x.Outcome]++
	m.resent += int64(x.Unprocessed)
	m.late.add(x.Late)
	s := m.swapOf(x)
	if x.Outcome != load.OK {
		m.recordLost(x, s)
		return
	}
	took := x.Done.Sub(x.Due)
	m.all.add(took)
	m.phases[m.phaseOf(s)].add(took)
	m.series.add(x.Done.Sub(m.start), took)
	gap := x.Done.Sub(m.lastGood)
	m.gap = max(m.gap, gap)
	if s != nil {
		s.latency.add(took)
	}
	m.gapInSwap(x.Done)
	if gap > 0 {
		m.lastGood = x.Done
	}
	m.answered(x)
}

// gapInSwap takes a time without a good answer that ends now: what of it is since the beginning of a swap belongs to that
// swap, if it is under way, or was when the time began.
func (m *meter) gapInSwap(now time.Time) {
	n := len(m.swaps)
	if n == 0 || m.current == nil && !m.lastGood.Before(m.ended) {
		return
	}
	s, from := m.swaps[n-1], m.lastGood
	if from.Before(s.began) {
		from = s.began
	}
	s.gap = max(s.gap, now.Sub(from))
}

// allows says whether the release that answered may have. Where no swaps are ours, none is known, and all may.
func (m *meter) allows(x load.Exchange) bool {
	return len(m.place) == 0 || m.releases.Allows(x.Version, x.Sent, x.Done)
}

// swapOf is the swap that the time of a request meets: the one under way, or the last one when the request was due
// before its end.
func (m *meter) swapOf(x load.Exchange) *swapMeter {
	switch {
	case m.current != nil:
		return m.current
	case len(m.swaps) > 0 && x.Due.Before(m.ended):
		return m.swaps[len(m.swaps)-1]
	}
	return nil
}

func (m *meter) phaseOf(s *swapMeter) string {
	switch {
	case s != nil:
		return report.PhaseDuring
	case len(m.swaps) == 0:
		return report.PhaseBefore
	}
	return report.PhaseAfter
}

func (m *meter) recordLost(x load.Exchange, s *swapMeter) {
	if s != nil {
		s.lost++
	}
	m.series.lose(x.Done.Sub(m.start))
	if len(m.lost) >= keptLost {
		return
	}
	lost := report.Lost{At: m.at(x.Due), Method: x.Request.Method, Path: withoutQuery(x.Request.Path), Outcome: x.Outcome.String()}
	switch {
	case x.Err != nil:
		lost.Error = x.Err.Error()
	case x.Outcome == load.WrongRelease:
		lost.Error = "answered by release " + x.Version
	}
	m.lost = append(m.lost, lost)
}

func (m *meter) answered(x load.Exchange) {
	name := x.Version
	if _, there := m.answers[name]; !there && len(m.answers) >= mostReleases {
		name = load.OtherNames
	}
	l := m.answers[name]
	if l == nil {
		l = &lifetime{first: x.Done}
		m.answers[name] = l
	}
	l.count++
	if x.Done.After(l.last) {
		l.last = x.Done
	}
	if n, err := strconv.Atoi(x.Version); err == nil {
		m.shares.add(x.Done.Sub(m.start), n)
	}
}

// seen takes nginx's workers at a moment.
func (m *meter) seen(at time.Time, serving, draining int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers = append(m.workers, report.Workers{At: m.at(at), Serving: serving, Draining: draining})
	if m.current != nil {
		m.current.seen(m, at, draining)
	}
}

// sums are the figures that progress shows, and the step under way.
func (m *meter) sums() (requests, lost int64, doing string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.counts {
		requests += n
	}
	return requests, requests - m.counts[load.OK], m.doing
}

// outside is the latency before the first and after the last swap, and between them.
func (m *meter) outside() latency {
	both := newLatency()
	both.h.Merge(m.phases[report.PhaseBefore].h)
	both.h.Merge(m.phases[report.PhaseAfter].h)
	return both
}

// fill writes what was gathered into a report's run.
func (m *meter) fill(r *report.Run, end time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endSwap(end)
	m.gapInSwap(end)
	for _, o := range load.Outcomes() {
		n := m.counts[o]
		r.Requests += n
		r.Outcomes = append(r.Outcomes, report.Outcome{Name: o.String(), Count: n, Lost: o != load.OK})
	}
	r.OK = m.counts[load.OK]
	r.Lost = r.Requests - r.OK
	r.Duration = m.at(end)
	r.Rate = float64(r.Requests) / max(end.Sub(m.start).Seconds(), 1e-9)
	r.LongestGap = report.Millis(max(m.gap, end.Sub(m.lastGood)))
	r.Latency = []report.Latency{m.all.of(report.PhaseAll)}
	for _, phase := range []string{report.PhaseBefore, report.PhaseDuring, report.PhaseAfter} {
		r.Latency = append(r.Latency, m.phases[phase].of(phase))
	}
	r.Latency = append(r.Latency, m.outside().of(report.PhaseOutside))
	r.Harmless.Unprocessed = m.resent
	r.First = append([]report.Lost{}, m.lost...)
	r.Series, r.SlotMS = m.series.end(), report.Millis(m.series.width)
	r.Workers = append([]report.Workers{}, m.workers...)
	r.Client.P99Send, r.Client.LatestSend = m.late.at(99), m.late.at(100)
	for _, name := range slices.Sorted(maps.Keys(m.answers)) {
		l := m.answers[name]
		r.Releases = append(r.Releases, report.ReleaseCount{Release: name, Answers: l.count, First: m.at(l.first), Last: m.at(l.last)})
	}
	for _, s := range m.swaps {
		r.Swaps = append(r.Swaps, s.of(m))
	}
}
