package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/swap"
)

// app is what every command shares: the global flags and where to write.
type app struct {
	stdout, stderr io.Writer
	files          []string
	host, context  string
	network        string
	probe          string
	output         string
	quiet, verbose bool
	version        bool
	timeout        time.Duration
	cancelTimeout  context.CancelFunc
	deadline       time.Time // by --timeout

	plugin   bool           // docker runs this process as its plugin
	engine   docker.Options // by docker's own flags
	debug    bool           // docker's -D
	commands *regexp.Regexp // finds commands in texts
	global   string         // flags of every command that were typed and say what it is about, as commands in texts get them
	own      string         // the same of the command itself
	ownName  string

	command  string // with its flags left out: their values may be secrets
	running  bool   // a command's own code was reached: an error is no longer one of usage
	reported bool   // the error was already shown

	request *swap.Request // what this command asks for; its Service is nil until that is known
	ended   *ended        // the run that this command did; nil: none
	away    bool          // the Docker engine could not be reached

	metricsFile string // the flag, whatever is wrong with it
	metricsPath string // where metrics are written; "": nowhere
}

// usage says whether err came from parsing the command line.
func (a *app) usage(err error) bool {
	_, unread := errors.AsType[*outputError](err)
	return err != nil && !a.running && !unread
}

// about is what bluegreen does, at length.
const about = `bluegreen swaps a service running in Docker from one release to the next behind nginx without
losing a request. Two containers, the profiles real1 and real2, take turns: a deploy replaces the
idle one, waits until it answers as itself, points nginx at it and proves that the swap took. The
other one stays warm, so a rollback is one more swap.

The configuration is your compose file: a service with an x-bluegreen section is blue/green.
Without a compose file: bluegreen deploy --name hello --image hello:v1`

// aboutAll is what holds for every command.
const aboutAll = `Every flag is also read from the environment: BLUEGREEN_OUTPUT=json is --output json.
Exit codes: 0 done or nothing to do, 1 failed with live unchanged, 2 wrong usage or configuration,
3 locked by another run, 4 swapped and switched back, 5 the Docker host or nginx cannot be reached,
130 interrupted.`

// forReleases are commands that only a build for making releases has (-tags manpages).
var forReleases []func(*app) *cobra.Command

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "bluegreen",
		Short: "Swap a service running in Docker to its next release behind nginx without losing a request",
		Long:  about + "\n\n" + aboutAll,
		Example: `  bluegreen deploy                     # the service of ./compose.yaml
  bluegreen deploy --image shop:v43    # another image than the file says
  bluegreen rollback                   # back to the release before
  bluegreen status -o json`,
		SilenceUsage: true, SilenceErrors: true, TraverseChildren: true, SuggestionsMinimumDistance: 2,
		Args:              knownCommand,
		RunE:              a.helpOrVersion,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	a.globalFlags(root.PersistentFlags())
	root.Flags().BoolVar(&a.version, "version", false, "print the version and end")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nSee '%s --help'", parsed(err), cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: "main", Title: "Commands:"},
		&cobra.Group{ID: "stage", Title: "The five stages of a deploy, for hooks and scripts:"})
	root.AddCommand(
		a.deployCommand(), a.rollbackCommand(), a.promoteCommand(), a.abortCommand(), a.statusCommand(), a.doctorCommand(), a.historyCommand(), a.logsCommand(),
		a.unlockCommand(), a.reloadCommand(), a.maintenanceCommand(), a.nginxCommand(), a.downCommand(), a.rehearseCommand(), a.profileCommand(), a.stopCommand(), a.startCommand(),
		a.healthCommand(), a.switchCommand(), a.pluginCommand(), a.schemaCommand(), a.versionCommand(), a.exampleCommand(), a.metadataCommand())
	for _, more := range forReleases {
		root.AddCommand(more(a))
	}
	a.metricsFlags(root)
	a.complete(root)
	a.speak(root)
	return root
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	f.StringSliceVarP(&a.files, "file", "f", nil, "compose file (default: compose's own search)")
	f.StringVarP(&a.host, "host", "H", "", "Docker engine to talk to (default: DOCKER_HOST, else the docker context)")
	f.StringVar(&a.context, "context", "", "docker context to use instead of a host (default: the current one)")
	f.StringVar(&a.network, "network", "", "bluegreen network, and with it which nginx (default: the compose file's, else \""+config.DefaultNetwork+"\")")
	f.StringVar(&a.probe, "probe", "", "how health and status are asked: host (at ports on the Docker host's loopback) or container (from inside nginx's) (default: as it fits)")
	f.StringVarP(&a.output, "output", "o", "text", "text or json")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "only errors and the result")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "every try and every detail")
	f.DurationVar(&a.timeout, "timeout", 0, "end the whole command after this long, undoing what was begun (default: none)")
}

// prepare reads flags from the environment, checks the global ones and bounds the command's time.
func (a *app) prepare(cmd *cobra.Command) error {
	if err := errors.Join(checkFlags(cmd.Flags()), flagsFromEnvironment(cmd.Flags())); err != nil {
		return err
	}
	a.asDocker(cmd.Flags())
	if a.version && cmd.HasParent() {
		return fmt.Errorf("--version goes without a command\nLeave it out, or %q", cmd.Name())
	}
	if a.output != "text" && a.output != "json" {
		return fmt.Errorf("--output %s: must be text or json", a.output)
	}
	if err := config.CheckProbe(a.probe); a.probe != "" && err != nil { // also where no file is read
		return fmt.Errorf("--probe: %w", err)
	}
	path, err := checkMetricsFile(a.metricsFile)
	if err != nil {
		return err
	}
	a.metricsPath = path
	if a.timeout > 0 {
		a.deadline = time.Now().Add(a.timeout)
		ctx, cancel := context.WithDeadline(cmd.Context(), a.deadline)
		a.cancelTimeout = cancel
		cmd.SetContext(ctx)
	}
	a.meant(cmd)
	a.hearCompose()
	a.running, a.command = true, cmd.CommandPath()
	return nil
}

// knownCommand refuses what is no command, naming those that are spelled almost so.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += ", did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%s\nSee '%s --help'", text, cmd.CommandPath())
}

// wantsCommand is for a command that does nothing without one of its own: a script that left it out is told.
func wantsCommand(cmd *cobra.Command, args []string) error {
	if err := knownCommand(cmd, args); err != nil || len(args) > 0 {
		return err
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("%s needs a command: %s\nSee '%[1]s --help'", cmd.CommandPath(), strings.Join(names, ", "))
}

// oneService is cobra's check for an optional SERVICE.
func oneService(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return fmt.Errorf("one SERVICE at most, not %d: %s", len(args), strings.Join(args, " "))
	case len(args) == 1 && args[0] == "":
		return errors.New("SERVICE is " + empty)
	}
	return nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
