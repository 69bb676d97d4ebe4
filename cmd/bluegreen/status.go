package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bluegreen/config"
	"bluegreen/nginx"
	"bluegreen/swap"
)

func (a *app) statusCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "status [SERVICE]", Short: "Show what is live, what is idle, and whether it is well", GroupID: "main", Args: oneService,
		Long: `Shows the service that SERVICE or the compose file names, or the host's only one. Where there are several, and with
--all always, it lists them: every service of the host, and those of the compose file that never were deployed.
With -o json a list is {"services": [...], "nginx": ...}, and each service in it is what it is alone.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if typed(cmd.Flags(), "all") && len(args) > 0 {
				return &config.Error{Where: "--all", What: "a SERVICE was named too: " + args[0], Do: "Choose one."}
			}
			return a.showStatus(cmd.Context(), first(args), all && len(args) == 0)
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list all services of the host")
	return cmd
}

// showStatus shows one service, or lists them all: when asked for, or when it is not clear which one is meant.
func (a *app) showStatus(ctx context.Context, name string, all bool) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	w := swap.RealWorld(c)
	if all {
		return a.showAll(ctx, w)
	}
	service, err := a.find(ctx, w, name, false)
	if errors.Is(err, config.ErrSeveral) && !slices.Contains(a.files, "-") { // standard input cannot be read twice
		return a.showAll(ctx, w)
	}
	if err != nil {
		return err
	}
	s, err := swap.ReadStatus(ctx, w, service)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return json.NewEncoder(a.stdout).Encode(s)
	}
	return printStatus(a.voice(a.stdout), s)
}

func printStatus(out io.Writer, s swap.Status) error {
	fmt.Fprintf(out, "%s: %s\n", s.Service, headline(s))
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\nPROFILE\tPORT\tRELEASE\tIMAGE\tSTATE\tHEALTH\tUPTIME")
	for _, p := range s.Profiles {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", profileWord(p), p.Port, number(p.Release), dash(p.Image), dash(p.State), healthWord(p.Health), since(p.StartedAt))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	printNginx(out, s.Nginx)
	if c := s.Certificate; c != nil {
		fmt.Fprintln(out, "certificate: "+certificateText(*c))
	}
	if len(s.Preview) > 0 {
		fmt.Fprintln(out, "preview of the idle profile: "+printable(strings.Join(s.Preview, ", ")))
	}
	if l := s.Lock; l != nil {
		fmt.Fprintln(out, "lock: "+lockText(*l))
	}
	for _, n := range s.Notes {
		fmt.Fprintln(out, "note: "+printable(n))
	}
	return nil
}

// printNginx says how nginx is, if there is one.
func printNginx(out io.Writer, n *swap.NginxStatus) {
	if n == nil {
		return
	}
	fmt.Fprintf(out, "nginx: %s, %s (%s), %d workers serving, %d draining\n", n.State, n.Image, n.Version, n.Workers, n.DrainingWorkers)
	if len(n.Ports) > 0 {
		fmt.Fprintln(out, "ports: "+strings.Join(n.Ports, ", "))
	}
	if n.KeepaliveMinTimeout || n.Version == "" {
		return
	}
	why := "is older than 1.27.4"
	if nginx.SupportsKeepaliveMinTimeout(n.Version) { // an adopted one, which configures itself
		why = "does not set keepalive_min_timeout for all its servers"
	}
	fmt.Fprintln(out, "warning: this nginx "+why+" and resets busy keep-alive connections at each reload: a swap loses requests")
}

// certificateText says what a certificate is for, and how long.
func certificateText(c swap.CertificateStatus) string {
	when := fmt.Sprintf("expires on %s, in %s", c.NotAfter.Format(time.DateOnly), counted(c.DaysLeft, "day"))
	if c.DaysLeft < 0 {
		when = "EXPIRED on " + c.NotAfter.Format(time.DateOnly)
	}
	return fmt.Sprintf("for %s, %s", printable(strings.Join(c.Names, ", ")), when)
}

// lockText says who holds a lock, or left it.
func lockText(l swap.LockStatus) string {
	if l.Gone {
		return fmt.Sprintf("left by %q of %s on %s, which is gone (%s); the next command breaks it", l.Command, l.Owner, l.Host, l.Why)
	}
	return fmt.Sprintf("%s on %s runs %q (process %s) since %s, last renewed %s", l.Owner, l.Host, l.Command, l.PID, swap.MomentOf(l.Since), swap.MomentOf(l.Renewed))
}

func headline(s swap.Status) string {
	switch {
	case s.Live == "" && s.Paused != nil:
		return fmt.Sprintf("not live yet; release %d is PAUSED in %s", s.Paused.Release, s.Paused.Profile)
	case s.Live == "":
		return "not live: run `bluegreen deploy` to start it"
	case !s.Serving:
		return fmt.Sprintf("DOWN: release %d in %s should be live", s.Release, s.Live)
	case s.Maintenance != nil:
		return fmt.Sprintf("MAINTENANCE: users get 503; release %d is live in %s", s.Release, s.Live)
	}
	text := fmt.Sprintf("release %d is live in %s%s", s.Release, s.Live, opens(s.Opens))
	if p := s.Paused; p != nil {
		text += fmt.Sprintf("; release %d is PAUSED in %s", p.Release, p.Profile)
	}
	return text
}

// healthWord keeps the table narrow: what a profile that fails says stands in a note below it.
func healthWord(health string) string {
	if health != "" && health != "ok" {
		return "failing"
	}
	return dash(health)
}

func profileWord(p swap.ProfileStatus) string {
	if p.Live {
		return p.Name + " *"
	}
	return p.Name
}

func number(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// dash stands for nothing in a table, keeps a line a line, and a terminal as it is.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(strings.ReplaceAll(s, "\n", " "))
}

func since(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return time.Since(*t).Round(time.Second).String()
}
