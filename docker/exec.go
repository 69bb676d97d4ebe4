package docker

import (
	"bytes"
	"context"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// ExecResult is what a command printed and how it ended.
type ExecResult struct {
	Stdout, Stderr string
	ExitCode       int
}

// Exec runs a command in a running container as user 0, without stdin. A command that fails is no error: see ExitCode.
// When ctx ends the command goes on; only the waiting for it is over.
func (c *Client) Exec(ctx context.Context, id string, cmd []string) (ExecResult, error) {
	made, err := c.api.ContainerExecCreate(ctx, id, container.ExecOptions{User: "0", AttachStdout: true, AttachStderr: true, Cmd: cmd})
	if err != nil {
		return ExecResult{}, c.explain(err, "run %s in container %s", cmd[0], id)
	}
	result, err := c.collect(ctx, made.ID)
	if err == nil {
		result.ExitCode, err = c.exitCode(ctx, made.ID)
	}
	return result, c.explain(err, "run %s in container %s", cmd[0], id)
}

// collect starts the command and reads its output to the end.
func (c *Client) collect(ctx context.Context, exec string) (ExecResult, error) {
	stream, err := c.api.ContainerExecAttach(ctx, exec, container.ExecAttachOptions{})
	if err != nil {
		return ExecResult{}, err
	}
	defer stream.Close()
	// The connection was taken out of the HTTP client's hands and with it out of the context's.
	defer context.AfterFunc(ctx, stream.Close)()
	var stdout, stderr bytes.Buffer
	_, err = stdcopy.StdCopy(&stdout, &stderr, stream.Reader)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return ExecResult{Stdout: stdout.String(), Stderr: stderr.String()}, err
}

// exitCode asks until the engine knows that the command has ended: it may still call it running for a moment after
// the end of its output.
func (c *Client) exitCode(ctx context.Context, exec string) (int, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		state, err := c.api.ContainerExecInspect(ctx, exec)
		if err != nil || !state.Running {
			return state.ExitCode, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
	}
}
