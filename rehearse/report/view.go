package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// view is what the template shows: our own texts and charts, and the report.
type view struct {
	Report   Report
	Style    template.CSS
	When     string
	Tiles    []tile
	Sentence string // what a comparison says
	Compared []comparedFigure
	Sides    []side
	Facts    []fact
	JSON     template.JS
	Without  string // what the page's JSON is without
}

// side is a run: the page shows them next to each other.
type side struct {
	At      string // "runs.0"
	Run     Run
	Name    string
	Phases  []phase
	Rows    []latencyRow
	Latency template.HTML
	Shares  []shareView
	Swaps   []swapView
	Hidden  int // swaps that are not shown one by one
	Steps   template.HTML
	Names   []stepView
	Workers template.HTML
}

type phase struct {
	Latency Latency
	Key     string
}

type latencyRow struct {
	Name    string
	Figures []figure
}

// swapView is a swap, with its place in the JSON.
type swapView struct {
	Swap
	Key string
}

type shareView struct {
	Swap     Swap
	Chart    template.HTML
	Sentence string
}

type stepView struct {
	Number int
	Colour int
	Name   string
	Spread *spread
}

// stepRow is a swap's times, a cell for each name.
type stepRow struct {
	Number int
	Cells  []string
}

func newView(r Report) (view, error) {
	text, without, err := embedded(r)
	if err != nil {
		return view{}, err
	}
	p := view{
		Report: r, Style: template.CSS(pageStyle), When: day(r.Began), Tiles: tiles(r), Sentence: r.Compared(), Facts: r.facts(),
		JSON: text, Without: strings.Join(without, ", "),
	}
	if len(r.Runs) > 1 {
		p.Compared = comparedFigures(r.Runs)
	}
	scale, longest := latencyScale(r.Runs), longestSwap(r.Runs)
	for i, run := range r.Runs {
		s := side{
			At: fmt.Sprintf("runs.%d", i), Run: run, Name: run.title(), Latency: latencyChart(run, scale), Workers: workersChart(run),
			Steps: stepsChart(run, longest), Names: stepViews(run),
		}
		s.latency()
		s.swaps()
		p.Sides = append(p.Sides, s)
	}
	return p, nil
}

// Many says that runs are compared.
func (p view) Many() bool { return len(p.Sides) > 1 }

// Has says whether any run has what the named section shows.
func (p view) Has(section string) bool {
	for _, s := range p.Sides {
		switch section {
		case "swaps":
			if len(s.Run.Swaps) > 0 {
				return true
			}
		case "shares":
			if len(s.Shares) > 0 {
				return true
			}
		case "steps":
			if s.Steps != "" {
				return true
			}
		case "workers":
			if s.Workers != "" {
				return true
			}
		case "lost":
			if len(s.Run.First) > 0 {
				return true
			}
		}
	}
	return false
}

// latency fills the table of percentiles, with each figure's place in the JSON.
func (s *side) latency() {
	for _, l := range s.Run.phases() {
		for i, have := range s.Run.Latency {
			if have.Phase == l.Phase {
				s.Phases = append(s.Phases, phase{l, fmt.Sprintf("%s.latency.%d", s.At, i)})
			}
		}
	}
	for _, p := range percentiles {
		row := latencyRow{Name: p.Name}
		for _, of := range s.Phases {
			row.Figures = append(row.Figures, figure{of.Key + "." + p.Key, p.Of(of.Latency).String()})
		}
		s.Rows = append(s.Rows, row)
	}
}

func (s *side) swaps() {
	list := s.Run.drawn()
	s.Hidden = len(s.Run.Swaps) - len(list)
	for _, w := range list {
		at := slices.IndexFunc(s.Run.Swaps, func(have Swap) bool { return have.Number == w.Number })
		s.Swaps = append(s.Swaps, swapView{w, fmt.Sprintf("%s.swaps.%d", s.At, at)})
		if w.Share != nil {
			s.Shares = append(s.Shares, shareView{w, shareChart(w), shareSentence(*w.Share)})
		}
	}
}

func stepViews(r Run) []stepView {
	var list []stepView
	for i, name := range stepNames(r.Swaps) {
		of := func(w Swap) *MS { return w.step(name) }
		list = append(list, stepView{Number: i + 1, Colour: i % stepColours, Name: name, Spread: spreadOf(r.Swaps, of)})
	}
	return list
}

// StepRows are the steps' times of the swaps that are shown.
func (s side) StepRows() []stepRow {
	var list []stepRow
	for _, w := range s.Swaps {
		row := stepRow{Number: w.Number}
		for _, v := range s.Names {
			row.Cells = append(row.Cells, told(w.step(v.Name)))
		}
		list = append(list, row)
	}
	return list
}

// sum is one figure of each kind for all swaps.
type sum struct {
	Name  string
	Lost  string
	Cells []string
}

// Sums are the median and the worst of the swaps' figures, where there are several.
func (s side) Sums() []sum {
	if len(s.Run.Swaps) < 2 {
		return nil
	}
	median, worst := sum{Name: "median"}, sum{Name: "worst"}
	for _, f := range swapFigures {
		of := spreadOf(s.Run.Swaps, f.Of)
		if of == nil {
			median.Cells, worst.Cells = append(median.Cells, told(nil)), append(worst.Cells, told(nil))
			continue
		}
		median.Cells, worst.Cells = append(median.Cells, of.Median.String()), append(worst.Cells, of.Worst.String())
	}
	lost := int64(0)
	for _, w := range s.Run.Swaps {
		lost = max(lost, w.Lost)
	}
	worst.Lost = count(lost)
	return []sum{median, worst}
}

// Rate, Cores and Memory are what measuring took, as a person reads it.
func (s side) Rate() string   { return rate(s.Run.Rate) }
func (s side) Cores() string  { return fmt.Sprintf("%.2f cores", s.Run.Client.Cores) }
func (s side) Memory() string { return bytesOf(s.Run.Client.PeakMemory) }

// Releases are the first releases, as many as swaps are shown.
func (s side) Releases() []ReleaseCount { return s.Run.Releases[:min(len(s.Run.Releases), maxDrawn)] }

// Named says whether the answers named their release.
func (s side) Named() bool {
	for _, r := range s.Run.Releases {
		if r.Release != "" {
			return true
		}
	}
	return false
}
