package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bluegreen/config"
	"bluegreen/swap"
)

// hostCompletes is how long the Docker host is given to name its services to a shell that completes one.
const hostCompletes = time.Second

// complete makes every command that takes a SERVICE complete it, and -o its values.
func (a *app) complete(root *cobra.Command) {
	for _, c := range root.Commands() {
		a.completeServices(c)
	}
	// The flag is there, and has no completion yet.
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

func (a *app) completeServices(cmd *cobra.Command) {
	if strings.Contains(cmd.Use, "[SERVICE]") {
		cmd.ValidArgsFunction = a.completeService
	}
	for _, c := range cmd.Commands() {
		a.completeServices(c)
	}
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
