package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// minWidth is the narrowest text: what the tables need.
const minWidth = 60

// maxFailures is how many failures the text names; the page and the JSON have all.
const maxFailures = 6

// WriteText writes the report for a person at a terminal, width columns wide (at least 60). With color it is painted and
// the picture is made of Unicode blocks; without it is plain ASCII, with no control character but the line's end.
func (r Report) WriteText(w io.Writer, width int, color bool) error {
	t := &text{width: max(width, minWidth), color: color, glyphs: asciiGlyphs}
	if color {
		t.glyphs = blockGlyphs
	}
	t.verdict(r)
	t.what(r)
	if len(r.Runs) > 1 {
		t.compared(r)
	} else {
		for _, run := range r.Runs {
			t.figures(run)
			t.swaps(run)
			t.add("")
			t.add(t.picture(run, latencyScale(r.Runs), t.width)...)
		}
	}
	_, err := io.WriteString(w, strings.Join(t.lines, "\n")+"\n")
	return err
}

// text gathers lines.
type text struct {
	width  int
	color  bool
	glyphs glyphs
	lines  []string
}

// glyphs are what pictures are made of.
type glyphs struct {
	parts                []string // of a cell, from the smallest to the whole
	top, swap, lost, dot string
	none, times, axis    string
	cut                  rune // the end of a text that is too long
}

var (
	blockGlyphs = glyphs{parts: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, top: "░", swap: "▲", lost: "×", dot: "·", none: "–", times: "×", axis: "│", cut: '…'}
	asciiGlyphs = glyphs{parts: []string{"#"}, top: ":", swap: "^", lost: "x", dot: "-", none: "-", times: "x", axis: "|", cut: '~'}
)

// The styles, as ECMA-48 numbers them.
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	blue   = "34"
	yellow = "33"
)

func (t *text) add(lines ...string) { t.lines = append(t.lines, lines...) }

func (t *text) paint(style, s string) string {
	if !t.color || style == "" || strings.TrimSpace(s) == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// say is a text from outside or of ours as it may be shown: no control character, ASCII where that is asked for.
func (t *text) say(s string) string {
	s = clean(s)
	if t.color {
		return s
	}
	s = strings.NewReplacer("×", t.glyphs.times, "·", t.glyphs.dot, "–", t.glyphs.none).Replace(s)
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
	}
	return b.String()
}

// wrapped adds s in lines of the text's width, the first after lead, the others as far in.
func (t *text) wrapped(lead, style, s string) {
	indent := strings.Repeat(" ", utf8.RuneCountInString(lead))
	for i, line := range wrap(t.say(s), t.width-len(indent)) {
		if i > 0 {
			lead = indent
		}
		t.add(t.paint(style, lead+line))
	}
}

// wrap breaks s between words, and within a word that is longer than a line.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for utf8.RuneCountInString(word) > width {
			runes := []rune(word)
			lines, word = append(lines, string(runes[:width])), string(runes[width:])
		}
		line = word
	}
	return append(lines, line)
}

func (t *text) verdict(r Report) {
	if r.Verdict.Passed {
		t.wrapped("PASSED  ", bold+";"+green, r.Verdict.Text)
	} else {
		t.wrapped("FAILED  ", bold+";"+red, r.Verdict.Text)
	}
	for i, f := range r.Verdict.Failures {
		if i == maxFailures {
			t.add(fmt.Sprintf("  - and %d more", len(r.Verdict.Failures)-i))
			break
		}
		t.wrapped("  - ", "", f)
	}
}

func (t *text) what(r Report) {
	s := r.Setup
	nginx, engine := "", ""
	if s.Nginx != "" {
		nginx = "nginx " + s.Nginx
	}
	if s.Engine != "" {
		engine = "engine " + s.Engine
	}
	t.add("")
	sep := " · "
	t.wrapped("", faint, joined(sep, joined(" ", s.Service, strings.Join(s.Images, ", ")), nginx, engine, joined(" ", "bluegreen", s.Bluegreen), s.Machine))
	t.wrapped("", faint, joined(sep, r.Load.sentence(), strings.Join(r.Load.Requests, ", "), r.Load.further(), r.main().Duration.String()))
	for _, n := range s.Notes {
		t.wrapped("", faint, n)
	}
	t.add("")
}
