package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what became of the requests of a run. Requests is the sum of OK and Lost; requests still under way are in
// none of them.
type Report struct {
	Requests int64
	OK       int64
	Lost     int64
	Outcomes map[Outcome]int64 // those that occurred
	Versions map[string]Seen   // complete 2xx answers by version, those by a wrong release among them
	Profiles map[string]int64  // the same by profile

	Connects   int64 // connections made
	IdleCloses int64 // kept connections that the server closed between two requests: harmless
	// Unprocessed counts how often an HTTP/2 server declared that it had not processed a request, which was then sent
	// again: harmless.
	Unprocessed int64

	// Time from when a request was due to the end of its answer, for complete 2xx answers. So an answer that holds up
	// the next request of a connection with a rate or a period shows in both.
	P50, P99, P999, Max time.Duration

	Duration time.Duration // start of the run to its end, or until now
	// LongestGap is the longest time without the end of a complete 2xx answer on any connection, the beginning and the
	// end of the run included. A run of n connections with a period has gaps of period/n by itself.
	LongestGap time.Duration

	FirstLost []Lost // the first 20 lost requests, by the time they were sent
}

// Seen says how often, and from when to when, answers of one version came in.
type Seen struct {
	Answers     int64
	First, Last time.Time // when the first and the last of them was complete

	version string // one string for all answers that name it
}

// Lost describes a request that was lost.
type Lost struct {
	Time       time.Time // when it was sent, or should have been
	Connection int       // number of the connection, from 0
	Method     string
	Path       string
	Outcome    Outcome
	Error      string
}

// String returns the lost request on one line.
func (l Lost) String() string {
	return fmt.Sprintf("%s connection %d %s %s %s: %s",
		l.Time.Format("15:04:05.000"), l.Connection, l.Method, l.Path, l.Outcome, l.Error)
}

// printedLost is how many lost requests String describes.
const printedLost = 5

// String returns the report in a few lines for a person.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests in %s (%.0f/s): %d ok, %d lost; %d connects, %d idle closes\n",
		r.Requests, r.Duration.Round(time.Millisecond), float64(r.Requests)/max(r.Duration.Seconds(), 1e-9),
		r.OK, r.Lost, r.Connects, r.IdleCloses)
	fmt.Fprintf(&b, "latency p50 %s, p99 %s, p99.9 %s, max %s; longest gap %s\n",
		r.P50, r.P99, r.P999, r.Max, r.LongestGap.Round(time.Microsecond))
	for _, version := range slices.Sorted(maps.Keys(r.Versions)) {
		fmt.Fprintf(&b, "version %q: %d answers\n", version, r.Versions[version].Answers)
	}
	for outcome := OK + 1; outcome < outcomes; outcome++ {
		if n := r.Outcomes[outcome]; n > 0 {
			fmt.Fprintf(&b, "lost, %s: %d\n", outcome, n)
		}
	}
	for _, lost := range r.FirstLost[:min(len(r.FirstLost), printedLost)] {
		fmt.Fprintf(&b, "  %s\n", lost)
	}
	return b.String()
}

// report makes the Report of what has been recorded so far. It judges the answers after it has let go of the lock, so
// that a look at a long run does not hold up its load.
func (t *tally) report() Report {
	r, answers := t.snapshot()
	wrong := t.wrong(answers, &r)
	r.Outcomes[OK] -= wrong
	r.Outcomes[WrongRelease] += wrong
	for outcome, n := range r.Outcomes {
		if n == 0 {
			delete(r.Outcomes, outcome)
		}
		r.Requests += n
	}
	r.OK = r.Outcomes[OK]
	r.Lost = r.Requests - r.OK
	slices.SortFunc(r.FirstLost, func(a, b Lost) int { return a.Time.Compare(b.Time) })
	r.FirstLost = r.FirstLost[:min(len(r.FirstLost), keptLost)]
	return r
}

// snapshot copies what has been recorded, and returns with it the answers to judge.
func (t *tally) snapshot() (Report, []chunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := t.ended
	if end.IsZero() {
		end = time.Now()
	}
	percentile := func(p float64) time.Duration {
		return time.Duration(t.latency.ValueAtPercentile(p)) * time.Microsecond
	}
	r := Report{
		Outcomes: map[Outcome]int64{}, Versions: map[string]Seen{}, Profiles: maps.Clone(t.profiles),
		Connects: t.connects, IdleCloses: t.idleCloses, Unprocessed: t.resent,
		P50: percentile(50), P99: percentile(99), P999: percentile(99.9), Max: percentile(100),
		Duration: end.Sub(t.start), LongestGap: max(t.gap, end.Sub(t.lastOK)),
		FirstLost: slices.Clone(t.lost),
	}
	for outcome, n := range t.counts {
		r.Outcomes[Outcome(outcome)] = n
	}
	for version, seen := range t.versions {
		r.Versions[version] = *seen
	}
	return r, slices.Clone(t.answers)
}

// wrong counts the answers that the timeline does not allow, and describes the first of them in r.
func (t *tally) wrong(answers []chunk, r *Report) (count int64) {
	for _, chunk := range answers {
		for _, a := range chunk {
			sent := t.start.Add(a.sent)
			if t.timeline.Allows(a.version, sent, t.start.Add(a.done)) {
				continue
			}
			if count++; count <= keptLost {
				r.FirstLost = append(r.FirstLost, Lost{
					Time: sent, Connection: int(a.connection), Method: a.request.Method, Path: a.request.Path,
					Outcome: WrongRelease, Error: fmt.Sprintf("version %q answered %s later", a.version, a.done-a.sent),
				})
			}
		}
	}
	return count
}
