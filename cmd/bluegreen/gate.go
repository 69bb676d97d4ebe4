package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/config"
	"bluegreen/swap"
)

func noHooksFlag(f *pflag.FlagSet, noHooks *bool) {
	f.BoolVar(noHooks, "no-hooks", false, "run none of x-bluegreen.hooks")
}

func (a *app) promoteCommand() *cobra.Command {
	var wait time.Duration
	var noHooks bool
	cmd := &cobra.Command{
		Use: "promote [SERVICE]", Short: "Make the release live that a paused deploy left waiting", GroupID: "main", Args: oneService,
		Long: `Goes on where deploy --pause stopped: asks the waiting release once more whether it is healthy, runs the hooks of the
switch, and swaps. It comes with the configuration of that deploy, so any machine that reaches the host can promote it,
without a compose file; hooks stand in that file, and a release that has some is promoted where it is, or with --no-hooks.
Where nothing waits there is nothing to do, and that is success: a job that is tried again never flips back.`,
		Example: `  bluegreen deploy --image shop:v43 --pause
  bluegreen promote                    # or: bluegreen abort`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runFound(cmd.Context(), first(args), swap.Request{Command: swap.Promote, Wait: wait, NoHooks: noHooks})
		},
	}
	waitFlag(cmd, &wait)
	noHooksFlag(cmd.Flags(), &noHooks)
	return cmd
}

func (a *app) abortCommand() *cobra.Command {
	return a.simple(&cobra.Command{
		Use: "abort [SERVICE]", Short: "Take the release away that a paused deploy left waiting", GroupID: "main",
		Long: `Stops and removes the release that waits in the idle profile, and brings the one back that it had replaced: that is a
rollback away again. The live one is not touched. Where nothing waits there is nothing to do, and that is success.`,
	}, swap.Request{Command: swap.Abort})
}

// gate are the flags of a deploy that stops before its switch.
type gate struct {
	pause        bool
	promoteAfter time.Duration
}

func (g *gate) flags(f *pflag.FlagSet) {
	f.BoolVar(&g.pause, "pause", false, "stop before the switch, with the new release up and healthy: the command promote goes on, abort takes it away")
	f.DurationVar(&g.promoteAfter, "promote-after", 0, "pause, wait this long, and promote unless somebody did, or aborted it")
}

func (g *gate) check(dryRun bool) error {
	switch {
	case g.promoteAfter < 0:
		return &config.Error{Where: "--promote-after", What: fmt.Sprintf("%v is less than nothing", g.promoteAfter), Do: "Give a time such as 10m."}
	case g.promoteAfter > 0 && dryRun:
		return &config.Error{Where: "--promote-after", What: "a dry run waits for nothing", Do: "Use --pause --dry-run."}
	}
	return nil
}

// promoteAfter goes on where a deploy paused: it waits, and promotes. The run's events and its one result are shown together.
func (a *app) promoteAfter(ctx context.Context, w swap.World, r swap.Request, paused swap.Result) (swap.Result, swap.Request, error) {
	r.Emit(swap.Event{Time: time.Now(), Kind: swap.Progress, Text: fmt.Sprintf("%s; promoting it at %s, unless `bluegreen promote` or `bluegreen abort` comes first",
		waitingText(paused), swap.Moment(*paused.Waiting.PromoteAt))})
	return swap.PromoteLater(ctx, w, r, *paused.Waiting)
}

// waitingText says which release waits, and where it can be looked at.
func waitingText(res swap.Result) string {
	return fmt.Sprintf("release %d waits in %s: %s", res.Waiting.Release, res.Waiting.Profile, strings.Join(res.Preview, ", "))
}
