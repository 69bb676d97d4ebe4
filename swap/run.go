package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bluegreen/docker"
)

// undoTime bounds the undos of a failed run: the longest of them waits for a drain and stops two containers.
const undoTime = 5 * time.Minute

// action is what a kind of step does, and what makes it undone. An undo must also be right when its step
// stopped half-way, or did nothing at all.
type action struct {
	do   func(*job, context.Context, Step) error
	undo func(*job, context.Context, Step) error // nil: nothing has to be undone
	late bool                                    // comes after the swap: a failure is a warning
}

// perform runs the plan's steps in order. When one fails, it and those before it are undone in reverse.
func (j *job) perform(ctx context.Context, p Plan) error {
	j.release = p.Release
	var away *docker.UnreachableError
	for i, s := range p.Steps {
		err := j.step(ctx, s)
		switch {
		case err == nil:
			continue
		case j.switched == switchConfirmed && errors.As(err, &away):
			return fmt.Errorf("release %d is live and stays so; it was no longer watched: %w", p.Release, err)
		case ctx.Err() != nil && j.switched == switchConfirmed:
			return j.endEarly(ctx, p, i)
		case actions[s.Kind].late:
			j.note("warning: " + s.Text + ": " + err.Error())
			continue
		}
		return j.failed(ctx, p.Steps[:i+1], err)
	}
	j.outcome = outcomeOfDone(p)
	return nil
}

// endEarly ends a run whose context ended after the swap: the new release stays, and of the steps that are
// left only the one that takes a moment is done.
func (j *job) endEarly(ctx context.Context, p Plan, at int) error {
	j.outcome = outcomeOfDone(p)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	for _, s := range p.Steps[at:] {
		if s.Kind != StepFinish {
			continue
		}
		if err := j.step(last, s); err != nil {
			j.note("warning: " + s.Text + ": " + err.Error())
		}
	}
	if errors.Is(context.Cause(ctx), ErrLockLost) {
		return fmt.Errorf("release %d was made live, and no longer watched: %w", p.Release, ErrLockLost)
	}
	return &InterruptedError{What: fmt.Sprintf("release %d is live and stays so; it was no longer watched", p.Release)}
}

func (j *job) step(ctx context.Context, s Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := j.proveLock(ctx); errors.Is(err, ErrLockLost) {
		return err
	}
	j.emit(Event{Kind: StepStarted, Step: &s})
	j.current, j.currentBegan = s.Name(), time.Now()
	err := actions[s.Kind].do(j, ctx, s)
	took := time.Since(j.currentBegan)
	j.timings, j.current = j.stepsSoFar(), ""
	if err != nil {
		j.emit(Event{Kind: StepFailed, Step: &s, Duration: took, Err: err})
		return err
	}
	j.emit(Event{Kind: StepDone, Step: &s, Duration: took})
	return nil
}

// stepsSoFar are the steps with how long they took, the one under way included.
func (j *job) stepsSoFar() []Timing {
	list := slices.Clone(j.timings)
	if list == nil {
		list = []Timing{} // a list in JSON, too
	}
	if j.current != "" {
		list = append(list, Timing{Step: j.current, MS: time.Since(j.currentBegan).Milliseconds()})
	}
	return list
}

