package docker

import (
	"context"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// Task is one command in a container that is made like a profile's, and removed at its end: with its image, environment,
// volumes and networks, but without its name, address and published port.
type Task struct {
	Profile ProfileSpec // NetworkID "": there is no bluegreen network yet
	Script  string      // for sh, in the place of the image's entry point; "" when Args says it
	Args    []string    // what the entry point is given, as `docker compose run` does
	Output  io.Writer
}

// taskGrace is how long a command that is told to end may take for that, in seconds.
const taskGrace = 5

// lastOutput is how long the output of a container that has ended may still be on its way.
const lastOutput = 5 * time.Second

// RunTask runs a command in a container of its own, copies what it prints while it does, and removes the container, also
// when ctx ends. A command that fails is no error: see the exit code. *NoCommandError when the image has no such command.
func (c *Client) RunTask(ctx context.Context, t Task) (code int, err error) {
	id, err := c.createTask(ctx, t)
	if err != nil {
		return 0, err
	}
	defer c.discard(ctx, id)
	tell, err := c.script(ctx, id, t.Script)
	if err != nil {
		return 0, err
	}
	defer tell.Close()
	if err := c.Start(ctx, id); err != nil {
		if isNoCommand(err) {
			return 0, &NoCommandError{Image: t.Profile.Image.Ref, Cmd: t.program(), Err: err}
		}
		return 0, err
	}
	shown, stop := c.follow(ctx, id, t.Output)
	defer stop()
	exit := c.wait(ctx, id)
	if ctx.Err() != nil {
		c.endTask(ctx, id)
	}
	select {
	case <-shown:
	case <-time.After(lastOutput):
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return exit.Code, exit.Err
}

// scriptFromStdin has sh read its script from stdin, whole, and run it: it may hold what compose put in for a variable, and a
// container's command is for everybody to read who may look at processes. What the script itself reads finds the end at once.
const scriptFromStdin = `if command -v cat >/dev/null; then bluegreen_script=$(cat); else
bluegreen_script=
while IFS= read -r bluegreen_line; do bluegreen_script="$bluegreen_script$bluegreen_line
"; done
unset bluegreen_line
fi
exec </dev/null
eval "$bluegreen_script"`

// script gives a container that is not started yet what it will read from stdin; "" is nothing. The caller closes what it
// returns when the container has ended.
func (c *Client) script(ctx context.Context, id, text string) (io.Closer, error) {
	if text == "" {
		return io.NopCloser(nil), nil
	}
	stdin, err := c.api.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: true})
	if err != nil {
		return nil, c.explain(err, "attach to container %s", id)
	}
	go func() {
		_, _ = io.WriteString(stdin.Conn, text+"\n") // a container that ends reads no more of it
		_ = stdin.CloseWrite()
	}()
	return stdin.Conn, nil
}

// program is what a task runs, as far as it is not a person's own text.
func (t Task) program() string {
	if t.Script != "" {
		return "sh"
	}
	return "the one that its hook names"
}

func (c *Client) createTask(ctx context.Context, t Task) (string, error) {
	v, others, err := c.prepare(ctx, t.Profile)
	if err != nil {
		return "", err
	}
	n := t.creation(v)
	if n.endpoint == nil && len(others) > 0 {
		n.host.NetworkMode = container.NetworkMode(others[0].id)
		others = others[1:]
	}
	return c.createAttached(ctx, n, others)
}

// creation leaves out of a profile's configuration what there can be only one of, and what speaks of the release: labels of the
// service's own would let others take the task for one.
func (t Task) creation(v *conversion) creation {
	s := t.Profile
	v.config.Image = s.Image.ID
	v.config.Env = override(v.config.Env, s.Env)
	v.config.Labels = s.Labels
	v.config.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
	v.config.Hostname = ""
	v.config.Tty, v.config.OpenStdin = false, false // nobody types
	if v.config.Cmd = t.Args; t.Script != "" {
		v.config.Entrypoint, v.config.Cmd = []string{"sh", "-c", scriptFromStdin}, nil
		v.config.OpenStdin, v.config.StdinOnce, v.config.AttachStdin = true, true, true
	}
	// The output is read from the log, which another driver may not give back.
	v.host.LogConfig = container.LogConfig{Type: "json-file"}
	v.host.RestartPolicy = container.RestartPolicy{}
	n := creation{name: s.Name, config: v.config, host: v.host, platform: v.platform}
	if s.NetworkID != "" {
		v.host.NetworkMode = container.NetworkMode(s.NetworkID)
		n.endpoint = map[string]*network.EndpointSettings{s.NetworkName: {NetworkID: s.NetworkID}}
	}
	return n
}

// follow copies a container's output until its end; stop ends that early.
func (c *Client) follow(ctx context.Context, id string, to io.Writer) (shown <-chan struct{}, stop context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Logs(ctx, id, LogOptions{Follow: true}, to, to) // it is only shown
	}()
	return done, func() {
		cancel()
		<-done // nobody writes any more
	}
}

// endTask tells a task to end, and kills it when it does not.
func (c *Client) endTask(ctx context.Context, id string) {
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	seconds := taskGrace
	_ = c.api.ContainerStop(sure, id, container.StopOptions{Timeout: &seconds}) // the removal by force comes next
}
