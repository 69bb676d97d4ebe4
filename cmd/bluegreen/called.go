package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/docker/cli/cli-plugins/socket"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/docker"
	"bluegreen/swap"
)

// pluginName is what docker calls the plugin: its file is docker-bluegreen, its command `docker bluegreen`.
const pluginName = "bluegreen"

// calledByDocker says whether docker runs this process as its plugin: under the plugin's name, and with the variable that
// docker sets. Whoever runs docker-bluegreen by hand gets the ordinary command.
func calledByDocker(argv0 string) bool {
	name := strings.TrimSuffix(filepath.Base(argv0), ".exe")
	return name == metadata.NamePrefix+pluginName && os.Getenv(metadata.ReexecEnvvar) != ""
}

// untilDockerEnds is a context that ends when the docker command which runs this process is interrupted or killed: its end
// of a socket, which it holds for that, is then closed. A docker too old for it has no such socket.
func untilDockerEnds(ctx context.Context) context.Context {
	ctx, end := context.WithCancel(ctx)
	socket.ConnectAndWait(end)
	return ctx
}

// runPlugin is run for what docker hands over: docker's own flags and the plugin's name stand before the arguments.
func runPlugin(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr, plugin: true}
	own, err := a.fromDocker(args)
	if err != nil {
		fmt.Fprintln(stderr, "bluegreen: "+printable(err.Error()))
		return swap.ExitUsage
	}
	return a.run(ctx, own)
}

// fromDocker takes docker's own flags out of the arguments and returns what is left for bluegreen. Docker leaves them as
// they were typed: `--context X bluegreen status`, `help bluegreen status`, `__complete bluegreen sta`.
func (a *app) fromDocker(args []string) (own []string, err error) {
	var set docker.CommandFlags
	f := pflag.NewFlagSet("docker", pflag.ContinueOnError)
	f.SetInterspersed(false)
	f.Usage = func() {}
	set.Install(f)
	help := f.BoolP("help", "h", false, "")
	version := f.BoolP("version", "v", false, "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if a.engine, err = set.Options(); err != nil {
		return nil, err
	}
	a.debug = set.Debug()
	own = f.Args()
	if i := slices.Index(own, pluginName); i >= 0 && i <= 1 { // 1: behind help or __complete
		own = slices.Delete(own, i, i+1)
	}
	switch {
	case *help:
		own = append([]string{"help"}, own...)
	case *version:
		own = []string{"version"}
	}
	return own, nil
}

// asDocker makes the engine that docker's own flags name the one to talk to, unless bluegreen's own say otherwise.
func (a *app) asDocker(flags *pflag.FlagSet) {
	if (a.engine.Host != "" || a.engine.Context != "") && !typed(flags, "host") && !typed(flags, "context") {
		a.host, a.context = a.engine.Host, a.engine.Context
	}
	a.verbose = a.verbose || a.debug && !a.quiet
}

// metadataCommand tells docker what kind of plugin this is; docker asks each time before it runs it.
func (a *app) metadataCommand() *cobra.Command {
	return &cobra.Command{
		Use: metadata.MetadataSubcommandName, Hidden: true, Args: cobra.NoArgs,
		Short: "Tell docker about this plugin",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return json.NewEncoder(a.stdout).Encode(metadata.Metadata{
				SchemaVersion: "0.1.0", Vendor: pluginVendor, Version: version, ShortDescription: cmd.Root().Short,
			})
		},
	}
}
