package report

import "math"

// logScale places latencies between 0 (lo) and 1 (hi) by their logarithm.
type logScale struct{ lo, hi float64 }

// latencyScale holds all latencies of these runs, so that pictures of them can be compared. Its ends are 1, 2 or 5 times
// a power of ten.
func latencyScale(runs []Run) logScale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range runs {
		for _, s := range r.Series {
			if v := float64(s.P50); v > 0 {
				low = min(low, v)
			}
			high = max(high, float64(s.Max), float64(s.P99))
		}
	}
	if math.IsInf(low, 1) || high <= 0 {
		return logScale{1, 10}
	}
	s := logScale{roundDown(low), roundUp(high)}
	if s.hi < 10*s.lo {
		s.hi = 10 * s.lo
	}
	return s
}

func (s logScale) at(v MS) float64 {
	if v <= 0 {
		return 0
	}
	return min(1, max(0, math.Log(float64(v)/s.lo)/math.Log(s.hi/s.lo)))
}

// ticks are the powers of ten within, and the ends where they are none.
func (s logScale) ticks() []MS {
	var list []MS
	for v := math.Pow(10, math.Ceil(math.Log10(s.lo)-1e-9)); v <= s.hi*(1+1e-9); v *= 10 {
		list = append(list, MS(v))
	}
	return list
}

// steps are what an axis may count in, below the next power of ten.
var axisSteps = []float64{1, 2, 5, 10}

func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, s := range axisSteps {
		if v <= s*power*(1+1e-9) {
			return s * power
		}
	}
	return 10 * power
}

func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	down := power
	for _, s := range axisSteps {
		if s*power <= v*(1+1e-9) {
			down = s * power
		}
	}
	return down
}

// timeSteps are what an axis of time may count in, in milliseconds.
var timeSteps = []MS{50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000}

// timeTicks are round times from 0 to duration, at most n of them.
func timeTicks(duration MS, n int) []MS {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if duration/s < MS(n) {
			step = s
			break
		}
	}
	var list []MS
	for at := MS(0); at <= duration && len(list) <= n; at += step {
		list = append(list, at)
	}
	return list
}
