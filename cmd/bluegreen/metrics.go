package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/atomicwriter"
	"github.com/spf13/cobra"

	"bluegreen/config"
	"bluegreen/swap"
)

const metricsFlag = "metrics-file"

// lookers are the commands about a service that neither change it nor tell its state.
var lookers = []string{"doctor", "history", "logs", "profile", "rehearse"}

// metricsFlags gives every command that changes a service, and status, the flag for a file of metrics.
func (a *app) metricsFlags(cmd *cobra.Command) {
	if strings.Contains(cmd.Use, "[SERVICE]") && !slices.Contains(lookers, cmd.Name()) {
		cmd.Flags().StringVar(&a.metricsFile, metricsFlag, "", "afterwards write metrics of all services of the host to this *.prom file, for node_exporter (default: none)")
		_ = cmd.MarkFlagFilename(metricsFlag, "prom") // the flag is there
	}
	for _, c := range cmd.Commands() {
		a.metricsFlags(c)
	}
}

// checkMetricsFile refuses, before anything is touched, a file that nobody would read, or that there is no place for. Nothing
// else is ever written to: a command line that is wrong elsewhere may be so because this flag has another one's value.
func checkMetricsFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	if filepath.Ext(path) != ".prom" {
		return "", fmt.Errorf("--%s %s: its name must end in .prom: node_exporter's textfile collector reads no other files", metricsFlag, path)
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil || !folder.IsDir() {
		return "", fmt.Errorf("--%s %s: there is no folder %s: create it, or name the one of node_exporter's --collector.textfile.directory", metricsFlag, path, filepath.Dir(path))
	}
	if there, err := os.Lstat(path); err == nil && !there.Mode().IsRegular() {
		return "", fmt.Errorf("--%s %s: is there and is no file: remove it, or give another name", metricsFlag, path)
	}
	return path, nil
}

// writeMetrics writes the metrics of all services of the network, as the Docker host has them now, where they are wanted. A
// reader sees the file of before or the new one.
func (a *app) writeMetrics(ctx context.Context) error {
	if a.metricsPath == "" {
		return nil
	}
	if a.away {
		return errors.New("they lie on the Docker host, which cannot be reached")
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	w := swap.RealWorld(c)
	network := a.networkOfRun(ctx)
	names, err := swap.Services(ctx, w, network)
	if err != nil {
		return err
	}
	var services []*config.Service
	for _, name := range names {
		s := &config.Service{Host: config.Host{Network: network, Probe: a.probe}}
		s.Settings.Service = name
		services = append(services, s)
	}
	all, err := swap.ReadMeasures(ctx, w, services)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := metricsText(&text, all); err != nil {
		return err
	}
	return atomicwriter.WriteFile(a.metricsPath, text.Bytes(), 0o644)
}

// networkOfRun is the network that this command was about.
func (a *app) networkOfRun(ctx context.Context) string {
	if a.ended != nil {
		return cmp.Or(a.ended.request.Service.Host.Network, a.networkOrDefault())
	}
	return a.networkHere(ctx)
}
