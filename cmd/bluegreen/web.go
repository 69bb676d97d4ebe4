package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"bluegreen/swap"
)

func (a *app) reloadCommand() *cobra.Command {
	var force bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "reload [SERVICE]", Short: "Bring a renewed certificate, or another change of the site, into nginx", GroupID: "main", Args: oneService,
		Long: `Reads the certificate and the other files that the service's site needs, checks them, brings what changed into nginx
together with what else of the site changed in the compose file, reloads nginx and confirms that. The release stays,
no container is replaced, and no request is lost. Nothing happens when nginx has it all already (--force), so an ACME
client may run it after every renewal. Without a compose file nginx tests and reads anew what it has.`,
		Example: `  bluegreen reload
  certbot renew --deploy-hook "bluegreen -f /srv/shop/compose.yaml reload web"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runFound(cmd.Context(), first(args), swap.Request{Command: swap.Reload, Force: force, Wait: wait})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "reload even if nothing changed")
	waitFlag(cmd, &wait)
	return cmd
}

func (a *app) maintenanceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "maintenance", Short: "Let nginx answer everybody with 503 for a while, or end that", GroupID: "main",
		Long: `While maintenance is on, nginx answers every request for the service with 503, Retry-After and the page of
x-bluegreen.maintenance, and asks nobody for a password. Deploys, rollbacks and health checks go on: they ask the app
itself. It stays on across them, until it is turned off. The page is the one of the last deploy or reload.`,
		Args: wantsCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.simple(&cobra.Command{Use: "on [SERVICE]", Short: "Answer every request for the service with 503"}, swap.Request{Command: swap.MaintenanceOn}),
		a.simple(&cobra.Command{Use: "off [SERVICE]", Short: "Pass requests on again"}, swap.Request{Command: swap.MaintenanceOff}))
	return cmd
}

func (a *app) nginxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "nginx", Short: "What concerns the nginx of all services", GroupID: "main",
		Args: wantsCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.recreateCommand())
	return cmd
}

func (a *app) recreateCommand() *cobra.Command {
	var yes, force, dryRun bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "recreate [SERVICE]", Short: "Make nginx anew with changed host keys: a short outage", Args: oneService,
		Long: `Applies x-bluegreen.nginx of the compose file (ports, address, image, shutdown_timeout, webroot) to an nginx that was made
with other values. The new container is made beside the old one and takes its place once that has ended: for a moment
nothing answers, for all services of this nginx. What comes of it is shown first, and you are asked (--yes). New ports are
tried before anything is stopped. When the new one does not serve, the old one is put back. Another service's run, which
needs nginx, is not disturbed: this one ends with exit 3, or waits (--wait).`,
		Example: `  bluegreen nginx recreate --dry-run   # which keys would change
  bluegreen nginx recreate
  bluegreen nginx recreate --yes       # in a script`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r := swap.Request{Command: swap.Recreate, Force: force, Wait: wait, DryRun: dryRun}
			if !yes && !dryRun {
				r.Approve = func(ctx context.Context) error {
					return a.outageAgreed(ctx, cmd.InOrStdin(), a.request.Service.Settings.Service)
				}
			}
			return a.runFound(cmd.Context(), first(args), r)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&force, "force", false, "make it anew even if its host keys are the wanted ones")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the plan and change nothing")
	waitFlag(cmd, &wait)
	return cmd
}

// outageAgreed asks, once it was shown what would happen.
func (a *app) outageAgreed(ctx context.Context, in io.Reader, service string) error {
	agreed, err := a.agreed(ctx, in, "Make nginx anew now?", "bluegreen nginx recreate "+service+" --yes")
	if err == nil && !agreed {
		err = errors.New("nginx stays as it is, as you say")
	}
	return err
}

func waitFlag(cmd *cobra.Command, wait *time.Duration) {
	cmd.Flags().DurationVar(wait, "wait", 0, "how long to wait when another command holds the lock (default: not at all)")
}
