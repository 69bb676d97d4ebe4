package swap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// actions has what each kind of step does and how it is undone.
var actions map[Kind]action

func init() { // in a function: actions refer to jobs, whose methods refer to actions
	actions = map[Kind]action{
		StepNetwork:    {do: (*job).createNetwork, undo: (*job).removeNetwork},
		StepNginx:      {do: (*job).startNginx, undo: (*job).removeNginx},
		StepDrain:      {do: (*job).drain},
		StepRetire:     {do: (*job).retire, undo: (*job).unretire},
		StepStop:       {do: (*job).stop, undo: (*job).startAgain},
		StepRestore:    {do: (*job).unretire},
		StepCreate:     {do: (*job).create, undo: (*job).putAside},
		StepStart:      {do: (*job).startOld, undo: (*job).stopOld},
		StepHealth:     {do: (*job).health},
		StepSwitch:     {do: (*job).goLive, undo: (*job).switchBack},
		StepSite:       {do: (*job).changeSite, undo: (*job).switchBack},
		StepReload:     {do: (*job).reloadAsIs},
		StepRecreate:   {do: (*job).recreateNginx, undo: (*job).putNginxBack},
		StepVerify:     {do: (*job).verify},
		StepWatch:      {do: (*job).watch},
		StepPause:      {do: (*job).pause, undo: (*job).switchBack},
		StepDiscard:    {do: (*job).discard, undo: (*job).undiscard},
		StepPreDeploy:  {do: (*job).runHooks},
		StepPreSwitch:  {do: (*job).runHooks},
		StepPostSwitch: {do: (*job).runHooks, late: true},
		StepOnFailure:  {undo: (*job).runHooks},
		StepFinish:     {do: (*job).finish, late: true},
		StepRest:       {do: (*job).rest, late: true},
		StepOut:        {do: (*job).takeOut},
		StepRemove:     {do: (*job).removeAll},
		StepHost:       {do: (*job).removeHost},
	}
}

// find looks a container of this service up by name; nil when there is none, an error when the name is
// somebody else's.
func (j *job) find(ctx context.Context, name string) (*docker.Container, error) {
	c, err := j.w.Container(ctx, name)
	if errors.Is(err, docker.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if other := c.Labels[LabelService]; other != j.service() && c.Labels[LabelRole] == RoleProfile {
		return nil, fmt.Errorf("container %s is service %s's: give one of the two services another name with x-bluegreen: {name: …}", name, other)
	}
	if c.Labels[LabelRole] != RoleProfile {
		return nil, fmt.Errorf("container %s exists and is not bluegreen's: rename or remove it", name)
	}
	return &c, nil
}

// drain waits until old nginx workers, which may still use the idle profile, are gone.
func (j *job) drain(ctx context.Context, s Step) error {
	if !j.obs.NginxRuns() {
		return nil
	}
	progress := func(left int, since time.Duration) {
		j.emit(Event{Kind: Progress, Step: &s, Text: fmt.Sprintf("%d old nginx workers still finish their connections (%v)", left, since.Round(time.Second))})
	}
	err := j.w.Drain(ctx, place{j}, j.Service.Settings.Drain, progress)
	var busy *nginx.NotDrainedError
	if err == nil || errors.As(err, &busy) || ctx.Err() != nil {
		return err
	}
	if _, e := j.workers(ctx); e != nil {
		return e // nginx is down, and stays so
	}
	return j.w.Drain(ctx, place{j}, j.Service.Settings.Drain, progress)
}

// finish removes what the new release replaced, and what failed before it.
func (j *job) finish(ctx context.Context, s Step) error {
	for _, name := range []string{prevName(j.service(), s.Profile), failedName(j.service(), s.Profile)} {
		c, err := j.find(ctx, name)
		if err == nil && c != nil {
			err = j.w.Remove(ctx, c.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rest stops the old profile once nothing can reach it any more.
func (j *job) rest(ctx context.Context, s Step) error {
	if err := j.drain(ctx, s); err != nil {
		return err
	}
	return j.stop(ctx, s)
}

// removeAll removes every container of the service, the profiles by their own stop signal first.
func (j *job) removeAll(ctx context.Context, s Step) error {
	own, err := j.w.Containers(ctx, map[string]string{LabelService: j.service(), LabelRole: RoleProfile})
	if err != nil {
		return err
	}
	for _, c := range own {
		if c.Running() {
			if err := j.w.Stop(ctx, c.ID); err != nil {
				return err
			}
		}
		if err := j.w.Remove(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// labels are the labels of a lock or one-shot container of this run.
func (j *job) labels(role string, more map[string]string) map[string]string {
	l := map[string]string{LabelRole: role, LabelNetwork: j.names.network, LabelRun: j.run}
	maps.Copy(l, more)
	return l
}
