package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of bluegreen", GroupID: "main", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

// helpOrVersion is bluegreen without a command.
func (a *app) helpOrVersion(cmd *cobra.Command, _ []string) error {
	if a.version {
		return a.printVersion()
	}
	return cmd.Help()
}

func (a *app) printVersion() error {
	if a.output == "json" {
		return json.NewEncoder(a.stdout).Encode(map[string]string{"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	_, err := fmt.Fprintf(a.stdout, "bluegreen %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
