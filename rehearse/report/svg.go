package report

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// svg builds a chart whose height is in pixels and whose width is the page's: what has a place in time is placed in
// percent, so that text keeps its size on a phone. Only text passes through it unescaped by its caller, and it escapes that.
type svg struct {
	b      strings.Builder
	height float64
}

// newSVG begins a chart. label says to who cannot see it what it shows; class is our own.
func newSVG(class string, height float64, label string) *svg {
	s := &svg{height: height}
	fmt.Fprintf(&s.b, `<svg class="chart %s" height="%s" role="img" aria-label="%s">`, class, number(height), escape(label))
	return s
}

func (s *svg) done() template.HTML {
	s.b.WriteString("</svg>")
	return template.HTML(s.b.String())
}

// number is a coordinate with at most two decimals.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

// percent is where a is on the way to b.
func percent(a, b MS) string {
	return fmt.Sprintf("%s%%", strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", 100*float64(a/b)), "0"), "."))
}

func escape(s string) string { return html.EscapeString(clean(s)) }

func (s *svg) horizontal(class string, y float64) {
	fmt.Fprintf(&s.b, `<line class="%s" x1="0" x2="100%%" y1="%s" y2="%[2]s"/>`, class, number(y))
}

// vertical is a line from y1 down to y2; said is shown where it is pointed at.
func (s *svg) vertical(class, x string, y [2]float64, said string) {
	fmt.Fprintf(&s.b, `<line class="%s" x1="%s" x2="%[2]s" y1="%s" y2="%s">%s</line>`, class, x, number(y[0]), number(y[1]), title(said))
}

func (s *svg) text(class, x string, y float64, text string) {
	fmt.Fprintf(&s.b, `<text class="%s" x="%s" y="%s">%s</text>`, class, x, number(y), escape(text))
}

// aside is a text at the right, beside the chart.
func (s *svg) aside(class string, y float64, text string) {
	fmt.Fprintf(&s.b, `<text class="%s" x="100%%" dx="6" y="%s">%s</text>`, class, number(y), escape(text))
}

// box is a rectangle from y1 down to y2.
func (s *svg) box(class string, x [2]string, y [2]float64, said string) {
	fmt.Fprintf(&s.b, `<rect class="%s" x="%s" width="%s" y="%s" height="%s">%s</rect>`, class, x[0], x[1], number(y[0]), number(y[1]-y[0]), title(said))
}

func title(said string) string {
	if said == "" {
		return ""
	}
	return "<title>" + escape(said) + "</title>"
}

// plot begins a part from y1 down to y2 in which paths are drawn in units: width by height, stretched to fit.
func (s *svg) plot(y [2]float64, width, height float64) {
	fmt.Fprintf(&s.b, `<svg class="plot" x="0" y="%s" width="100%%" height="%s" viewBox="0 0 %s %s" preserveAspectRatio="none">`, number(y[0]), number(y[1]-y[0]), number(width), number(height))
}

func (s *svg) endPlot() { s.b.WriteString("</svg>") }

func (s *svg) path(class, d string) {
	if d != "" {
		fmt.Fprintf(&s.b, `<path class="%s" d="%s"/>`, class, d)
	}
}

// timeAxis writes round times below y.
func (s *svg) timeAxis(y float64, end MS) {
	for i, at := range timeTicks(end, 9) {
		class := "tick middle"
		switch {
		case i == 0:
			class = "tick"
		case i%2 == 1:
			class += " roomy"
		}
		if at > end*95/100 {
			class = strings.Replace(class, "middle", "end", 1)
		}
		s.text(class, percent(at, end), y+15, at.axis())
		s.vertical("grid", percent(at, end), [2]float64{y, y + 4}, "")
	}
}
