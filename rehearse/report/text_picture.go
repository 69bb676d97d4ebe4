package report

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

const (
	pictureRows = 8
	axisWidth   = 8 // of the labels at the left, the line included
)

// picture is latency over time: in each column the highest p99 as a bar and the highest latency above it, on a
// logarithmic axis; below it the swaps and what was lost.
func (t *text) picture(r Run, scale logScale, width int) []string {
	cols := r.columns(width - axisWidth)
	if len(cols) == 0 {
		return nil
	}
	labels := map[int]string{}
	for _, tick := range scale.ticks() {
		row := min(pictureRows-1, int(scale.at(tick)*pictureRows))
		labels[row] = tick.axis()
	}
	heading := fmt.Sprintf("latency: %s p99  %s max", t.paint(blue, t.glyphs.parts[len(t.glyphs.parts)-1]), t.paint(yellow, t.glyphs.top))
	lines := []string{heading}
	for row := pictureRows - 1; row >= 0; row-- {
		var b strings.Builder
		for _, c := range cols {
			b.WriteString(t.pictureCell(scale, c, row))
		}
		lines = append(lines, t.paint(faint, fmt.Sprintf("%*s %s", axisWidth-2, labels[row], t.glyphs.axis))+strings.TrimRight(b.String(), " "))
	}
	return append(lines, t.underPicture(r, cols)...)
}

func (t *text) pictureCell(scale logScale, c column, row int) string {
	if c.Max <= 0 {
		return " "
	}
	// The lowest latency still shows: a column with answers is not empty.
	high := max(scale.at(c.P99)*pictureRows, 1/float64(len(t.glyphs.parts))) - float64(row)
	switch {
	case high > 0:
		n := len(t.glyphs.parts)
		return t.paint(blue, t.glyphs.parts[min(n, max(1, int(math.Round(high*float64(n)))))-1])
	case scale.at(c.Max)*pictureRows > float64(row)+0.25:
		return t.paint(yellow, t.glyphs.top)
	}
	return " "
}

// underPicture is the axis of time with the swaps' marks, and a line for what was lost.
func (t *text) underPicture(r Run, cols []column) []string {
	end := r.end()
	marks, lost := blank(len(cols)), blank(len(cols))
	for _, s := range r.Swaps {
		if s.Switched > 0 {
			marks[min(len(cols)-1, int(float64(s.Switched/end)*float64(len(cols))))] = t.glyphs.swap
		}
	}
	any := false
	for i, c := range cols {
		if c.Lost > 0 {
			lost[i], any = t.glyphs.lost, true
		}
	}
	margin := strings.Repeat(" ", axisWidth)
	from, to := MS(0).axis(), end.axis()
	between := max(1, len(cols)-utf8.RuneCountInString(from+to))
	lines := []string{t.paint(faint, margin+from+strings.Repeat(" ", between)+to)}
	if any {
		lines = append([]string{fmt.Sprintf("%*s  %s", axisWidth-2, "lost", t.paint(red, strings.TrimRight(strings.Join(lost, ""), " ")))}, lines...)
	}
	if len(r.Swaps) > 0 {
		lines = append([]string{fmt.Sprintf("%*s  %s", axisWidth-2, "swap", strings.TrimRight(strings.Join(marks, ""), " "))}, lines...)
	}
	return lines
}

func blank(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = " "
	}
	return list
}

// axis is a round time, as an axis has it: "1 ms", "0.5 s", "20 s", "5 min".
func (m MS) axis() string {
	switch {
	case m == 0:
		return "0"
	case m >= 60_000:
		if math.Mod(float64(m), 60_000) == 0 {
			return fmt.Sprintf("%g min", float64(m)/60_000)
		}
		return fmt.Sprintf("%.0f s", float64(m)/1e3)
	case m >= 1000:
		return fmt.Sprintf("%.3g s", float64(m)/1e3)
	}
	return fmt.Sprintf("%.3g ms", float64(m))
}
