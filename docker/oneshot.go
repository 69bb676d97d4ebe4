package docker

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
)

// OneShot is a container that runs one command and is removed.
type OneShot struct {
	Name, ImageID string
	Cmd           []string // replaces the image's entry point
	Volume, At    string   // named volume and where to mount it; "" for none
	Labels        map[string]string
	Network       string // "" = none
	Ports         []Port // that it publishes, on a Network
}

// NoCommandError says that an image lacks the command that was to run in it.
type NoCommandError struct {
	Image string
	Cmd   string
	Err   error
}

func (e *NoCommandError) Error() string {
	return fmt.Sprintf("image %s has no command %q", e.Image, e.Cmd)
}
func (e *NoCommandError) Unwrap() error { return e.Err }

// RunOnce runs one command in a container of its own (user 0, no network) and removes the container,
// also when ctx ends. A command that fails is no error: see ExitCode. *NoCommandError when the image has no such
// command, *PortTakenError when one of its ports is taken.
func (c *Client) RunOnce(ctx context.Context, o OneShot) (ExecResult, error) {
	id, err := c.create(ctx, o.creation())
	if err != nil {
		return ExecResult{}, err
	}
	defer c.discard(ctx, id)
	if err := c.Start(ctx, id); err != nil {
		if isNoCommand(err) {
			return ExecResult{}, &NoCommandError{Image: o.ImageID, Cmd: o.Cmd[0], Err: err}
		}
		return ExecResult{}, err
	}
	exit := c.wait(ctx, id)
	if exit.Err != nil {
		return ExecResult{}, exit.Err
	}
	var stdout, stderr bytes.Buffer
	err = c.Logs(ctx, id, LogOptions{}, &stdout, &stderr)
	return ExecResult{Stdout: stdout.String(), Stderr: stderr.String(), ExitCode: exit.Code}, err
}

func (o OneShot) creation() creation {
	host := &container.HostConfig{
		NetworkMode: network.NetworkNone,
		// The output is read from the log, which the engine's default driver may not give back.
		LogConfig: container.LogConfig{Type: "json-file"},
	}
	if o.Network != "" {
		host.NetworkMode = container.NetworkMode(o.Network)
	}
	if o.Volume != "" {
		host.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: o.Volume, Target: o.At}}
	}
	config := &container.Config{
		Image: o.ImageID, User: "0", Labels: o.Labels,
		Entrypoint: o.Cmd[:1], Cmd: o.Cmd[1:],
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
	}
	for _, p := range o.Ports {
		publish(config, host, p.HostIP, p.HostPort, p.Container)
	}
	return creation{name: o.Name, host: host, config: config}
}

// isNoCommand reads the runtime's words for a program that is not there.
func isNoCommand(err error) bool {
	text := err.Error()
	return strings.Contains(text, "executable file not found") ||
		strings.Contains(text, "exec:") && strings.Contains(text, "no such file or directory")
}
