package report

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// cell is one place of a table.
type cell struct {
	text  string
	style string
}

// columnGap is how many spaces stand between the columns of a table, where they have the room.
const columnGap = 2

// table is a table's lines, the first column at the left and the others at the right. The first row is its heading. One
// that is too wide is drawn together, and its longest texts are cut.
func (t *text) table(rows [][]cell) []string {
	widths := t.widths(rows)
	gap := columnGap
	if total(widths, gap) > t.width {
		gap = 1
	}
	for total(widths, gap) > t.width {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		widths[widest]--
	}
	var lines []string
	for n, row := range rows {
		var parts []string
		for i, c := range row {
			if n == 0 && c.style == "" {
				c.style = faint
			}
			parts = append(parts, t.filled(c, widths[i], i > 0))
		}
		lines = append(lines, strings.TrimRight(strings.Join(parts, strings.Repeat(" ", gap)), " "))
	}
	return lines
}

func (t *text) widths(rows [][]cell) []int {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(t.say(c.text)))
		}
	}
	return widths
}

func total(widths []int, gap int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// filled is a cell's text, painted and exactly so wide.
func (t *text) filled(c cell, width int, right bool) string {
	s := []rune(t.say(c.text))
	if len(s) > width {
		s = append(s[:width-1], t.glyphs.cut)
	}
	pad := strings.Repeat(" ", width-len(s))
	if right {
		return pad + t.paint(c.style, string(s))
	}
	return t.paint(c.style, string(s)) + pad
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
