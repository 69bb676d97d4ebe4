package swap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
)

// Exit codes, as the README lists them.
const (
	ExitDone         = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitLocked       = 3
	ExitSwitchedBack = 4
	ExitUnreachable  = 5
	ExitInterrupted  = 130
)

// ExitCode is the process's exit code for the error of a run.
func ExitCode(err error) int {
	var (
		usage       *config.Error
		endpoint    *docker.EndpointError
		unknown     *UnknownServiceError
		locked      *LockedError
		back        *SwitchedBackError
		unreachable *docker.UnreachableError
		interrupted *InterruptedError
	)
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &back):
		return ExitSwitchedBack
	case errors.As(err, &interrupted), errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.As(err, &locked):
		return ExitLocked
	case errors.As(err, &usage), errors.As(err, &unknown), errors.As(err, &endpoint):
		return ExitUsage
	case errors.As(err, &unreachable), errors.Is(err, ErrNginxDown):
		return ExitUnreachable
	}
	return ExitFailed
}

// ErrNginxDown is wrapped when nginx does not run and cannot be brought up.
var ErrNginxDown = errors.New("nginx is not running")

// DeclinedError: nobody said yes to what was planned, and nothing was done.
type DeclinedError struct{ Err error }

func (e *DeclinedError) Error() string { return e.Err.Error() }
func (e *DeclinedError) Unwrap() error { return e.Err }

// UnknownServiceError: neither a compose file nor the host knows the service.
type UnknownServiceError struct{ Service, Network string }

func (e *UnknownServiceError) Error() string {
	return fmt.Sprintf("service %q has never been deployed here (network %q), and no compose file describes it", e.Service, e.Network)
}

// LockedError says who holds the lock.
type LockedError struct {
	Lock   string // name of the lock container
	Holder map[string]string
}

func (e *LockedError) Error() string {
	h := e.Holder
	return fmt.Sprintf("locked by %s on %s: %q, process %s, since %s",
		h[LabelLockWho], h[LabelLockWhere], h[LabelLockCommand], h[LabelLockPID], MomentOf(h[LabelLockSince]))
}

// SwitchedBackError: the new release was live, failed, and the old one is live again.
type SwitchedBackError struct{ Err error }

func (e *SwitchedBackError) Error() string { return e.Err.Error() }
func (e *SwitchedBackError) Unwrap() error { return e.Err }

// EndedError says that a profile's container ended, and shows its last lines.
type EndedError struct {
	Container string
	Exit      docker.Exit
	Log       string
}

func (e *EndedError) Error() string {
	how := fmt.Sprintf("exited with code %d", e.Exit.Code)
	if e.Exit.OOMKilled {
		how += " (out of memory)"
	}
	text := fmt.Sprintf("container %s %s", e.Container, how)
	if log := strings.TrimRight(e.Log, "\n"); log != "" {
		return text + "; its last lines:\n    " + strings.ReplaceAll(log, "\n", "\n    ")
	}
	return text + "; it logged nothing"
}

// NothingToRollBackError says why there is no way back, and how to go on.
type NothingToRollBackError struct{ Why, Do string }

func (e *NothingToRollBackError) Error() string {
	return "nothing to roll back to: " + e.Why + ". " + e.Do
}

// InterruptedError says that a signal ended the run, and what is true now.
type InterruptedError struct{ What string }

func (e *InterruptedError) Error() string { return "interrupted: " + e.What }

// StepError says which step failed.
type StepError struct {
	Step Step
	Err  error
}

func (e *StepError) Error() string { return e.Step.Text + ": " + e.Err.Error() }
func (e *StepError) Unwrap() error { return e.Err }
