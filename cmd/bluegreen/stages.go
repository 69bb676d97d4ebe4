package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"bluegreen/swap"
)

// simple is a command that runs one request for a service the host knows already.
func (a *app) simple(cmd *cobra.Command, r swap.Request) *cobra.Command {
	var wait time.Duration
	cmd.Args = oneService
	waitFlag(cmd, &wait)
	if r.Command.RunsHooks() {
		noHooksFlag(cmd.Flags(), &r.NoHooks)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r.Wait = wait
		return a.runFound(cmd.Context(), first(args), r)
	}
	return cmd
}

func (a *app) rollbackCommand() *cobra.Command {
	return a.simple(&cobra.Command{
		Use: "rollback [SERVICE]", Short: "Swap back to the release before", GroupID: "main",
		Long: `Swaps back to the other profile, which is still warm: no image, no version and no compose file is needed. A second
rollback swaps forward again. A profile that was stopped is started first.`,
	}, swap.Request{Command: swap.Rollback})
}

func (a *app) stopCommand() *cobra.Command {
	return a.simple(&cobra.Command{
		Use: "stop [SERVICE]", Short: "Stop the idle profile once nothing can reach it", GroupID: "stage",
		Long: "Waits until no old nginx worker can reach the idle profile, then stops it. Nothing running there is success. The live profile is never stopped.",
	}, swap.Request{Command: swap.Stop})
}

func (a *app) healthCommand() *cobra.Command {
	var andSwitch, noHooks bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "health [SERVICE]", Short: "Wait until the idle profile answers as itself", GroupID: "stage", Args: oneService,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runFound(cmd.Context(), first(args), swap.Request{Command: swap.Health, Switch: andSwitch, Wait: wait, NoHooks: noHooks})
		},
	}
	cmd.Flags().BoolVar(&andSwitch, "switch", false, "and make it live, as the switch stage does")
	noHooksFlag(cmd.Flags(), &noHooks)
	waitFlag(cmd, &wait)
	return cmd
}

func (a *app) switchCommand() *cobra.Command {
	return a.simple(&cobra.Command{
		Use: "switch [SERVICE]", Short: "Make the release that waits in the idle profile live", GroupID: "stage",
		Long: "Goes live only with a release that has not been live before; otherwise there is nothing to switch, and that is success: a hook that is tried again never flips back. Like a deploy, it asks the release once more, and watches it afterwards: a failure then switches back.",
	}, swap.Request{Command: swap.Switch})
}

func (a *app) downCommand() *cobra.Command {
	var volumes bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "down [SERVICE]", Short: "Remove a service; with the last one also nginx and the network", GroupID: "main", Args: oneService,
		Long: "Takes the service out of nginx, waits for its connections, then stops and removes its containers. The history stays unless --volumes is given.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runFound(cmd.Context(), first(args), swap.Request{Command: swap.Down, Volumes: volumes, Wait: wait})
		},
	}
	cmd.Flags().BoolVar(&volumes, "volumes", false, "remove the history too")
	waitFlag(cmd, &wait)
	return cmd
}

func (a *app) profileCommand() *cobra.Command {
	var port, live bool
	cmd := &cobra.Command{
		Use: "profile [SERVICE]", Short: "Print the idle profile: where the next release goes", GroupID: "stage", Args: oneService,
		Long: "Prints the idle profile's name: real2 when real1 is live, else real1. A host that never deployed starts with real1.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.look(cmd.Context(), first(args), func(l look) error {
				o, err := swap.Observe(cmd.Context(), l.world, l.service)
				if err != nil {
					return err
				}
				return a.printProfile(o, port, live)
			})
		},
	}
	cmd.Flags().BoolVar(&port, "port", false, "print the profile's port instead of its name")
	cmd.Flags().BoolVar(&live, "live", false, "the live profile instead of the idle one")
	return cmd
}

func (a *app) printProfile(o swap.Observation, port, live bool) error {
	place := o.Idle()
	if live {
		p, ok := o.Live()
		if !ok {
			return fmt.Errorf("no profile is live yet: run `bluegreen deploy` first")
		}
		place = p
	}
	switch {
	case a.output == "json":
		return json.NewEncoder(a.stdout).Encode(map[string]any{"profile": place.Profile.Name, "port": place.Profile.Port, "live": live})
	case port:
		fmt.Fprintln(a.stdout, place.Profile.Port)
	default:
		fmt.Fprintln(a.stdout, place.Profile.Name)
	}
	return nil
}
