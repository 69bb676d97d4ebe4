package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluegreen/notify"
	"bluegreen/swap"
)

// ended is a run that is over: its result was printed, and its lock is free.
type ended struct {
	result  swap.Result
	request swap.Request
	err     error
}

// Bounds of what is done once a run is over. An interrupted command is to end soon: whoever interrupted it waits.
const (
	tellTime      = 30 * time.Second
	tellHurryTime = 4 * time.Second
)

// tellOthers writes the metrics and tells the webhooks how the command's run ended. Nothing of it changes how it ended: what
// fails is a warning. A Ctrl-C ends it at once; where one ended the run, the next one does.
func (a *app) tellOthers(ctx context.Context) {
	patience := tellTime
	if !a.deadline.IsZero() {
		patience = min(tellTime, max(tellHurryTime, time.Until(a.deadline)))
	}
	if ctx.Err() != nil {
		ctx, patience = context.WithoutCancel(ctx), tellHurryTime
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := a.writeMetrics(ctx); err != nil {
		a.warn(fmt.Sprintf("the metrics were not written to %s: %v", a.metricsPath, err))
	}
	if a.ended == nil || !a.ended.worthTelling() {
		return
	}
	for _, err := range notify.Send(ctx, a.ended.hooks(), a.ended.message()) {
		a.warn(err.Error())
	}
}

func (a *app) warn(text string) {
	fmt.Fprintln(a.voice(a.stderr), "bluegreen: warning: "+printable(text))
}

// worthTelling says whether the run did something, or was to do something and failed.
func (e *ended) worthTelling() bool {
	var declined *swap.DeclinedError
	var gone *swap.GoneError // the run that took it away tells of that
	switch code := swap.ExitCode(e.err); {
	case e.request.DryRun, e.result.Outcome == swap.Unchanged, errors.As(e.err, &declined), errors.As(e.err, &gone):
		return false
	default:
		return code != swap.ExitUsage && code != swap.ExitLocked
	}
}

// hooks are those that want to know of this outcome.
func (e *ended) hooks() (list []notify.Hook) {
	for _, n := range e.request.Service.Notify {
		if n.URL != "" && slices.Contains(n.On, string(e.result.Outcome)) {
			list = append(list, notify.Hook{URL: n.URL, Format: notify.Format(n.Format)})
		}
	}
	return list
}

// jsonNotification is the result as -o json prints it, with who asked for what, and a line for a person.
type jsonNotification struct {
	jsonResult
	Who   string `json:"who"`
	Where string `json:"where"`
	Text  string `json:"text"`
}

// How much of an error a notification has: in bytes, as a container's last lines may be long, and in characters of its text.
const (
	toldError = 4 << 10
	toldLine  = 1000
)

func (e *ended) message() notify.Message {
	actor := e.request.Actor
	text := fmt.Sprintf("%s (%s by %s on %s)", e.text(), e.request.Command, actor.Who, actor.Where)
	object := jsonNotification{
		jsonResult: resultObject(e.result, e.request, e.err), Who: actor.Who, Where: actor.Where, Text: notify.Harmless(text),
	}
	object.Error = clipped(object.Error, toldError)
	return notify.Message{Text: text, Object: object}
}

// text is how the run ended, in a line. Of an error it has the first line: those below it are a container's own.
func (e *ended) text() string {
	if e.err == nil {
		return printable(summary(e.result, e.request))
	}
	how := map[swap.Outcome]string{swap.Interrupted: "was interrupted", swap.RolledBack: "was switched back"}[e.result.Outcome]
	if how == "" {
		how = "FAILED"
	}
	why := strings.TrimSuffix(cut(e.err.Error(), toldLine), "; its last lines:") // those are below
	text := fmt.Sprintf("%s: %s %s: %s", e.result.Service, e.request.Command, how, why)
	if e.result.Seen {
		text += "; live: " + liveText(e.result)
	}
	return printable(text)
}

// clipped shortens a text to a number of bytes, without half a character at its end.
func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
