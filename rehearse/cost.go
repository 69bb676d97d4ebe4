package rehearse

import (
	"time"

	"bluegreen/rehearse/report"
)

// cost is what the process has used so far.
type cost struct {
	cpu  time.Duration
	peak int64 // bytes of memory
}

// since writes what was used between two moments.
func (c cost) since(before cost, took time.Duration, to *report.Client) {
	to.CPUSeconds = (c.cpu - before.cpu).Seconds()
	to.Cores = to.CPUSeconds / max(took.Seconds(), 1e-9)
	to.PeakMemory = c.peak
}
