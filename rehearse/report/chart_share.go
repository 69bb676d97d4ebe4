package report

import (
	"fmt"
	"html/template"
	"strings"
)

const (
	shareHeight = 92.0
	shareTop    = 18.0
	shareBottom = 72.0
	shareRoom   = 0.24 // of the width, that the first number needs beside the zero
	shareBars   = 500  // at most; more milliseconds are added up
)

// shareChart is the share of answers by release, a bar a millisecond: the new release's from below, the old one's from
// above, nothing where nobody was answered.
func shareChart(w Swap) template.HTML {
	if w.Share == nil || len(w.Share.Old) == 0 {
		return ""
	}
	bars, width := shareBarsOf(*w.Share)
	length := MS(len(bars) * width)
	s := newSVG("share", shareHeight, shareLabel(w))
	plot := [2]float64{shareTop, shareBottom}
	old, young := sharePaths(bars)
	s.plot(plot, float64(len(bars)), 100)
	s.path("old", old)
	s.path("new", young)
	s.endPlot()
	place := func(at MS) string { return percent(at-MS(w.Share.From), length) }
	within := func(at MS) bool { return at >= MS(w.Share.From) && at <= MS(w.Share.From)+length }
	if within(0) {
		s.vertical("halo", place(0), plot, "")
		s.vertical("mark switch", place(0), [2]float64{shareTop - 3, shareBottom + 3}, "switch began")
		s.text("tick middle", place(0), shareBottom+16, "0")
	}
	if d := w.ToConfirm(); d != nil && within(*d) {
		s.vertical("halo", place(*d), plot, "")
		s.vertical("mark confirm", place(*d), [2]float64{shareTop - 3, shareBottom + 3}, "confirmed after "+d.String())
	}
	if zero := -MS(w.Share.From) / length; zero < 0 || zero > shareRoom {
		s.text("tick roomy", "0", shareBottom+16, fmt.Sprintf("%d ms", w.Share.From))
	}
	s.text("tick end", "100%", shareBottom+16, fmt.Sprintf("%d ms", w.Share.From+int(length)))
	s.text("tick", "0", shareTop-6, fmt.Sprintf("release %d", w.From))
	s.text("tick end", "100%", shareTop-6, fmt.Sprintf("release %d", w.Release))
	return s.done()
}

// sharePaths are the bars of the old release and of the new one; bars of one height next to each other are one.
func sharePaths(bars []shareBar) (string, string) {
	var old, young strings.Builder
	for i := 0; i < len(bars); {
		b, n := bars[i], 1
		for i+n < len(bars) && bars[i+n].alike(b) {
			n++
		}
		edge := 100 * float64(b.old) / float64(max(1, b.old+b.young))
		if b.old > 0 {
			fmt.Fprintf(&old, "M%d 0h%dV%sh-%[2]dz", i, n, number(edge))
		}
		if b.young > 0 {
			fmt.Fprintf(&young, "M%d %sh%dV100h-%[3]dz", i, number(edge), n)
		}
		i += n
	}
	return old.String(), young.String()
}

type shareBar struct{ old, young int }

// alike says whether both have the same share, or both have no answer.
func (b shareBar) alike(c shareBar) bool {
	return b.old*c.young == c.old*b.young && (b.old > 0) == (c.old > 0) && (b.young > 0) == (c.young > 0)
}

// shareBarsOf adds milliseconds up until the bars are few enough, and says how many are in a bar.
func shareBarsOf(s Share) ([]shareBar, int) {
	length := max(len(s.Old), len(s.New))
	width := (length + shareBars - 1) / shareBars
	bars := make([]shareBar, (length+width-1)/width)
	for i, n := range s.Old {
		bars[i/width].old += n
	}
	for i, n := range s.New {
		bars[i/width].young += n
	}
	return bars, width
}

func shareLabel(w Swap) string {
	return fmt.Sprintf("Share of answers by release around swap %d, from release %d to %d: %s.", w.Number, w.From, w.Release, shareSentence(*w.Share))
}

// shareSentence says when the new release gave its first answer, and the old one its last.
func shareSentence(s Share) string {
	return fmt.Sprintf("new from %s, old until %s", told(s.FirstNew), told(s.LastOld))
}
