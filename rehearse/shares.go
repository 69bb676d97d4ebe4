package rehearse

import (
	"time"

	"bluegreen/rehearse/report"
)

// shareSpan is how far back it is known, by the millisecond, which release gave how many answers; a switch takes at most
// ten seconds.
const shareSpan = 16 << 10 // milliseconds

// What of it a report shows of each swap, around the time in which both releases answered.
const (
	shareBefore  = 100 * time.Millisecond
	shareAfter   = 100 * time.Millisecond
	shareLongest = 3 * time.Second
)

// shares counts the answers of the last milliseconds by release. In one millisecond hardly more than two releases
// answer: of a third, nothing is kept.
type shares struct{ cells [shareSpan]cell }

type cell struct {
	ms    int64
	parts [2]part
}

type part struct{ release, answers int32 }

func (s *shares) add(at time.Duration, release int) {
	ms := at.Milliseconds()
	if ms < 0 {
		return
	}
	c := &s.cells[ms%shareSpan]
	if c.ms != ms {
		*c = cell{ms: ms}
	}
	for i := range c.parts {
		if p := &c.parts[i]; p.answers == 0 || p.release == int32(release) {
			p.release = int32(release)
			p.answers++
			return
		}
	}
}

// of is how many answers a release gave in a millisecond.
func (s *shares) of(ms int64, release int) int {
	c := s.cells[((ms%shareSpan)+shareSpan)%shareSpan]
	if c.ms != ms {
		return 0
	}
	for _, p := range c.parts {
		if p.release == int32(release) {
			return int(p.answers)
		}
	}
	return 0
}

// between copies the answers of two releases from a time to another, both since the start; zero is the time from which
// the report counts.
func (s *shares) between(from, to, zero time.Duration, releases [2]int) *report.Share {
	first := from.Milliseconds()
	share := &report.Share{From: int(first - zero.Milliseconds())}
	for ms := first; ms <= to.Milliseconds(); ms++ {
		share.Old = append(share.Old, s.of(ms, releases[0]))
		share.New = append(share.New, s.of(ms, releases[1]))
	}
	return share
}
