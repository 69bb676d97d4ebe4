package report

import "fmt"

// main is the run that the verdict is about.
func (r Report) main() Run {
	if len(r.Runs) == 0 {
		return Run{}
	}
	return r.Runs[0]
}

// Compared says in one sentence what the second run lost and how slow it was beside the first; "" when there is no second.
func (r Report) Compared() string {
	if len(r.Runs) < 2 {
		return ""
	}
	a, b := r.Runs[0], r.Runs[1]
	return fmt.Sprintf("%s lost %s of %s requests in %s, %s %s of %s in %s; the p99 during a swap was %s with %s and %s with %s, the longest gap %s and %s.",
		a.title(), count(a.Lost), count(a.Requests), plural(int64(len(a.Swaps)), "swap"),
		b.title(), count(b.Lost), count(b.Requests), plural(int64(len(b.Swaps)), "swap"),
		a.duringSwaps().P99, a.title(), b.duringSwaps().P99, b.title(), a.LongestGap, b.LongestGap)
}

// title is a run's name as sentences and headings have it.
func (r Run) title() string {
	switch r.Name {
	case RunRecipe:
		return "the recipe"
	case RunLoad:
		return "the load"
	}
	return r.Name
}

// duringSwaps is the latency during swaps; of everything when there was none.
func (r Run) duringSwaps() Latency {
	if l := r.Phase(PhaseDuring); l.Requests > 0 {
		return l
	}
	return r.Phase(PhaseAll)
}

// phases are those in which requests were sent, in order; "all" first.
func (r Run) phases() []Latency {
	var list []Latency
	for _, name := range []string{PhaseAll, PhaseBefore, PhaseDuring, PhaseAfter} {
		l := r.Phase(name)
		if l.Requests == 0 && name != PhaseAll {
			continue
		}
		list = append(list, l)
	}
	if len(list) == 2 { // one phase is everything: an observation's
		return list[:1]
	}
	return list
}

// occurred are the outcomes that occurred.
func (r Run) occurred() []Outcome {
	var list []Outcome
	for _, o := range r.Outcomes {
		if o.Count > 0 {
			list = append(list, o)
		}
	}
	return list
}

// figure is a number as it is shown, with its place in the JSON.
type figure struct {
	Key  string // "runs.0.lost"; "" when it is worked out from several
	Text string
}

// comparedFigure is one thing that runs are compared by.
type comparedFigure struct {
	Name  string
	Lost  bool // it counts losses
	Cells []figure
}

// comparedFigures are what runs are compared by, one cell for each run.
func comparedFigures(runs []Run) []comparedFigure {
	list := []comparedFigure{
		each(runs, "requests", func(at string, r Run) figure { return figure{at + "requests", count(r.Requests)} }),
		each(runs, "lost", func(at string, r Run) figure { return figure{at + "lost", count(r.Lost)} }),
	}
	list[1].Lost = true
	list = append(list, comparedOutcomes(runs)...)
	list = append(list, comparedLatency(runs)...)
	list = append(list, each(runs, "longest gap", func(at string, r Run) figure { return figure{at + "longest_gap_ms", r.LongestGap.String()} }))
	for _, f := range swapFigures {
		list = append(list, each(runs, "a swap's "+f.Name+", median", func(_ string, r Run) figure {
			if s := spreadOf(r.Swaps, f.Of); s != nil {
				return figure{"", s.Median.String()}
			}
			return figure{"", "–"}
		}))
	}
	return list
}

func each(runs []Run, name string, of func(at string, r Run) figure) comparedFigure {
	f := comparedFigure{Name: name}
	for i, r := range runs {
		f.Cells = append(f.Cells, of(fmt.Sprintf("runs.%d.", i), r))
	}
	return f
}

// comparedOutcomes are the ways of being lost that occurred in any of the runs.
func comparedOutcomes(runs []Run) []comparedFigure {
	var list []comparedFigure
	seen := map[string]bool{}
	for _, r := range runs {
		for _, o := range r.occurred() {
			if !o.Lost || seen[o.Name] {
				continue
			}
			seen[o.Name] = true
			f := each(runs, "lost: "+o.Name, func(at string, r Run) figure {
				for i, have := range r.Outcomes {
					if have.Name == o.Name {
						return figure{fmt.Sprintf("%soutcomes.%d.count", at, i), count(have.Count)}
					}
				}
				return figure{"", "0"}
			})
			f.Lost = true
			list = append(list, f)
		}
	}
	return list
}

// comparedLatency are p50, p99 and max outside of swaps and during them.
func comparedLatency(runs []Run) []comparedFigure {
	var list []comparedFigure
	for _, phase := range []string{PhaseOutside, PhaseDuring} {
		for _, p := range percentiles {
			if p.Name != "p50" && p.Name != "p99" && p.Name != "max" {
				continue
			}
			list = append(list, each(runs, p.Name+" "+phase, func(at string, r Run) figure {
				for i, l := range r.Latency {
					if l.Phase == phase && l.Requests > 0 {
						return figure{fmt.Sprintf("%slatency.%d.%s", at, i, p.Key), p.Of(l).String()}
					}
				}
				return figure{"", "–"}
			}))
		}
	}
	return list
}
