package nginx

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed apply.sh
var applyScript string

// How the script ends.
const (
	exitOK        = 0
	exitRefused   = 10
	exitUnchanged = 11
	exitChanged   = 12
	exitNoSignal  = 13
	exitFenced    = 14
	exitUnread    = 15
)

// TestError says that nginx refused the candidate; nothing was changed.
type TestError struct {
	Output string // nginx's own words
}

func (e *TestError) Error() string { return "nginx refuses the configuration: " + e.Output }

// NotReadError says that an adopted nginx does not read our files: its configuration lacks the lines that include them. All
// is as it was.
type NotReadError struct {
	Files []string // full paths
}

func (e *NotReadError) Error() string {
	return "nginx's own configuration does not include " + strings.Join(e.Files, " and ")
}

// UnchangedError says that a change failed before anything was changed.
type UnchangedError struct{ Output string }

func (e *UnchangedError) Error() string { return "nothing was changed: " + e.Output }

// ErrFenced is wrapped when a later run began to change nginx's files in the middle of the change: it is over, and the
// later run's word counts.
var ErrFenced = errors.New("a later run took over")

// Apply makes the change in one command. A *TestError and an *UnchangedError mean that nothing was changed. The caller holds the host lock, unless it only appends lines (Change.OnlyLines).
func Apply(ctx context.Context, p Place, c Change) error {
	if c.Own != nil {
		return apply(ctx, p, c.Own.Root, c)
	}
	return apply(ctx, p, Root, c)
}

func apply(ctx context.Context, p Place, root string, c Change) error {
	args, err := c.arguments(root)
	if err != nil {
		return fmt.Errorf("apply nginx configuration: %w", err)
	}
	r, err := p.Run(ctx, append([]string{"sh", "-c", applyScript, "bluegreen"}, args...))
	if err != nil {
		return fmt.Errorf("apply nginx configuration: %w", err)
	}
	if r.ExitCode == exitRefused {
		candidate := root + "/.try-" + c.Run + "/"
		return &TestError{Output: strings.ReplaceAll(strings.TrimSpace(r.Stdout), candidate, "")}
	}
	if err := r.failure(); err != nil {
		return fmt.Errorf("apply nginx configuration: %w", err)
	}
	return nil
}

// failure puts the script's end into words.
func (r Result) failure() error {
	switch {
	case r.ExitCode == exitOK:
		return nil
	case r.ExitCode == exitUnchanged:
		return &UnchangedError{Output: r.output()}
	case r.ExitCode == exitChanged:
		return fmt.Errorf("some files may be changed: %s", r.output())
	case r.ExitCode == exitNoSignal:
		return fmt.Errorf("the files are written, but nginx took no reload: %s", r.output())
	case r.ExitCode == exitFenced:
		return ErrFenced
	case r.ExitCode == exitUnread:
		return &NotReadError{Files: strings.Split(strings.TrimSpace(r.Stdout), "\n")}
	case notRunnable(r.ExitCode):
		return fmt.Errorf("the container lacks sh or nginx, or cannot run them: %s", r.output())
	case r.ExitCode > 128:
		return fmt.Errorf("the command was killed by signal %d before its end", r.ExitCode-128)
	}
	return fmt.Errorf("exit code %d: %s", r.ExitCode, r.output())
}

// notRunnable: what shells and container runtimes say when there is no such command, or no leave to run it.
func notRunnable(code int) bool { return code == 126 || code == 127 }

func (r Result) output() string {
	return strings.TrimSpace(strings.TrimSpace(r.Stdout) + "\n" + strings.TrimSpace(r.Stderr))
}
