package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/swap"
)

// unbegun notes how a run ended that failed before it began, for those who want to be told.
func (a *app) unbegun(ctx context.Context, err error) error {
	if a.ended != nil || err == nil {
		return err
	}
	if err = cutShort(ctx, err); a.request.Service != nil {
		r := *a.request
		r.Actor = a.actor()
		a.ended = &ended{result: unbegunResult(r, err), request: r, err: err}
	}
	return err
}

// unbegunResult is the result of a run that failed before it began.
func unbegunResult(r swap.Request, err error) swap.Result {
	res := swap.Result{Outcome: swap.Failed}
	if r.Service != nil {
		res.Service = r.Service.Settings.Service
	}
	if swap.ExitCode(err) == swap.ExitInterrupted {
		res.Outcome = swap.Interrupted
	}
	return res
}

// cutShort says of a command that a signal or --timeout ended before it began, that it was so.
func cutShort(ctx context.Context, err error) error {
	if ctx != nil && ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return swap.CutShort(ctx, "before anything was begun")
	}
	return err
}

// showFailure says why a command failed that has not said so itself. One whose JSON ends with a result always has one, also
// when its command line is wrong.
func (a *app) showFailure(cmd *cobra.Command, args []string, err error) {
	stderr := a.voice(a.stderr)
	r := swap.Request{Command: swap.Command(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().CommandPath()+" "))}
	if a.request != nil {
		r.Service = a.request.Service
	}
	res := unbegunResult(r, err)
	if a.request != nil {
		printError(stderr, res, r, err)
	} else {
		fmt.Fprintln(stderr, "bluegreen: "+indent(printable(err.Error())))
	}
	if endsWithResult(cmd) && a.wantsJSON(args) {
		(&jsonLines{w: a.stdout}).print(resultObject(res, r, err))
	}
}

// endsWithResult says whether the JSON of a command is events, and a result as the last.
func endsWithResult(cmd *cobra.Command) bool {
	return cmd.Flags().Lookup(metricsFlag) != nil && cmd.Name() != "status" && cmd.Name() != "unlock"
}

// wantsJSON says whether JSON is asked for, also by a command line that cannot be parsed.
func (a *app) wantsJSON(args []string) bool {
	if a.running {
		return a.output == "json"
	}
	format := os.Getenv(variableOf("output"))
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.StringVarP(&format, "output", "o", format, "")
	f.Usage = func() {}
	_ = f.Parse(args)
	return format == "json"
}
