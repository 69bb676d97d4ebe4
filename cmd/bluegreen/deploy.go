package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/config"
	"bluegreen/swap"
)

// newRelease are the flags of the commands that start a new release.
type newRelease struct {
	options config.Options
	force   bool
	wait    time.Duration
	noHooks bool
}

func (n *newRelease) flags(f *pflag.FlagSet) {
	o := &n.options
	f.StringVar(&o.Image, "image", "", "image to run (default: the compose file's)")
	f.StringVar(&o.Pull, "pull", "", "when to pull the image: always, missing or never (default: the compose file's pull_policy, else missing)")
	f.BoolVar(&n.force, "force", false, "start a new release even if image and configuration are unchanged")
	noHooksFlag(f, &n.noHooks)
	f.DurationVar(&n.wait, "wait", 0, "how long to wait when another command holds the lock (default: not at all)")
	f.StringVar(&o.Name, "name", "", "start without a compose file: the service's name")
	f.IntVar(&o.ContainerPort, "container-port", 0, "port the app listens on (default: the profile's own, 8081 or 8082)")
	f.StringArrayVarP(&o.Env, "env", "e", nil, "environment variable for the app: K=V, or K to pass it on from here")
	f.IntVar(&o.Host.HTTP, "http", 0, "host port of a new nginx (default 80)")
	f.IntVar(&o.Host.Status, "status-port", 0, "loopback port of a new nginx's status listener (default 8079)")
	f.StringVar(&o.Host.Image, "nginx-image", "", "image of a new nginx (default "+config.DefaultImage+")")
}

func (a *app) deployCommand() *cobra.Command {
	var n newRelease
	var g gate
	var dryRun bool
	cmd := &cobra.Command{
		Use: "deploy [SERVICE]", Short: "Swap to a new release, or start the first one", GroupID: "main", Args: oneService,
		Long: `Replaces the idle profile with the wanted release, waits until it is healthy, points nginx at it and proves
that the swap took. Whatever fails leaves the live profile serving. Nothing changes when the wanted image
and configuration are live already (--force).`,
		Example: `  bluegreen deploy --image shop:v43
  bluegreen deploy --dry-run
  bluegreen deploy --pause             # look at it first, then: bluegreen promote
  bluegreen deploy --name hello --image hello:v1 --container-port 8080 -e GREETING=hi`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := g.check(dryRun); err != nil {
				return err
			}
			n.options.Service = first(args)
			return a.runLoaded(cmd.Context(), n.options, swap.Request{
				Command: swap.Deploy, Force: n.force, Wait: n.wait, DryRun: dryRun, NoHooks: n.noHooks,
				Pause: g.pause || g.promoteAfter > 0, PromoteAfter: g.promoteAfter,
			})
		},
	}
	n.flags(cmd.Flags())
	g.flags(cmd.Flags())
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the plan and change nothing")
	return cmd
}

func (a *app) startCommand() *cobra.Command {
	var n newRelease
	cmd := &cobra.Command{
		Use: "start [SERVICE]", Short: "Start the new release in the idle profile", GroupID: "stage", Args: oneService,
		Long: `Starts the new release in the idle profile; traffic stays where it is. A release that already waits there is
left alone, so that a hook may be tried again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			n.options.Service = first(args)
			return a.runLoaded(cmd.Context(), n.options, swap.Request{Command: swap.Start, Force: n.force, Wait: n.wait, NoHooks: n.noHooks})
		},
	}
	n.flags(cmd.Flags())
	return cmd
}
