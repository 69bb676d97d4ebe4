package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"bluegreen/swap"
)

// tick is how often the live list is drawn again while a step runs.
const tick = 100 * time.Millisecond

// live draws the plan's steps as a list that changes in place. Notes are printed above it, so that they
// stay. Only the lines of the list are drawn again, each cut to the terminal's width.
type live struct {
	plain  *plain
	out    *os.File
	color  bool
	dryRun bool

	mu    sync.Mutex
	rows  []row
	pull  *pulling // drawn below the list
	drawn int      // lines of the list on the screen
	quit  chan struct{}
	ended sync.WaitGroup
	frame int
}

type row struct {
	step   swap.Step
	mark   string // "", running, done, failed, undone
	detail string
	since  time.Time
	took   time.Duration
	undo   bool
}

func newLive(p *plain, out *os.File, dryRun bool) *live {
	l := &live{plain: p, out: out, dryRun: dryRun, color: os.Getenv("NO_COLOR") == "", quit: make(chan struct{})}
	l.ended.Go(func() {
		t := time.NewTicker(tick)
		defer t.Stop()
		for {
			select {
			case <-l.quit:
				return
			case <-t.C:
				l.mu.Lock()
				l.frame++
				l.draw()
				l.mu.Unlock()
			}
		}
	})
	return l
}

func (l *live) event(e swap.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pull = l.pull.after(e)
	switch {
	case e.Layer != nil || e.Detail:
		return // of layers there are many: they are drawn with the next tick
	case e.Kind == swap.Planned:
		l.plan(e.Plan)
	case e.Output:
		l.above(e.Step.Name() + " | " + e.Text)
	case e.Step != nil && l.row(e) != nil:
		l.row(e).apply(e)
	case e.Kind == swap.Progress && l.pull != nil && e.Pull != "":
		// begun: the line of its own says so
	case e.Kind == swap.Progress:
		l.above(e.Text)
	}
	l.draw()
}

// plan shows the plan's steps; a dry run prints them once, at the end.
func (l *live) plan(p *swap.Plan) {
	l.plain.plan = p
	for _, n := range p.Notes {
		l.above("note: " + n)
	}
	if l.dryRun {
		return
	}
	for _, s := range p.Steps {
		l.rows = append(l.rows, row{step: s})
	}
}

// row is the line of an event's step. Undoing has lines of its own, below the steps: what was done stays to be seen.
func (l *live) row(e swap.Event) *row {
	for i := range l.rows {
		if l.rows[i].step.Name() == e.Step.Name() && l.rows[i].undo == e.Undo {
			return &l.rows[i]
		}
	}
	if !e.Undo {
		return nil
	}
	l.rows = slices.DeleteFunc(l.rows, func(r row) bool { return r.mark == "" }) // these will not be reached any more
	l.rows = append(l.rows, row{step: *e.Step, undo: true})
	return &l.rows[len(l.rows)-1]
}

// apply changes a row by what happened to its step.
func (r *row) apply(e swap.Event) {
	switch e.Kind {
	case swap.StepStarted:
		r.mark, r.since, r.detail = "running", e.Time, ""
	case swap.StepDone:
		r.mark, r.took, r.detail = "done", e.Duration, ""
		if r.undo {
			r.mark = "undone"
		}
	case swap.StepFailed:
		r.mark, r.took, r.detail = strings.ToLower(howFailed(e)), e.Duration, ""
	case swap.Progress:
		r.detail = e.Text
	}
}

// above prints a line that stays, over the list.
func (l *live) above(text string) {
	l.erase()
	fmt.Fprintln(l.out, printable(l.plain.app.say(text)))
}

// erase takes the list off the screen, leaving the cursor where it began.
func (l *live) erase() {
	if l.drawn > 0 {
		fmt.Fprintf(l.out, "\x1b[%dA\r\x1b[J", l.drawn)
		l.drawn = 0
	}
}

// draw prints the list over what is drawn of it, in one write so that it does not flicker.
func (l *live) draw() {
	if len(l.rows) == 0 && l.pull == nil && l.drawn == 0 {
		return
	}
	width, _, err := term.GetSize(int(l.out.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", l.drawn)
	}
	for _, r := range l.rows {
		b.WriteString(l.paint(r, cut(r.text(), width-4)) + "\x1b[K\n")
	}
	l.drawn = len(l.rows)
	if p := l.pull; p != nil {
		text := fmt.Sprintf("%s  %s", p, short(time.Since(p.since).Round(tick)))
		b.WriteString(l.paint(row{mark: "running"}, cut(printable(text), width-4)) + "\x1b[K\n")
		l.drawn++
	}
	b.WriteString("\x1b[J")
	_, _ = l.out.WriteString(b.String())
}

func (r row) text() string {
	text := r.step.Text
	if r.undo {
		text = r.step.Undo
	}
	switch r.mark {
	case "running":
		text += fmt.Sprintf("  %s", short(time.Since(r.since).Round(tick)))
	case "done", "failed", "undone":
		text += "  " + short(r.took)
	}
	if r.detail != "" {
		text += "  " + r.detail
	}
	text, _, _ = strings.Cut(text, "\n")
	return printable(text)
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// paint puts the mark before a row's text, in color where that is wanted.
func (l *live) paint(r row, text string) string {
	mark, color := "·", "2"
	switch r.mark {
	case "running":
		mark, color = spinner[l.frame%len(spinner)], "36"
	case "done":
		mark, color = "✔", "32"
	case "failed":
		mark, color = "✘", "31"
	case "undone":
		mark, color = "↩", "33"
	}
	if !l.color {
		return " " + mark + " " + text
	}
	return fmt.Sprintf(" \x1b[%sm%s\x1b[0m %s", color, mark, text)
}

// cut shortens a text to a number of columns, on one line.
func cut(s string, width int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > width && width > 1 {
		return string(r[:width-1]) + "…"
	}
	return s
}

func (l *live) result(res swap.Result, r swap.Request, err error) {
	close(l.quit)
	l.ended.Wait()
	l.pull = nil // one that failed has no end of its own
	l.draw()
	l.plain.result(res, r, err)
}
