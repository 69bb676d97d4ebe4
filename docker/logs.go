package docker

import (
	"context"
	"io"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// LogOptions choose what of a log to show.
type LogOptions struct {
	Tail       int // last lines; 0: all
	Follow     bool
	Timestamps bool
	OnlyStderr bool
	Since      string // a time (RFC 3339, Unix seconds) or a duration back from now (10m)
}

// Logs copies a container's log. A container with a terminal has one stream: all of it goes to stdout.
func (c *Client) Logs(ctx context.Context, id string, o LogOptions, stdout, stderr io.Writer) error {
	found, err := c.api.ContainerInspect(ctx, id)
	if err != nil {
		return c.explain(err, "read log of container %s", id)
	}
	tail := "all"
	if o.Tail > 0 {
		tail = strconv.Itoa(o.Tail)
	}
	stream, err := c.api.ContainerLogs(ctx, id, container.LogsOptions{
		ShowStdout: !o.OnlyStderr, ShowStderr: true,
		Tail: tail, Follow: o.Follow, Timestamps: o.Timestamps, Since: o.Since,
	})
	if err != nil {
		return c.explain(err, "read log of container %s", id)
	}
	defer stream.Close()
	if found.Config.Tty {
		_, err = io.Copy(stdout, stream)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, stream)
	}
	return c.explain(err, "read log of container %s", id)
}
