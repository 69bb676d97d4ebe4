package report

import (
	"fmt"
	"html/template"
	"slices"
)

const (
	barHeight     = 24.0 // of a swap, and of one where there are many
	barHeightMany = 15.0
	stepsMany     = 12
	stepsAxis     = 22.0
	stepColours   = 8 // then they begin again; each bar also has its number
)

// stepsChart is how long each step took: a bar a swap, on one scale for all runs.
func stepsChart(r Run, longest MS) template.HTML {
	names, swaps := stepNames(r.Swaps), r.drawn()
	if len(names) == 0 {
		return ""
	}
	row := barHeight
	if len(swaps) > stepsMany {
		row = barHeightMany
	}
	bottom := row * float64(len(swaps))
	s := newSVG("steps", bottom+stepsAxis, fmt.Sprintf("How long the steps of %s took, stacked in a bar each; the table below has the figures.", plural(int64(len(swaps)), "swap")))
	for i, w := range swaps {
		y, at := row*float64(i), MS(0)
		s.text("tick end strong", "-6", y+row/2+4, fmt.Sprint(w.Number))
		for _, step := range w.Steps {
			n := slices.Index(names, step.Name)
			s.box(fmt.Sprintf("step c%d", n%stepColours), [2]string{percent(at, longest), percent(step.MS, longest)}, [2]float64{y + 2, y + row - 2},
				fmt.Sprintf("swap %d, %s: %s", w.Number, step.Name, step.MS))
			if row == barHeight && step.MS > longest*4/100 {
				s.text("inbar middle", percent(at+step.MS/2, longest), y+row/2+4, fmt.Sprint(n+1))
			}
			at += step.MS
		}
	}
	s.timeAxis(bottom, longest)
	return s.done()
}

// longestSwap is the longest sum of steps of these runs.
func longestSwap(runs []Run) MS {
	longest := MS(1)
	for _, r := range runs {
		for _, w := range r.Swaps {
			sum := MS(0)
			for _, step := range w.Steps {
				sum += step.MS
			}
			longest = max(longest, sum)
		}
	}
	return longest
}
