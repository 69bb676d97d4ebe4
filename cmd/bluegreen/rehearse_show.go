package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"bluegreen/rehearse"
	"bluegreen/rehearse/report"
)

// plainEvery is how often progress is a line of its own where nothing can be drawn over.
const plainEvery = 10 * time.Second

// narrow is the width of a report where none is known.
const narrow = 100

// rehearsalProgress shows how far a rehearsal has come: on a terminal one line that changes, elsewhere a line now and then.
type rehearsalProgress struct {
	w        io.Writer
	quiet    bool
	terminal int // its file descriptor; -1: none

	mu    sync.Mutex
	drawn bool
	said  time.Time
	phase string
}

func (a *app) progress() *rehearsalProgress {
	p := &rehearsalProgress{w: a.voice(a.stderr), quiet: a.quiet, terminal: -1}
	if f, ok := a.stderr.(*os.File); ok && drawsOn(f) {
		p.terminal = int(f.Fd())
	}
	return p
}

// note prints a line that stays.
func (p *rehearsalProgress) note(text string) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintln(p.w, "note: "+indent(printable(text)))
}

func (p *rehearsalProgress) progress(g rehearse.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.quiet:
	case p.terminal >= 0:
		width, _, err := term.GetSize(p.terminal)
		if err != nil || width <= 0 {
			width = 80
		}
		fmt.Fprintf(p.w, "\r%s\x1b[K", cut(progressLine(g), width-1))
		p.drawn = true
	case g.Phase != p.phase || time.Since(p.said) >= plainEvery:
		p.phase, p.said = g.Phase, time.Now()
		fmt.Fprintln(p.w, progressLine(g))
	}
}

func progressLine(g rehearse.Progress) string {
	text := g.Phase
	if g.Requests == 0 {
		return text
	}
	text += fmt.Sprintf(": %d requests, %.0f/s, %d lost", g.Requests, g.Rate, g.Lost)
	if g.Left > 0 {
		text += fmt.Sprintf(", %v left", g.Left.Round(time.Second))
	}
	if g.Step != "" {
		text += ": " + g.Step
	}
	return text
}

// end takes the line that changes off the screen.
func (p *rehearsalProgress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *rehearsalProgress) erase() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

// finishRehearsal shows the report, also of a rehearsal that did not come to its end, and fails when the verdict does.
func (a *app) finishRehearsal(h rehearsal, r report.Report, err error) error {
	if len(r.Runs) == 0 {
		return err
	}
	shown := a.showReport(h, r)
	switch {
	case err != nil || shown != nil:
		return errors.Join(err, shown)
	case !r.Verdict.Passed:
		return &rehearse.FailedError{Failures: r.Verdict.Failures}
	}
	return nil
}

// showReport prints the report, and writes the files that were asked for.
func (a *app) showReport(h rehearsal, r report.Report) error {
	err := errors.Join(h.page.write(r.WriteHTML), h.suite.write(r.WriteJUnit))
	if a.output == "json" {
		err = errors.Join(err, r.WriteJSON(a.stdout))
	} else if a.quiet {
		fmt.Fprintln(a.stdout, r.Verdict.Text)
	} else {
		width, color := a.page()
		err = errors.Join(err, r.WriteText(a.voice(a.stdout), width, color))
	}
	return err
}

// page is how wide stdout is, and whether it takes colors.
func (a *app) page() (width int, color bool) {
	f := a.terminal()
	if f == nil {
		return narrow, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = narrow
	}
	return width, os.Getenv("NO_COLOR") == "" && drawsOn(f)
}
