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

	"bluegreen/config"
	"bluegreen/swap"
)

// showAll shows every service of the host: those that it knows, and those that the compose files describe.
func (a *app) showAll(ctx context.Context, w swap.World) error {
	services, err := a.everyService(ctx, w)
	if err != nil {
		return err
	}
	all, err := swap.ReadOverview(ctx, w, services)
	if err != nil {
		return err
	}
	if a.output == "json" {
		err = json.NewEncoder(a.stdout).Encode(all)
	} else {
		err = printOverview(a.voice(a.stdout), all)
	}
	if unread := len(slices.DeleteFunc(slices.Clone(all.Services), func(s swap.Status) bool { return s.Error == "" })); unread > 0 {
		err = errors.Join(err, fmt.Errorf("the status of %s could not be read", counted(unread, "service")))
	}
	return err
}

// everyService is every service of the network, by name.
func (a *app) everyService(ctx context.Context, w swap.World) ([]*config.Service, error) {
	if wrong := config.CheckNames("", a.network); wrong != nil {
		return nil, wrong
	}
	host, services, err := a.list(ctx)
	switch {
	case errors.Is(err, config.ErrNoFile):
		host.Network = a.networkOrDefault()
	case err != nil:
		fmt.Fprintf(a.stderr, "bluegreen: going by what the host remembers, as the compose file does not help: %s\n", printable(err.Error()))
		host.Network = a.networkOrDefault()
	}
	names, err := swap.Services(ctx, w, host.Network)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if slices.ContainsFunc(services, func(s *config.Service) bool { return s.Settings.Service == name }) {
			continue
		}
		s := &config.Service{Host: config.Host{Network: host.Network}}
		s.Settings.Service = name
		services = append(services, s)
	}
	slices.SortFunc(services, func(x, y *config.Service) int { return strings.Compare(x.Settings.Service, y.Settings.Service) })
	return services, nil
}

// list is every blue/green service of the compose files.
func (a *app) list(ctx context.Context) (config.Host, []*config.Service, error) {
	return config.List(ctx, config.Options{Files: a.files, Host: config.Host{Network: a.network}})
}

// printOverview is one line a service, nginx, and what a person should know.
func printOverview(out io.Writer, all swap.Overview) error {
	if len(all.Services) == 0 {
		_, err := fmt.Fprintln(out, "no service has been deployed here: run `bluegreen deploy` to start one")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tSTATE\tLIVE\tRELEASE\tIMAGE\tSERVES\tIDLE\tLOCK")
	for _, s := range all.Services {
		live, idle := liveAndIdle(s)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Service, stateWord(s), dash(s.Live), number(s.Release), dash(live.Image), servesWord(s), idleWord(idle), lockWord(s.Lock))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	printNginx(out, all.Nginx)
	said := map[string]bool{}
	for _, s := range all.Services {
		if s.Error != "" {
			fmt.Fprintf(out, "%s: %s\n", s.Service, indent(printable(s.Error)))
		}
		for _, n := range s.Notes {
			if strings.HasPrefix(n, "nginx is ") { // the same for all of them
				if !said[n] {
					fmt.Fprintln(out, "note: "+n)
				}
				said[n] = true
				continue
			}
			fmt.Fprintf(out, "note: %s: %s\n", s.Service, n)
		}
	}
	return nil
}

// liveAndIdle are a service's profiles by what they are; while nothing is live, the idle one is that of the newest release.
func liveAndIdle(s swap.Status) (live, idle swap.ProfileStatus) {
	for _, p := range s.Profiles {
		switch {
		case p.Live:
			live = p
		case p.Release >= idle.Release:
			idle = p
		}
	}
	return live, idle
}

// stateWord is how a service is, in a table.
func stateWord(s swap.Status) string {
	switch {
	case s.Error != "":
		return "UNKNOWN"
	case s.Live == "":
		return "not live"
	case !s.Serving:
		return "DOWN"
	case s.Maintenance != nil:
		return "maintenance"
	}
	return "serving"
}

// servesWord is what nginx sends to the service.
func servesWord(s swap.Status) string {
	names, paths := strings.Join(s.ServerNames, ","), strings.Join(s.Paths, ",")
	switch {
	case s.Nginx != nil && s.Nginx.Adopted, names+paths == "" && s.Live == "":
		return "-"
	case names == "":
		names = "any name"
	}
	return strings.TrimSpace(names + " " + paths)
}

// idleWord is the release that a rollback or a switch would make live, and its state when it does not run.
func idleWord(p swap.ProfileStatus) string {
	if p.Release == 0 || p.State == "running" {
		return number(p.Release)
	}
	return fmt.Sprintf("%d (%s)", p.Release, p.State)
}

// lockWord is who holds a service's lock, in a table.
func lockWord(l *swap.LockStatus) string {
	switch {
	case l == nil:
		return "-"
	case l.Gone:
		return "left behind"
	}
	return l.Owner + "@" + l.Host
}
