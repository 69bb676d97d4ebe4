package report

import (
	"fmt"
	"html/template"
	"strings"
)

const (
	latencyHeight = 270.0
	latencyTop    = 24.0  // of the plot, below the swaps' numbers
	latencyBottom = 236.0 // above the axis of time
	latencyCols   = 360   // at most: what a wide screen shows
	apart         = 1000  // moments nearer than this part of the time are drawn as one
	nameHeight    = 13.0  // of a line's name
	// swapNumbersPhone is up to how many swaps a phone shows with every number and moment.
	swapNumbersPhone = 8
	swapNumbers      = 24 // at most this many swaps have their number
)

// latencyChart is p50, p99 and max over time on a logarithmic axis, with each swap's switch, confirm and drain.
func latencyChart(r Run, scale logScale) template.HTML {
	cols, end := r.columns(latencyCols), r.end()
	if len(cols) == 0 {
		return ""
	}
	s := newSVG("latency", latencyHeight, latencyLabel(r))
	plot := [2]float64{latencyTop, latencyBottom}
	swapMarks(s, r, plot)
	for _, tick := range scale.ticks() {
		y := latencyBottom - scale.at(tick)*(latencyBottom-latencyTop)
		s.horizontal("grid", y)
		s.text("tick end", "-6", y+4, tick.axis())
	}
	s.timeAxis(latencyBottom, end)
	s.plot(plot, float64(end), latencyBottom-latencyTop)
	s.path("area", maxArea(cols, scale))
	for _, line := range latencyLines {
		s.path(line.Class, latencyPath(cols, scale, line.Of))
	}
	s.endPlot()
	lineNames(s, cols, scale)
	for _, c := range cols {
		said := fmt.Sprintf("%s to %s: %s, p50 %s, p99 %s, max %s", c.At, c.To, plural(c.Requests, "request"), c.P50, c.P99, c.Max)
		if c.Lost > 0 {
			said += ", " + count(c.Lost) + " lost"
			s.text("lost middle", percent((c.At+c.To)/2, end), latencyBottom-4, "×")
		}
		s.box("hover", [2]string{percent(c.At, end), percent(c.To-c.At, end)}, plot, said)
	}
	return s.done()
}

// latencyLines are drawn one over the other. Where few requests make p99 and max the same, the area below shows the max.
var latencyLines = []struct {
	Class string
	Of    func(column) MS
}{
	{"line max", func(c column) MS { return c.Max }},
	{"line p50", func(c column) MS { return c.P50 }},
	{"line p99", func(c column) MS { return c.P99 }},
}

// maxArea is everything below the highest latencies.
func maxArea(cols []column, scale logScale) string {
	var b strings.Builder
	for _, c := range cols {
		if c.Max > 0 {
			fmt.Fprintf(&b, "M%.0f %sH%.0fV%sH%.0[1]fz", float64(c.At), number((1-scale.at(c.Max))*(latencyBottom-latencyTop)), float64(c.To), number(latencyBottom-latencyTop))
		}
	}
	return b.String()
}

// lineNames writes each line's name at its end, above each other where they would meet.
func lineNames(s *svg, cols []column, scale logScale) {
	last := column{}
	for _, c := range cols {
		if c.Max > 0 {
			last = c
		}
	}
	below := latencyBottom + nameHeight
	for _, name := range []string{"p50", "p99", "max"} {
		for _, line := range latencyLines {
			if line.Class != "line "+name {
				continue
			}
			y := min(below-nameHeight, latencyBottom-scale.at(line.Of(last))*(latencyBottom-latencyTop))
			s.aside("name "+name, y+4, name)
			below = y
		}
	}
}

func latencyLabel(r Run) string {
	all := r.Phase(PhaseAll)
	return fmt.Sprintf("Latency over %s with %s: p50 %s, p99 %s, highest %s.", r.end(), plural(int64(len(r.Swaps)), "swap"), all.P50, all.P99, all.Max)
}

// latencyPath steps from column to column, and is broken where nothing was answered.
func latencyPath(cols []column, scale logScale, of func(column) MS) string {
	var b strings.Builder
	command := "M"
	for _, c := range cols {
		if c.Max <= 0 {
			command = "M"
			continue
		}
		y := number((1 - scale.at(of(c))) * (latencyBottom - latencyTop))
		fmt.Fprintf(&b, "%s%.0f %sL%.0f %s", command, float64(c.At), y, float64(c.To), y)
		command = "L"
	}
	return b.String()
}

// swapMarks draws each swap over the plot's height: how long it took, and its three moments.
func swapMarks(s *svg, r Run, plot [2]float64) {
	end := r.end()
	if len(r.Swaps) > maxDrawn {
		switchTicks(s, r, plot)
		return
	}
	every := len(r.Swaps)/(swapNumbers+1) + 1
	for i, w := range r.Swaps {
		s.box("swap", [2]string{percent(w.Began, end), percent(w.over()-w.Began, end)}, plot, "")
		if w.Switched <= 0 {
			continue
		}
		s.moments(r, w, plot, every > 1)
		if i%every == 0 {
			class := "tick middle strong"
			if len(r.Swaps) > swapNumbersPhone && i/every%3 > 0 {
				class += " roomy"
			}
			s.text(class, percent(w.Switched, end), plot[0]-8, fmt.Sprint(w.Number))
		}
	}
}

// moments draws a swap's switch, and its confirm and drain where they are far enough from it to be told apart.
func (s *svg) moments(r Run, w Swap, plot [2]float64, many bool) {
	end := r.end()
	class, wide := "mark ", ""
	if many {
		class = "mark many "
	}
	if len(r.Swaps) > swapNumbersPhone {
		wide = " roomy"
	}
	s.vertical(class+"switch", percent(w.Switched, end), plot, fmt.Sprintf("swap %d: switch began at %s, confirmed %s after, drained %s after", w.Number, w.Switched, told(w.ToConfirm()), told(w.ToDrain())))
	if d := w.ToConfirm(); d != nil && *d > end/apart {
		s.vertical(class+"confirm"+wide, percent(w.Confirmed, end), plot, fmt.Sprintf("swap %d: confirmed %s after the switch", w.Number, d))
	}
	if d := w.ToDrain(); d != nil && *d > end/apart {
		s.vertical(class+"drain"+wide, percent(*w.Drained, end), plot, fmt.Sprintf("swap %d: drained %s after the switch", w.Number, d))
	}
}

// switchTicks marks the switches alone, above the plot: so many swaps would cover it.
func switchTicks(s *svg, r Run, plot [2]float64) {
	var b strings.Builder
	for _, w := range r.Swaps {
		fmt.Fprintf(&b, "M%.0f 0V1", float64(w.Switched))
	}
	s.plot([2]float64{plot[0] - 8, plot[0]}, float64(r.end()), 1)
	s.path("mark switch", b.String())
	s.endPlot()
}
