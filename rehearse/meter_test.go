package rehearse

import (
	"runtime"
	"testing"
	"time"

	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// clock is a run whose moments are milliseconds.
type clock struct {
	t     *testing.T
	start time.Time
	m     *meter
}

func newClock(t *testing.T) clock {
	c := clock{t: t, start: time.Unix(1_000_000, 0), m: newMeter(narrowestSlot)}
	c.m.begin(c.start)
	c.m.first(1, "real1")
	return c
}

func (c clock) at(ms int) time.Time { return c.start.Add(time.Duration(ms) * time.Millisecond) }

// answer is a good answer by a release to a request that was due then.
func (c clock) answer(due, done int, release string) {
	c.m.record(load.Exchange{
		Request: &load.Request{Method: "GET", Path: "/"}, Due: c.at(due), Sent: c.at(due), Done: c.at(done), Outcome: load.OK, Version: release,
	})
}

func (c clock) lose(due, done int, o load.Outcome) {
	c.m.record(load.Exchange{Request: &load.Request{Method: "POST", Path: "/x"}, Due: c.at(due), Sent: c.at(due), Done: c.at(done), Outcome: o})
}

// swap is a swap from one release to the next with all its moments.
func (c clock) swap(began, from, to int, profile string) {
	c.m.beginSwap(c.at(began), "image")
	c.m.planned(from, to, profile)
	c.m.retiring(c.at(began+10), profile)
	c.m.switching(c.at(began + 100))
}

func (c clock) run(end int) report.Run {
	var r report.Run
	c.m.fill(&r, c.at(end))
	return r
}

func (c clock) want(what string, got, want any) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func (c clock) outcome(r report.Run, o load.Outcome) int64 {
	for _, one := range r.Outcomes {
		if one.Name == o.String() {
			return one.Count
		}
	}
	return -1
}

func TestARequestCountsAsDuringASwapWhenItsTimeMeetsIt(t *testing.T) {
	c := newClock(t)
	c.answer(0, 5, "1") // before
	c.m.beginSwap(c.at(100), "image")
	c.m.planned(1, 2, "real2")
	c.answer(90, 110, "1") // due before it, answered in it
	c.m.switching(c.at(200))
	c.m.confirmed(c.at(300))
	c.answer(250, 260, "2")
	c.m.done(c.at(400), nil)
	c.answer(410, 420, "2") // the drain goes on
	c.m.seen(c.at(500), 2, 0)
	c.answer(490, 510, "2") // due in it, answered after it
	c.answer(520, 530, "2") // after
	r := c.run(1000)
	c.want("before", r.Phase(report.PhaseBefore).Requests, int64(1))
	c.want("during", r.Phase(report.PhaseDuring).Requests, int64(4))
	c.want("after", r.Phase(report.PhaseAfter).Requests, int64(1))
	c.want("outside", r.Phase(report.PhaseOutside).Requests, int64(2))
	c.want("all", r.Phase(report.PhaseAll).Requests, int64(6))
	c.want("drained", *r.Swaps[0].Drained, report.MS(500))
	c.want("confirmed", r.Swaps[0].Confirmed, report.MS(300))
}

func TestASwapIsNotOverBeforeItsDrain(t *testing.T) {
	c := newClock(t)
	c.swap(100, 1, 2, "real2")
	c.m.seen(c.at(250), 2, 0) // before the proof: these are the workers of the old generation
	c.m.confirmed(c.at(300))
	c.m.done(c.at(310), nil)
	c.m.seen(c.at(320), 2, 2)
	c.want("under way", c.m.current != nil, true)
	c.m.seen(c.at(350), 2, 0)
	c.want("under way", c.m.current != nil, false)
	c.want("drained", *c.run(400).Swaps[0].Drained, report.MS(350))
}

func TestAnAnswerOfARetiredReleaseIsLost(t *testing.T) {
	c := newClock(t)
	c.swap(100, 1, 2, "real2")
	c.answer(220, 225, "2")
	c.answer(221, 226, "1") // it drains
	c.m.done(c.at(300), nil)
	c.m.beginSwap(c.at(400), "image")
	c.m.planned(2, 3, "real1")
	c.answer(405, 409, "3") // not live yet
	c.m.retiring(c.at(410), "real1")
	c.answer(405, 420, "1") // sent before its end
	c.answer(411, 421, "1") // sent after it
	r := c.run(500)
	c.want("wrong release", c.outcome(r, load.WrongRelease), int64(2))
	c.want("ok", r.OK, int64(3))
	c.want("lost in swap 2", r.Swaps[1].Lost, int64(2))
	c.want("described", r.First[0].Error, "answered by release 3")
}

func TestLostRequestsAreCountedByOutcomeSwapAndTime(t *testing.T) {
	c := newClock(t)
	c.lose(10, 20, load.Reset)
	c.swap(100, 1, 2, "real2")
	c.lose(150, 160, load.Cut)
	c.m.done(c.at(300), nil)
	c.m.seen(c.at(350), 1, 0)
	r := c.run(400)
	c.want("requests", r.Requests, int64(2))
	c.want("lost", r.Lost, int64(2))
	c.want("reset", c.outcome(r, load.Reset), int64(1))
	c.want("cut", c.outcome(r, load.Cut), int64(1))
	c.want("in the swap", r.Swaps[0].Lost, int64(1))
	c.want("in slot 0", r.Series[0].Lost, int64(1))
	c.want("in slot 1", r.Series[1].Lost, int64(1))
	c.want("first", r.First[0], report.Lost{At: 10, Method: "POST", Path: "/x", Outcome: "reset"})
}

func TestGapsAreTimesWithoutAGoodAnswer(t *testing.T) {
	c := newClock(t)
	c.answer(0, 30, "1")
	c.lose(31, 60, load.Reset) // no good answer
	c.answer(0, 90, "1")       // 60 ms
	c.swap(100, 1, 2, "real2")
	c.answer(130, 140, "1") // 50 ms, 40 of them in the swap
	c.want("in the swap", c.m.swaps[0].gap, 40*time.Millisecond)
	c.m.done(c.at(150), nil)
	c.m.confirmed(c.at(150))
	c.m.seen(c.at(160), 1, 0)
	r := c.run(400) // and 260 ms at the end
	c.want("in the swap, and on from there", r.Swaps[0].Gap, report.MS(260))
	c.want("longest", r.LongestGap, report.MS(260))
	if slowest := r.Phase(report.PhaseAll).Max; slowest < 90 || slowest > 90.1 {
		t.Errorf("the longest took %v, want 90 ms, counted from when it was due", slowest)
	}
}

func TestSharesCountAnswersByTheMillisecond(t *testing.T) {
	c := newClock(t)
	c.swap(1000, 1, 2, "real2") // switches at 1100
	for _, a := range []struct {
		done    int
		release string
	}{{1090, "1"}, {1101, "1"}, {1101, "1"}, {1101, "2"}, {1103, "2"}} {
		c.answer(a.done-1, a.done, a.release)
	}
	c.m.confirmed(c.at(1110))
	c.m.done(c.at(1120), nil)
	s := c.run(2000).Swaps[0].Share
	c.want("from", s.From, -100)
	c.want("length", len(s.Old), 211) // to 100 ms after the confirm
	c.want("old at -10", s.Old[90], 1)
	c.want("old at 1", s.Old[101], 2)
	c.want("new at 1", s.New[101], 1)
	c.want("new at 3", s.New[103], 1)
	c.want("first new", *s.FirstNew, report.MS(1))
	c.want("last old", *s.LastOld, report.MS(1))
}

func TestASwapThatFailsIsOverAndSaysWhy(t *testing.T) {
	c := newClock(t)
	c.m.beginSwap(c.at(100), "image")
	c.m.planned(1, 2, "real2")
	c.m.done(c.at(200), errNotReady)
	c.want("under way", c.m.current != nil, false)
	r := c.run(300)
	c.want("error", r.Swaps[0].Error, "not ready")
	c.want("switched", r.Swaps[0].Switched, report.MS(0))
	c.want("from", r.Swaps[0].From, 1)
	c.want("to", r.Swaps[0].Profile, "real2")
	if r.Swaps[0].Share != nil {
		t.Error("a swap without a switch has a share of answers")
	}
}

func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	c := newClock(t)
	c.m.record(load.Exchange{Request: &load.Request{}, Due: c.at(0), Sent: c.at(70), Done: c.at(80), Outcome: load.OK, Version: "1"})
	if got := c.run(100).Phase(report.PhaseAll).Max; got < 80 || got > 80.1 {
		t.Errorf("it took %v, want 80 ms", got)
	}
}

func TestEachSlotHasItsOwnLatency(t *testing.T) {
	c := newClock(t)
	c.answer(0, 50, "1")
	c.answer(148, 150, "1")
	series := c.run(350).Series
	if len(series) < 2 || series[0].Max < 50 || series[1].Max < 2 || series[1].Max > 2.1 {
		t.Errorf("series %+v", series)
	}
}

// Slots are a few numbers each; everything else has a size of its own.
func TestTheMetersMemoryDoesNotGrowWithTheNumberOfRequests(t *testing.T) {
	grow := func(requests int) int64 {
		c := newClock(t)
		for i := range requests {
			c.answer(i%1000, i%1000+i%50, "1")
		}
		before := heap()
		for i := range requests * 9 {
			c.answer(i%1000, i%1000+i%50, "1")
		}
		after := heap()
		runtime.KeepAlive(c.m)
		return after - before
	}
	if grown := grow(50_000); grown > 200_000 {
		t.Errorf("450,000 requests more took %d bytes more", grown)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
