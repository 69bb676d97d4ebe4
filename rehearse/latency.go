package rehearse

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"bluegreen/rehearse/report"
)

// Latencies are kept in microseconds with three significant figures; longer ones count as the longest.
const (
	longestLatency = 10 * time.Minute
	latencyFigures = 3
)

// latency is a distribution of times, of a fixed size however many are in it.
type latency struct{ h *hdrhistogram.Histogram }

func newLatency() latency {
	return latency{hdrhistogram.New(1, longestLatency.Microseconds(), latencyFigures)}
}

func (l latency) add(d time.Duration) {
	_ = l.h.RecordValue(max(0, min(d, longestLatency).Microseconds())) // always in range
}

func (l latency) at(percentile float64) report.MS {
	return report.Millis(time.Duration(l.h.ValueAtPercentile(percentile)) * time.Microsecond)
}

// of describes the distribution as that of a phase.
func (l latency) of(phase string) report.Latency {
	return report.Latency{
		Phase: phase, Requests: l.h.TotalCount(),
		P50: l.at(50), P90: l.at(90), P99: l.at(99), P999: l.at(99.9), P9999: l.at(99.99), Max: l.at(100),
	}
}
