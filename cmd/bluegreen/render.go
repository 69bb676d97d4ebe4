package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"bluegreen/swap"
)

// renderer shows a run: its events as they come, then its result.
type renderer interface {
	event(swap.Event)
	result(swap.Result, swap.Request, error)
}

// renderer picks one: JSON when asked for, a live list on a terminal, plain lines elsewhere.
func (a *app) renderer(dryRun bool) renderer {
	p := &plain{app: a}
	f, ok := a.stderr.(*os.File)
	switch {
	case a.output == "json":
		return &jsonLines{w: a.stdout, stderr: a.voice(a.stderr), layers: layerLog{pause: layerPause}, quiet: a.quiet && !dryRun}
	case ok && !a.quiet && !a.verbose && drawsOn(f):
		return newLive(p, f, dryRun)
	}
	return p
}

// plain prints one line a step, without control characters.
type plain struct {
	app   *app
	steps int
	done  int
	said  time.Time // when a running step, or a pull, last said something
	plan  *swap.Plan

	pull   *pulling
	layers layerLog
}

// printf prints a line. What it tells may come from a registry, an app, anywhere: it must not steer the terminal.
func (p *plain) printf(format string, args ...any) {
	fmt.Fprintln(p.app.voice(p.app.stderr), printable(fmt.Sprintf(format, args...)))
}

func (p *plain) event(e swap.Event) {
	switch e.Kind {
	case swap.Planned:
		p.planned(e.Plan)
	case swap.StepStarted:
		p.said = e.Time
	case swap.StepDone:
		if !e.Undo {
			p.done++
		}
		if !p.app.quiet {
			p.printf("%s %s (%s)", p.place(e), e.Doing(), short(e.Duration))
		}
	case swap.StepFailed:
		if !e.Undo {
			p.done++
		}
		p.printf("%s %s: %s (%s)", p.place(e), howFailed(e), e.Doing(), short(e.Duration))
	case swap.Progress:
		p.progress(e)
	}
}

// howFailed tells a person's own interruption from a failure.
func howFailed(e swap.Event) string {
	if errors.Is(e.Err, context.Canceled) {
		return "INTERRUPTED"
	}
	return "FAILED"
}

// sayAgain is how often a step that takes long says what it is waiting for, where nobody asked for every try.
const sayAgain = 10 * time.Second

func (p *plain) progress(e swap.Event) {
	p.pull = p.pull.after(e)
	switch {
	case p.app.quiet || e.Detail && !p.app.verbose:
		return
	case e.Layer != nil && p.app.verbose:
		if p.layers.worth(e) {
			p.printf("      %s", layerText(*e.Layer))
		}
		return
	}
	often := e.Layer != nil || e.Step != nil && e.Step.Kind == swap.StepHealth
	if often && !p.app.verbose && e.Time.Sub(p.said) < sayAgain {
		return
	}
	p.said = e.Time
	if e.Output {
		p.printf("      %s | %s", e.Step.Name(), e.Text)
		return
	}
	text := e.Text
	if e.Layer != nil {
		text = p.pull.String()
	}
	p.printf("      %s", text)
}

// planned prints what will be done: the whole list for a dry run, the notes always.
func (p *plain) planned(plan *swap.Plan) {
	p.steps, p.done, p.plan = len(plan.Steps), 0, plan
	for _, n := range plan.Notes {
		p.printf("note: %s", n)
	}
}

func (p *plain) place(e swap.Event) string {
	if e.Step.Kind == swap.StepOnFailure {
		return "[hook]"
	}
	if e.Undo {
		return "[undo]"
	}
	return fmt.Sprintf("[%*d/%d]", len(fmt.Sprint(p.steps)), p.done, p.steps)
}

// layerText is one layer's state, for who asks for every one.
func layerText(l swap.Layer) string {
	if l.Total > 0 {
		return fmt.Sprintf("%s: %s, %s", l.ID, l.Status, size(l.Total))
	}
	return l.ID + ": " + l.Status
}

// result prints the end: to stdout what is true now, to stderr what failed and what to do.
func (p *plain) result(res swap.Result, r swap.Request, err error) {
	if err != nil {
		p.tail(err)
		printError(p.app.voice(p.app.stderr), res, r, err)
		return
	}
	if r.DryRun {
		printPlan(p.app.voice(p.app.stdout), res, *p.plan)
		return
	}
	fmt.Fprintln(p.app.voice(p.app.stdout), printable(summary(res, r)))
}

