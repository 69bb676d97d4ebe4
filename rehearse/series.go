package rehearse

import (
	"time"

	"bluegreen/rehearse/report"
)

// series is latency over time, a slot at a time: only the slot under way is a distribution, the earlier ones are a few
// numbers each.
type series struct {
	width time.Duration
	slots []report.Slot
	now   latency
	lost  int64
}

func newSeries(width time.Duration) series { return series{width: width, now: newLatency()} }

// add takes a good answer that was complete at a time since the start.
func (s *series) add(at, took time.Duration) {
	s.reach(at)
	s.now.add(took)
}

// lose takes a lost request.
func (s *series) lose(at time.Duration) {
	s.reach(at)
	s.lost++
}

// reach closes the slots before a time. One that comes a little late counts in the slot under way.
func (s *series) reach(at time.Duration) {
	for int(at/s.width) > len(s.slots) {
		s.close()
	}
}

func (s *series) close() {
	s.slots = append(s.slots, report.Slot{
		At: report.Millis(s.width * time.Duration(len(s.slots))), Requests: s.now.h.TotalCount() + s.lost, Lost: s.lost,
		P50: s.now.at(50), P99: s.now.at(99), Max: s.now.at(100),
	})
	s.now.h.Reset()
	s.lost = 0
}

// end closes the last slot and returns all.
func (s *series) end() []report.Slot {
	s.close()
	return s.slots
}
