// Package hook runs a command of a team's own on this machine, shows what it prints, and ends it with all that it started
// when its time is over.
package hook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Command is what is to be run.
type Command struct {
	Script string   // for sh; "" when Args says it
	Args   []string // a program and its arguments
	Dir    string   // where it runs; "" the process's own
	Env    []string // K=V, beside the process's own environment
	Output io.Writer
}

// ExitError says that a command ended by itself, and not well.
type ExitError struct {
	Code int
	How  string // "signal: killed", when there is no code
}

func (e *ExitError) Error() string {
	if e.How != "" {
		return "was ended by a " + e.How
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// EndedError says that a command was ended, since the context had: see its Unwrap.
type EndedError struct{ Err error }

func (e *EndedError) Error() string { return "was ended with all that it had started" }
func (e *EndedError) Unwrap() error { return e.Err }

// grace is how long a command that is told to end, and whoever holds its output after it, may take for that.
const grace = 5 * time.Second

// mark is the variable that a command's children have, by which they are found.
const mark = "BLUEGREEN_HOOK_ID"

// Run runs the command and waits for its end. When ctx ends first, the command and its children get SIGTERM, and SIGKILL five
// seconds later. *ExitError when it failed, *EndedError when ctx ended; any other error: it could not be started. What it left
// running in the background when it ended well is left alone.
func (c Command) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &EndedError{Err: err}
	}
	id := mark + "=" + rand.Text()
	cmd, script, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Env = c.Dir, append(append(os.Environ(), c.Env...), id)
	cmd.Stdout, cmd.Stderr = c.Output, c.Output
	cmd.Cancel, cmd.WaitDelay = func() error { return askToEnd(cmd.Process) }, grace
	over := guarded(id)
	defer over()
	err = start(cmd, script)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		if cmd.Process != nil {
			endAll(cmd.Process, id)
		}
		return &EndedError{Err: ctx.Err()}
	case errors.As(err, &exit):
		e := &ExitError{Code: exit.ExitCode()}
		if !exit.Exited() {
			e.How = exit.String()
		}
		return e
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well, and something that it left running has its output
	}
	return fmt.Errorf("cannot be run: %w", err)
}

// prepare makes the process's description. A script may hold what compose put in for a variable: it goes to sh through a pipe,
// since a process's arguments are for everybody to read.
func (c Command) prepare(ctx context.Context) (cmd *exec.Cmd, script string, err error) {
	if c.Script == "" {
		cmd = exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
		alone(cmd)
		return cmd, "", nil
	}
	sh, err := shell()
	if err != nil {
		return nil, "", err
	}
	cmd = exec.CommandContext(ctx, sh, scriptAt)
	alone(cmd)
	return cmd, c.Script, nil
}

func shell() (string, error) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		err = errors.New("is a script, and there is no sh here: give a program and its arguments as a list, or run it `in: container`")
	}
	return sh, err
}

// Check says why the command could not even be started here, as far as that is to be seen without running it.
func (c Command) Check() error {
	if c.Script != "" {
		_, err := shell()
		return err
	}
	program := c.Args[0]
	if filepath.Base(program) != program && !filepath.IsAbs(program) {
		program = filepath.Join(c.Dir, program) // as os/exec finds it
	}
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("cannot be run: %w", err)
	}
	return nil
}