// tail prints what a hook that failed said last, where it was not shown.
func (p *plain) tail(err error) {
	var hook *swap.HookError
	if p.app.quiet && errors.As(err, &hook) {
		for _, line := range hook.Tail {
			p.printf("      | %s", line)
		}
	}
}

func printError(w io.Writer, res swap.Result, r swap.Request, err error) {
	fmt.Fprintln(w, "bluegreen: "+indent(printable(err.Error())))
	for _, l := range advice(res, r, err) {
		fmt.Fprintln(w, "  "+printable(l))
	}
}

// summary is the one line that a run which did what it should ends with.
func summary(res swap.Result, r swap.Request) string {
	took := short(res.Duration)
	live := fmt.Sprintf("release %d (%s) is live in %s%s", res.Release, res.Image, res.Live, opens(res.Opens))
	switch {
	case res.Outcome == swap.Unchanged && r.Command == swap.Deploy:
		return fmt.Sprintf("%s: nothing to do: %s", res.Service, res.Why)
	case res.Outcome == swap.Unchanged:
		return fmt.Sprintf("%s: %s", res.Service, res.Why)
	case res.Outcome == swap.Paused:
		return fmt.Sprintf("%s: paused: %s; next: bluegreen promote %s, or bluegreen abort %[3]s", res.Service, waitingText(res), res.Anywhere)
	case res.Outcome == swap.Swapped || res.Outcome == swap.RolledBack:
		return fmt.Sprintf("%s: %s, switched in %d ms, %s in all", res.Service, live, res.SwitchMS, took)
	case res.Outcome == swap.Done && r.Command == swap.Deploy:
		return fmt.Sprintf("%s: %s, in the same container, %s", res.Service, live, took)
	case r.Command == swap.Abort:
		return fmt.Sprintf("%s: release %d is taken away; live: %s, %s", res.Service, res.Started, liveText(res), took)
	case r.Command == swap.Down:
		return fmt.Sprintf("%s: removed, %s", res.Service, took)
	case r.Command == swap.Stop:
		return fmt.Sprintf("%s: %s is stopped, %s", res.Service, res.Idle, took)
	case r.Command == swap.Start:
		return fmt.Sprintf("%s: release %d waits in %s, %s", res.Service, res.Started, res.Idle, took)
	case r.Command == swap.Health:
		return fmt.Sprintf("%s: %s answers as itself, %s", res.Service, res.Idle, took)
	}
	return fmt.Sprintf("%s: %s, %s", res.Service, done(r.Command, res.Service), took)
}

// done is what a command did that neither swaps nor has to do with a profile.
func done(c swap.Command, service string) string {
	switch c {
	case swap.Reload:
		return "nginx is reloaded, and the release stays"
	case swap.MaintenanceOn:
		return "in maintenance, until `bluegreen maintenance off " + service + "`"
	case swap.MaintenanceOff:
		return "requests are passed on again"
	case swap.Recreate:
		return "nginx is made anew, and serves"
	}
	return "done"
}

// mostOpens is how many addresses stand in one line.
const mostOpens = 3

// opens is where a service can be opened, for the end of what is said of it.
func opens(list []string) string {
	switch n := len(list); {
	case n == 0:
		return ""
	case n > mostOpens:
		return fmt.Sprintf(" at %s and %d more", strings.Join(list[:mostOpens], ", "), n-mostOpens)
	}
	return " at " + strings.Join(list, ", ")
}

// liveText is what is live, as a person reads it.
func liveText(res swap.Result) string {
	if res.Live == "" {
		return "nothing yet"
	}
	return fmt.Sprintf("release %d (%s) in %s", res.Release, res.Image, res.Live)
}

// printable is a text that may have come from anywhere, fit for a terminal: what would steer it is spelled out.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// short is a duration as a person reads it.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// printPlan is what --dry-run shows on stdout.
func printPlan(w io.Writer, res swap.Result, p swap.Plan) {
	if p.Unchanged() {
		fmt.Fprintf(w, "%s: nothing to do: %s\n", res.Service, p.Why)
		return
	}
	fmt.Fprintf(w, "%s: live now: %s\n", res.Service, liveText(res))
	fmt.Fprintf(w, "%s would take %s:\n", p.Command, counted(len(p.Steps), "step"))
	for i, s := range p.Steps {
		fmt.Fprintf(w, "%3d. %-8s %s\n", i+1, s.Name(), s.Text)
		if s.Undo != "" {
			fmt.Fprintf(w, "              if it fails: %s\n", s.Undo)
		}
	}
}
