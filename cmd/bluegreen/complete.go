package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/swap"
)

// hostCompletes is how long the Docker host is given to name its services to a shell that completes one.
const hostCompletes = time.Second

// complete makes every command that takes a SERVICE complete it, and flags their values where these are few.
func (a *app) complete(root *cobra.Command) {
	for _, c := range root.Commands() {
		a.completeCommand(c)
	}
	completeFlag(root, "output", values("text", "json"))
	completeFlag(root, "context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return docker.Contexts(), cobra.ShellCompDirectiveNoFileComp
	})
}

func (a *app) completeCommand(cmd *cobra.Command) {
	if strings.Contains(cmd.Use, "[SERVICE]") {
		cmd.ValidArgsFunction = a.completeService
	}
	completeFlag(cmd, "pull", values("always", "missing", "never"))
	completeFlag(cmd, "profile", a.completeProfile)
	for _, c := range cmd.Commands() {
		a.completeCommand(c)
	}
}

// completeFlag completes a flag of a command, where it has that.
func completeFlag(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		all, directive := complete(cmd, args, begun)
		return slices.DeleteFunc(slices.Clone(all), func(v string) bool { return !strings.HasPrefix(v, begun) }), directive
	})
}

func values(all ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
}

// completeProfile names the two profiles of the service that is meant: by the compose files, else by the host.
func (a *app) completeProfile(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	if flagsFromEnvironment(cmd.Flags()) != nil {
		return nil, none
	}
	a.asDocker(cmd.Flags())
	ctx, cancel := context.WithTimeout(cmd.Context(), hostCompletes)
	defer cancel()
	for _, p := range a.profilesOf(ctx, first(args)) {
		names = append(names, p.Name)
	}
	return names, none
}

func (a *app) profilesOf(ctx context.Context, name string) []config.Profile {
	host := config.Host{Network: a.networkOrDefault()}
	if !slices.Contains(a.files, "-") { // standard input has no compose file for a shell that completes
		said, services, err := a.list(ctx)
		for _, s := range services {
			if s.Settings.Service == name || s.Compose.Name == name || name == "" && len(services) == 1 {
				return s.Settings.Profiles[:]
			}
		}
		if err == nil {
			host = said
		}
	}
	if name == "" {
		return nil
	}
	c, err := a.connect(ctx)
	if err != nil {
		return nil
	}
	defer c.Close()
	s := &config.Service{Host: host}
	s.Settings.Service = name
	seen, err := swap.Observe(ctx, swap.RealWorld(c), s)
	if err != nil {
		return nil
	}
	return []config.Profile{seen.Places[0].Profile, seen.Places[1].Profile}
}

// completeService names the services of the compose files and, when it answers quickly, those of the host. Whatever fails
// names none: a shell that completes has no place for errors.
func (a *app) completeService(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || flagsFromEnvironment(cmd.Flags()) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	a.asDocker(cmd.Flags())
	ctx, cancel := context.WithTimeout(cmd.Context(), hostCompletes)
	defer cancel()
	names := slices.DeleteFunc(a.serviceNames(ctx), func(name string) bool { return !strings.HasPrefix(name, begun) })
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) serviceNames(ctx context.Context) (names []string) {
	host := config.Host{Network: a.networkOrDefault()}
	if !slices.Contains(a.files, "-") {
		if said, services, err := a.list(ctx); err == nil {
			host = said
			for _, s := range services {
				names = append(names, s.Settings.Service)
			}
		}
	}
	c, err := a.connect(ctx)
	if err != nil {
		return names
	}
	defer c.Close()
	there, err := swap.Services(ctx, swap.RealWorld(c), host.Network)
	if err != nil {
		return names
	}
	return append(names, there...)
}
