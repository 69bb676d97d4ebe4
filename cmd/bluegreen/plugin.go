package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/spf13/cobra"

	"bluegreen/docker"
)

func (a *app) pluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "plugin", Short: "Make `docker bluegreen` work", GroupID: "main", Args: wantsCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.pluginFileCommand(&cobra.Command{
			Use: "install", Short: "Install this binary as a plugin of docker",
			Long: `Puts a link to this binary where docker looks for a person's plugins (cli-plugins in DOCKER_CONFIG, else in
~/.docker), so that "docker bluegreen" works. With --global it puts a copy where docker looks for everybody's.
A file of that name which is not bluegreen's is left alone.`,
		}, pluginFile.install),
		a.pluginFileCommand(&cobra.Command{
			Use: "uninstall", Short: "Take the plugin away again",
			Long: "Removes what `install` put there. A file of that name which is not bluegreen's is left alone.",
		}, pluginFile.uninstall))
	return cmd
}

// pluginFileCommand is a command that does something about the plugin's file, and says what it did.
func (a *app) pluginFileCommand(cmd *cobra.Command, do func(pluginFile) (pluginChange, error)) *cobra.Command {
	var global bool
	cmd.Args = cobra.NoArgs
	cmd.Flags().BoolVar(&global, "global", false, "for everybody on this machine: in "+everybodysPlugins())
	cmd.RunE = func(*cobra.Command, []string) error {
		p, err := pluginFileFor(global)
		if err != nil {
			return err
		}
		did, err := do(p)
		if err != nil {
			return err
		}
		if a.output == "json" {
			return json.NewEncoder(a.stdout).Encode(map[string]string{"plugin": p.path, "outcome": string(did)})
		}
		_, err = fmt.Fprintln(a.stdout, p.said(did))
		return err
	}
	return cmd
}

// pluginFileFor is the plugin's file, a person's own or everybody's. Everybody's is a copy: a link would lead all of them
// to a file that one of them may change.
func pluginFileFor(global bool) (pluginFile, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return pluginFile{}, fmt.Errorf("find this binary: %w", err)
	}
	name, folder := metadata.NamePrefix+pluginName, docker.PluginFolder()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if global {
		folder = everybodysPlugins()
	}
	return pluginFile{path: filepath.Join(folder, name), self: self, copies: global || runtime.GOOS == "windows"}, nil
}

// everybodysPlugins is the first of the folders where docker looks for plugins of all users (docker/cli,
// cli-plugins/manager).
func everybodysPlugins() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "Docker", "cli-plugins")
	}
	return "/usr/local/lib/docker/cli-plugins"
}
