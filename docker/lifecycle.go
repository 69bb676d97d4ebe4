package docker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// creation is a container to be made.
type creation struct {
	name     string
	config   *container.Config
	host     *container.HostConfig
	endpoint map[string]*network.EndpointSettings // at most one: more is an error of API 1.41
	platform *ocispec.Platform
}

// create makes a container, or surely does not: the request goes on when ctx ends in the middle of it, because nobody
// would know about the container otherwise, and what it made is then taken away again.
func (c *Client) create(ctx context.Context, n creation) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", c.explain(err, "create container %s", n.name)
	}
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	net := &network.NetworkingConfig{EndpointsConfig: n.endpoint}
	made, err := c.api.ContainerCreate(sure, n.config, n.host, net, n.platform, n.name)
	if err != nil {
		return "", c.explain(err, "create container %s", n.name)
	}
	if err := ctx.Err(); err != nil {
		c.discard(ctx, made.ID)
		return "", c.explain(err, "create container %s", n.name)
	}
	return made.ID, nil
}

// discard removes a container that is of no use any more, also when ctx has ended. A failure is not worth hiding
// the reason for it: whatever is left is still in state created or exited and carries our labels.
func (c *Client) discard(ctx context.Context, id string) {
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	_ = c.Remove(sure, id)
}

// Start starts a created or stopped container; one that runs is success. *PortTakenError when a published port is
// taken, *AddressTakenError when its fixed address is.
func (c *Client) Start(ctx context.Context, id string) error {
	err := c.api.ContainerStart(ctx, id, container.StartOptions{})
	if err == nil {
		return nil
	}
	return c.taken(ctx, id, c.explain(err, "start container %s", id))
}

// stopTime bounds a stop whatever the container's grace period is.
const stopTime = 10 * time.Minute

// Stop stops with the container's own signal and grace period, and returns when it is stopped, also when ctx ends in
// between: the engine goes on stopping, and whoever started the container again too early would see it end. A
// stopped one is success.
func (c *Client) Stop(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return c.explain(err, "stop container %s", id)
	}
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return c.explain(c.api.ContainerStop(sure, id, container.StopOptions{}), "stop container %s", id)
}

// Rename gives a container another name.
func (c *Client) Rename(ctx context.Context, id, name string) error {
	return c.explain(c.api.ContainerRename(ctx, id, name), "rename container %s to %s", id, name)
}

// Remove removes a container, by force, with its anonymous volumes. One that is gone is success.
func (c *Client) Remove(ctx context.Context, id string) error {
	err := c.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsConflict(err) {
		// "removal is already in progress" by somebody else: what was asked for happens.
		return nil
	}
	return c.explain(absentIsFine(err), "remove container %s", id)
}

// Exit is how a container ended.
type Exit struct {
	Code      int
	OOMKilled bool
	Err       error // the waiting itself failed
}

// Wait returns a channel that gets one Exit when the container stops running (at once when it is
// already stopped), and nothing when ctx ends first.
func (c *Client) Wait(ctx context.Context, id string) <-chan Exit {
	ended := make(chan Exit, 1)
	go func() {
		exit := c.wait(ctx, id)
		if ctx.Err() == nil {
			ended <- exit
		}
	}()
	return ended
}

func (c *Client) wait(ctx context.Context, id string) Exit {
	answers, failures := c.api.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case err := <-failures:
		return Exit{Err: c.explain(err, "wait for container %s", id)}
	case a := <-answers:
		exit := Exit{Code: int(a.StatusCode)}
		if found, err := c.Container(ctx, id); err == nil {
			exit.OOMKilled = found.OOMKilled
			if exit.Code == 0 && found.RestartPolicy != "no" { // started again already, the engine may have forgotten
				exit.Code = c.lastExit(ctx, id)
			}
		}
		return exit
	}
}

// exitAgo is how far back lastExit looks, askTime how long it may take.
const (
	exitAgo = time.Minute
	askTime = 2 * time.Second
)

// lastExit is the exit code with which a container ended last, by what the engine told when it did; 0 when it does not say.
func (c *Client) lastExit(ctx context.Context, id string) (code int) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	now := time.Now() // where the engine's clock is another one, it may not find it
	told, failed := c.api.Events(ctx, events.ListOptions{
		Since: strconv.FormatInt(now.Add(-exitAgo).Unix(), 10), Until: fmt.Sprintf("%d.%09d", now.Unix(), now.Nanosecond()),
		Filters: filters.NewArgs(filters.Arg("container", id), filters.Arg("event", string(events.ActionDie))),
	})
	for {
		select {
		case e := <-told:
			if n, err := strconv.Atoi(e.Actor.Attributes["exitCode"]); err == nil {
				code = n
			}
		case <-failed: // its end, too
			return code
		}
	}
}
