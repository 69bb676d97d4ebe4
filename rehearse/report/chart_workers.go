package report

import (
	"fmt"
	"html/template"
	"strings"
)

const (
	workersHeight = 128.0
	workersTop    = 8.0
	workersBottom = 98.0
	workersPoints = 400 // at most
)

// workersChart is nginx's workers over time, in steps: those that serve, and on top those that drain.
func workersChart(r Run) template.HTML {
	if len(r.Workers) == 0 {
		return ""
	}
	end, most := r.end(), 1
	for _, w := range r.Workers {
		most = max(most, w.Serving+w.Draining)
	}
	s := newSVG("workers", workersHeight, workersLabel(r))
	plot := [2]float64{workersTop, workersBottom}
	for _, n := range workerTicks(most) {
		y := workersBottom - (workersBottom-workersTop)*float64(n)/float64(most)
		s.horizontal("grid", y)
		s.text("tick end", "-6", y+4, fmt.Sprint(n))
	}
	s.timeAxis(workersBottom, end)
	points := r.workers(workersPoints)
	s.plot(plot, float64(end), float64(most))
	s.path("draining", workersPath(points, end, most, func(w Workers) int { return w.Serving + w.Draining }))
	s.path("serving", workersPath(points, end, most, func(w Workers) int { return w.Serving }))
	s.endPlot()
	for i, w := range points {
		to := end
		if i+1 < len(points) {
			to = points[i+1].At
		}
		s.box("hover", [2]string{percent(w.At, end), percent(to-w.At, end)}, plot, fmt.Sprintf("from %s: %d serving, %d draining", w.At, w.Serving, w.Draining))
	}
	return s.done()
}

func workerTicks(most int) []int {
	if most <= 4 {
		list := make([]int, most+1)
		for i := range list {
			list[i] = i
		}
		return list
	}
	return []int{0, most / 2, most}
}

func workersLabel(r Run) string {
	var draining, serving int
	for _, w := range r.Workers {
		draining, serving = max(draining, w.Draining), max(serving, w.Serving)
	}
	return fmt.Sprintf("nginx workers over %s: at most %d serving and %d draining.", r.end(), serving, draining)
}

// workersPath is the area below the figure.
func workersPath(points []Workers, end MS, most int, of func(Workers) int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%.0f %d", float64(points[0].At), most)
	for _, w := range points {
		fmt.Fprintf(&b, "H%.0fV%d", float64(w.At), most-of(w))
	}
	fmt.Fprintf(&b, "H%.0fV%dz", float64(end), most)
	return b.String()
}

// workers are the changes of the workers in at most n points; of those left out, the one with most draining is kept.
func (r Run) workers(n int) []Workers {
	var changes []Workers
	for _, w := range r.Workers {
		if k := len(changes); k > 0 && changes[k-1].Serving == w.Serving && changes[k-1].Draining == w.Draining {
			continue
		}
		changes = append(changes, w)
	}
	if len(changes) <= n {
		return changes
	}
	kept := make([]Workers, 0, n)
	for i := range n {
		part := changes[i*len(changes)/n : (i+1)*len(changes)/n]
		most := part[0]
		for _, w := range part {
			if w.Draining > most.Draining {
				most = w
			}
		}
		kept = append(kept, most)
	}
	return kept
}
