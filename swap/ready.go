package swap

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
)

// logTail is how many lines of a container's log an error shows.
const logTail = 50

// shortTail is as much for one that still runs: most of it is of the probes themselves.
const shortTail = 15

// shownLog is how much of them it shows at most, in bytes.
const shownLog = 32 << 10

// health waits until the profile answers as itself, then gives the container its real restart policy.
func (j *job) health(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("container %s is gone", containerName(j.service(), s.Profile))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended, exit := j.watchExit(ctx, c.ID, cancel)
	check := j.check(c, s, ended)
	check.Get = j.unlessNobodyAsks(check.Get, cancel)
	err = check.Wait(ctx)
	var gone *health.EndedError
	if errors.As(err, &gone) {
		return j.ended(ctx, c.Name, exit())
	}
	if lost := cmp.Or(engineLost(ctx), nobodyAsked(ctx)); lost != nil {
		return lost
	}
	if err != nil {
		return j.withLog(ctx, c, err)
	}
	if policy := c.Labels[LabelRestart]; policy != "" && policy != c.RestartPolicy {
		err = j.w.SetRestartPolicy(ctx, c.ID, policy)
	}
	j.healthyAt = time.Now()
	return err
}

// check is the health loop for a container.
func (j *job) check(c *docker.Container, step Step, ended <-chan struct{}) health.Check {
	s := j.settingsFor(c, j.obs.State.LastLive)
	h := s.Health
	probe := j.probe(j.obs.Place(step.Profile).Profile, c, j.obs.State.LastLive)
	check := health.Check{
		Get:      func(ctx context.Context) (string, error) { return j.w.Probe(ctx, probe) },
		Interval: h.Interval, Timeout: j.patience(s), Deadline: h.Deadline, Successes: h.Successes, Container: ended,
		Progress: func(t health.Try) { j.emit(Event{Kind: Progress, Step: &step, Text: tryText(t)}) },
	}
	if c.Healthcheck {
		check.Docker = func(ctx context.Context) (string, error) {
			now, err := j.w.Container(ctx, c.ID)
			return now.Health, err
		}
	}
	return check
}

func tryText(t health.Try) string {
	if t.Err != nil {
		return fmt.Sprintf("try %d: %v", t.N, t.Err)
	}
	return fmt.Sprintf("try %d: %s", t.N, t.Detail)
}

// watchExit closes the channel when the container ends; exit tells how, once it has. When the engine goes away, which
// takes its containers' published ports with it, lose ends the context that it was called with.
func (j *job) watchExit(ctx context.Context, id string, lose context.CancelCauseFunc) (ended chan struct{}, exit func() docker.Exit) {
	ended = make(chan struct{})
	var how docker.Exit
	wait := j.w.Wait(ctx, id)
	go func() {
		var away *docker.UnreachableError
		select {
		case how = <-wait:
			switch {
			case how.Err == nil:
				close(ended)
			case errors.As(how.Err, &away):
				lose(how.Err)
			}
		case <-ctx.Done():
		}
	}()
	return ended, func() docker.Exit { <-ended; return how }
}

// engineLost is why a context ended: the engine went away; nil otherwise.
func engineLost(ctx context.Context) error {
	var away *docker.UnreachableError
	if err := context.Cause(ctx); errors.As(err, &away) {
		return err
	}
	return nil
}

// ended is the error for a container that ended, with its last lines.
func (j *job) ended(ctx context.Context, name string, exit docker.Exit) error {
	return &EndedError{Container: name, Exit: exit, Log: j.tail(ctx, name)}
}

// withLog adds the last lines of a container that did not become ready.
func (j *job) withLog(ctx context.Context, c *docker.Container, err error) error {
	log := strings.TrimRight(j.logOf(ctx, c.Name, docker.LogOptions{Tail: shortTail}), "\n")
	if log == "" || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w\n  last lines of %s:\n    %s", err, c.Name, strings.ReplaceAll(log, "\n", "\n    "))
}

// tail is the end of a container's log.
func (j *job) tail(ctx context.Context, name string) string {
	return j.logOf(ctx, name, docker.LogOptions{Tail: logTail})
}

func (j *job) logOf(ctx context.Context, name string, o docker.LogOptions) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var b bytes.Buffer
	if err := j.w.Logs(ctx, name, o, &b, &b); err != nil {
		return "(its log could not be read: " + err.Error() + ")"
	}
	return lastBytes(b.String(), shownLog)
}

// lastBytes shortens a text from its beginning.
func lastBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return "…" + strings.ToValidUTF8(s[len(s)-most:], "")
}
