package report

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// columnGap stands between the columns of a table.
const columnGap = "  "

// cell is one place of a table.
type cell struct {
	text  string
	style string
}

// table is a table's lines, the first column at the left and the others at the right. The first row is its heading.
func (t *text) table(rows [][]cell) []string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(t.say(c.text)))
		}
	}
	var lines []string
	for n, row := range rows {
		var parts []string
		for i, c := range row {
			s := t.say(c.text)
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s))
			if n == 0 && c.style == "" {
				c.style = faint
			}
			if s = t.paint(c.style, s); i == 0 {
				s += pad
			} else {
				s = pad + s
			}
			parts = append(parts, s)
		}
		lines = append(lines, strings.TrimRight(strings.Join(parts, columnGap), " "))
	}
	return lines
}

// beside is two blocks next to each other, if they fit; else one below the other.
func (t *text) beside(left, right []string, gap int) []string {
	width := 0
	for _, l := range left {
		width = max(width, visible(l))
	}
	total := 0
	for _, l := range right {
		total = max(total, width+gap+visible(l))
	}
	if total > t.width {
		return slices.Concat(left, []string{""}, right)
	}
	var lines []string
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		if r != "" {
			l += strings.Repeat(" ", width+gap-visible(l))
		}
		lines = append(lines, l+r)
	}
	return lines
}

// visible is how many columns s takes, what paints it not counted.
func visible(s string) int {
	n := 0
	painting := false
	for _, r := range s {
		switch {
		case r == '\x1b':
			painting = true
		case painting:
			painting = r != 'm'
		default:
			n++
		}
	}
	return n
}
