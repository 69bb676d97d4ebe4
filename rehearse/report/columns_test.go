package report

import (
	"slices"
	"testing"
)

func TestColumnsKeepTheHighestLatency(t *testing.T) {
	r := samples()["hour"].Runs[0]
	if len(r.Series) != 36_000 {
		t.Fatalf("%d slots", len(r.Series))
	}
	r.Series[12_345].Max, r.Series[20_001].P99, r.Series[30_000].Lost = 987, 654, 3
	cols := r.columns(latencyCols)
	if len(cols) != latencyCols {
		t.Fatalf("%d columns", len(cols))
	}
	var requests, lost int64
	for _, c := range cols {
		requests, lost = requests+c.Requests, lost+c.Lost
	}
	if requests != r.Requests || lost != 3 {
		t.Errorf("%d requests and %d lost in the columns, %d and 3 in the series", requests, lost, r.Requests)
	}
	for _, s := range []Slot{r.Series[12_345], r.Series[20_001]} {
		i := slices.IndexFunc(cols, func(c column) bool { return c.At <= s.At && s.At < c.To })
		if cols[i].Max < s.Max || cols[i].P99 < s.P99 {
			t.Errorf("the column at %v shows max %v and p99 %v, its slot had %v and %v", cols[i].At, cols[i].Max, cols[i].P99, s.Max, s.P99)
		}
	}
}

func TestColumnWithoutAnswersHasNoLatency(t *testing.T) {
	r := Run{Duration: 400, SlotMS: 100, Series: []Slot{
		{At: 0, Requests: 10, P50: 1, P99: 2, Max: 3}, {At: 100, Requests: 10, Lost: 10}, {At: 200, Requests: 10, Lost: 10}, {At: 300, Requests: 30, P50: 3, P99: 5, Max: 9},
	}}
	cols := r.columns(4)
	if cols[1].Max != 0 || cols[1].P50 != 0 || cols[1].Lost != 10 {
		t.Errorf("%+v", cols[1])
	}
	two := r.columns(2)
	if two[0].P50 != 1 || two[1].P50 != 3 || two[1].Max != 9 || two[0].Lost != 10 {
		t.Errorf("%+v", two)
	}
}

func TestScaleHoldsEveryLatency(t *testing.T) {
	for name, r := range samples() {
		s := latencyScale(r.Runs)
		for _, run := range r.Runs {
			for _, slot := range run.Series {
				if float64(slot.Max) > s.hi || float64(slot.P50) < s.lo {
					t.Fatalf("%s: %+v is outside of %+v", name, slot, s)
				}
			}
		}
		ticks := s.ticks()
		if len(ticks) == 0 || s.at(MS(s.lo)) != 0 || s.at(MS(s.hi)) != 1 {
			t.Errorf("%s: %+v has ticks %v", name, s, ticks)
		}
	}
	if s := latencyScale(nil); s != (logScale{1, 10}) {
		t.Errorf("without latencies: %+v", s)
	}
}

func TestWorkersKeepTheMostDraining(t *testing.T) {
	var r Run
	for i := range 5000 {
		r.Workers = append(r.Workers, Workers{MS(i), 2, i % 2})
	}
	r.Workers[3333].Draining = 7
	points := r.workers(workersPoints)
	if len(points) != workersPoints || !slices.ContainsFunc(points, func(w Workers) bool { return w.Draining == 7 }) {
		t.Errorf("%d points, without the highest", len(points))
	}
}

func TestSwapsThatLostSomethingAreDrawnFirst(t *testing.T) {
	var r Run
	for i := range 1000 {
		r.Swaps = append(r.Swaps, Swap{Number: i + 1})
	}
	r.Swaps[700].Lost, r.Swaps[800].Error = 1, "no"
	list := r.drawn()
	if len(list) != maxDrawn || list[97].Number != 98 || list[98].Number != 701 || list[99].Number != 801 {
		t.Errorf("%d swaps, the last %+v", len(list), list[97:])
	}
}

func TestSharePathsCoverEachAnswer(t *testing.T) {
	old, young := sharePaths([]shareBar{{2, 0}, {1, 0}, {1, 1}, {3, 3}, {0, 0}, {0, 2}})
	if old != "M0 0h2V100h-2zM2 0h2V50h-2z" || young != "M2 50h2V100h-2zM5 0h1V100h-1z" {
		t.Errorf("old %s, new %s", old, young)
	}
	bars, width := shareBarsOf(Share{Old: make([]int, 1200), New: make([]int, 1201)})
	if len(bars) != 401 || width != 3 {
		t.Errorf("%d bars of %d ms", len(bars), width)
	}
}

func TestStepsOfAllSwapsStandInTheirOrder(t *testing.T) {
	swap := func(names ...string) (s Swap) {
		for _, n := range names {
			s.Steps = append(s.Steps, Step{Name: n})
		}
		return s
	}
	got := stepNames([]Swap{swap("drain", "create", "switch"), swap("drain", "retire", "create", "switch", "finish"), swap("watch", "drain")})
	if want := []string{"watch", "drain", "retire", "create", "switch", "finish"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