// failed undoes the steps in reverse and joins what went wrong on the way to the first error.
func (j *job) failed(ctx context.Context, steps []Step, cause error) error {
	wasLive := j.switched == switchConfirmed
	err := error(&StepError{Step: steps[len(steps)-1], Err: cause})
	if errors.Is(context.Cause(ctx), ErrLockLost) {
		return ErrLockLost // what is there now may be another run's
	}
	if ctx.Err() != nil {
		err = interrupted(ctx, fmt.Sprintf("during %q; what was begun is undone%s", steps[len(steps)-1].Text, lastSeen(cause)))
	}
	j.cause = err
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	j.awaitEngine(ctx, cause)
	for i := len(steps) - 1; i >= 0; i-- {
		if e := j.proveLock(ctx); errors.Is(e, ErrLockLost) && errors.Is(err, ErrLockLost) {
			return err // what is there now may be another run's
		} else if errors.Is(e, ErrLockLost) {
			return errors.Join(err, e)
		}
		if e := j.undo(ctx, steps[i]); e != nil {
			err = errors.Join(err, e)
		}
		if k := steps[i].Kind; (k == StepSwitch || k == StepSite || k == StepPause) && j.switched != switchNone && !j.switchedBack {
			break // nginx may still use the new release: it stays as it is, and the next command settles it
		}
	}
	if wasLive && j.switchedBack && j.obs.Include != nil {
		return &SwitchedBackError{Err: err}
	}
	if j.switched != switchNone && !j.switchedBack {
		_ = j.observe(ctx) // what is live now is not what this run believes
	}
	return err
}

// engineBack is how long an engine that went away in the middle of a run, because it is restarted, say, is waited for
// before what was begun is undone; enginePause how often it is asked.
const (
	engineBack  = 30 * time.Second
	enginePause = 250 * time.Millisecond
)

// awaitEngine waits for an engine that a step could not reach. One that does not come back fails the undos, too; the next
// command settles what is left.
func (j *job) awaitEngine(ctx context.Context, cause error) {
	var away *docker.UnreachableError
	if !errors.As(cause, &away) {
		return
	}
	j.note(fmt.Sprintf("the Docker engine went away: waiting up to %v for it, to undo what was begun", engineBack))
	for end := time.Now().Add(engineBack); time.Now().Before(end) && errors.As(j.proveLock(ctx), &away); {
		time.Sleep(enginePause)
	}
}

// lastSeen is what an interrupted step said last, when that is more than that it was interrupted.
func lastSeen(cause error) string {
	if cause == context.Canceled || cause == context.DeadlineExceeded {
		return ""
	}
	return ": " + cause.Error()
}

// CutShort is interrupted, for a command that was not even begun.
func CutShort(ctx context.Context, what string) error { return interrupted(ctx, what) }

// interrupted is the error of a run whose context ended: by a signal, or by --timeout.
func interrupted(ctx context.Context, what string) error {
	if errors.Is(context.Cause(ctx), ErrLockLost) {
		return ErrLockLost
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("the command's --timeout passed: %s", what)
	}
	return &InterruptedError{What: what}
}

func (j *job) undo(ctx context.Context, s Step) error {
	undo := actions[s.Kind].undo
	if undo == nil {
		return nil
	}
	j.emit(Event{Kind: StepStarted, Step: &s, Undo: true})
	start := time.Now()
	if err := undo(j, ctx, s); err != nil {
		j.emit(Event{Kind: StepFailed, Step: &s, Undo: true, Duration: time.Since(start), Err: err})
		return fmt.Errorf("undo %q: %w", s.Text, err)
	}
	j.emit(Event{Kind: StepDone, Step: &s, Undo: true, Duration: time.Since(start)})
	return nil
}

// outcomeOfDone is how a plan that was run to its end is called.
func outcomeOfDone(p Plan) Outcome {
	switch {
	case p.Unchanged():
		return Unchanged
	case p.Command == Rollback:
		return RolledBack
	case p.has(StepPause):
		return Paused
	case p.has(StepSwitch):
		return Swapped
	}
	return Done
}

func (p Plan) has(k Kind) bool {
	for _, s := range p.Steps {
		if s.Kind == k {
			return true
		}
	}
	return false
}

// outcomeOf is the outcome of a run that ended with err.
func (j *job) outcomeOf(err error) Outcome {
	switch ExitCode(err) {
	case ExitDone:
		return j.outcome
	case ExitSwitchedBack:
		return RolledBack
	case ExitInterrupted:
		return Interrupted
	}
	return Failed
}
