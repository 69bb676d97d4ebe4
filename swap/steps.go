package swap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
)

// actions has what each kind of step does and how it is undone.
var actions map[Kind]action

func init() { // in a function: actions refer to jobs, whose methods refer to actions
	actions = map[Kind]action{
		StepNetwork: {do: (*job).createNetwork, undo: (*job).removeNetwork},
		StepNginx:   {do: (*job).startNginx, undo: (*job).removeNginx},
		StepDrain:   {do: (*job).drain},
		StepRetire:  {do: (*job).retire, undo: (*job).unretire},
		StepStop:    {do: (*job).stop, undo: (*job).startAgain},
		StepRestore: {do: (*job).unretire},
		StepCreate:  {do: (*job).create, undo: (*job).putAside},
		StepStart:   {do: (*job).startOld, undo: (*job).stopOld},
		StepHealth:  {do: (*job).health},
		StepSwitch:  {do: (*job).goLive, undo: (*job).switchBack},
		StepSite:    {do: (*job).changeSite, undo: (*job).switchBack},
		StepVerify:  {do: (*job).verify},
		StepWatch:   {do: (*job).watch},
		StepFinish:  {do: (*job).finish, late: true},
		StepRest:    {do: (*job).rest, late: true},
		StepOut:     {do: (*job).takeOut},
		StepRemove:  {do: (*job).removeAll},
		StepHost:    {do: (*job).removeHost},
	}
}

// logTail is how many lines of a container's log an error shows.
const logTail = 50

// shownLog is how much of them it shows at most, in bytes.
const shownLog = 32 << 10

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
	if c.Labels[LabelService] != j.service() {
		return nil, fmt.Errorf("container %s exists and is not bluegreen's: rename or remove it", name)
	}
	return &c, nil
}

// drain waits until old nginx workers, which may still use the idle profile, are gone.
func (j *job) drain(ctx context.Context, s Step) error {
	if !j.obs.NginxRuns() {
		return nil
	}
	return j.w.Drain(ctx, place{j}, j.Service.Settings.Drain, func(left int, since time.Duration) {
		j.emit(Event{Kind: Progress, Step: &s, Text: fmt.Sprintf("%d old nginx workers still finish their connections (%v)", left, since.Round(time.Second))})
	})
}

// retire takes the idle container out of its place. What was kept aside before stays there and the
// present one goes: it is a release that never was live, or its -prev would not be there any more.
func (j *job) retire(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil {
		return err
	}
	if err := j.checkPort(ctx, s.Profile, c.ID); err != nil {
		return err
	}
	prev, err := j.find(ctx, prevName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if prev == nil {
		// Renamed first: a run that is killed while the engine stops the container leaves a name that says so.
		if err := j.w.Rename(ctx, c.ID, prevName(j.service(), s.Profile)); err != nil {
			return err
		}
		return j.w.Stop(ctx, c.ID)
	}
	if err := j.w.Stop(ctx, c.ID); err != nil {
		return err
	}
	return j.w.Remove(ctx, c.ID)
}

// unretire brings -prev back into its place, running. Nothing is aside: the container in place, if
// there is one, is the one that was never moved, and only needs to run again.
func (j *job) unretire(ctx context.Context, s Step) error {
	prev, err := j.find(ctx, prevName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if prev == nil {
		return j.startAgain(ctx, s)
	}
	if prev.Running() { // the engine may be stopping it: it is started when that is over
		if err := j.w.Stop(ctx, prev.ID); err != nil {
			return err
		}
	}
	if c, err := j.find(ctx, containerName(j.service(), s.Profile)); err != nil {
		return err
	} else if c != nil {
		if err := j.w.Remove(ctx, c.ID); err != nil {
			return err
		}
	}
	if err := j.w.Rename(ctx, prev.ID, containerName(j.service(), s.Profile)); err != nil {
		return err
	}
	return j.startAgain(ctx, s)
}

// startAgain starts the container in a profile's place as it was before, restart policy included, if
// it is one that was running when the run began.
func (j *job) startAgain(ctx context.Context, s Step) error {
	was := j.obs.Place(s.Profile)
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil {
		return err
	}
	if s.Kind != StepRestore && !(runs(was) && was.Container.ID == c.ID) && !(was.Prev != nil && was.Prev.ID == c.ID) {
		return nil
	}
	return j.w.Start(ctx, c.ID)
}

// stop stops the idle container where it is.
func (j *job) stop(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil {
		return err
	}
	return j.w.Stop(ctx, c.ID)
}

// checkPort finds a foreign container on the profile's port before anything is stopped for it.
func (j *job) checkPort(ctx context.Context, profile, own string) error {
	port := j.obs.Place(profile).Profile.Port
	holder, held, err := j.w.PortHolder(ctx, port)
	if err != nil || !held || holder.ID == own {
		return err
	}
	return &docker.PortTakenError{Port: port, Holder: "container " + holder.Name, Err: errors.New("published by another container")}
}

// create creates and starts the new release in the idle profile.
func (j *job) create(ctx context.Context, s Step) error {
	if err := j.checkPort(ctx, s.Profile, ""); err != nil {
		return err
	}
	spec, err := j.profileSpec(s.Profile)
	if err != nil {
		return err
	}
	id, err := j.w.CreateProfile(ctx, spec)
	if err != nil {
		return err
	}
	return j.w.Start(ctx, id)
}

// profileSpec is the container of the wanted release in a profile.
func (j *job) profileSpec(profile string) (docker.ProfileSpec, error) {
	svc, at := j.Service, j.obs.Place(profile)
	if j.obs.Network == nil {
		return docker.ProfileSpec{}, fmt.Errorf("network %s is gone", j.names.network)
	}
	address, err := j.obs.Network.Address(at.Profile.Port)
	if err != nil {
		return docker.ProfileSpec{}, err
	}
	port := containerPort(svc.Settings, at.Profile)
	check, err := json.Marshal(svc.Settings.Health)
	if err != nil {
		return docker.ProfileSpec{}, fmt.Errorf("write label %s: %w", LabelHealth, err)
	}
	env := map[string]string{}
	for _, k := range svc.ProfileEnv {
		env[k] = profile
	}
	for _, k := range svc.PortEnv {
		env[k] = strconv.Itoa(port)
	}
	return docker.ProfileSpec{
		Name: containerName(j.service(), profile), Image: j.image, Service: svc.Compose, Project: svc.ProjectDef, Env: env,
		NetworkID: j.obs.Network.ID, NetworkName: j.names.network, Address: address, HostPort: at.Profile.Port, ContainerPort: port,
		Labels: map[string]string{
			LabelRole: RoleProfile, LabelNetwork: j.names.network, LabelService: j.service(), LabelProject: svc.Settings.Project,
			LabelProfile: profile, LabelRelease: strconv.Itoa(j.release), LabelConfigHash: j.hash, LabelImage: svc.Image,
			LabelPort: strconv.Itoa(at.Profile.Port), LabelHealth: string(check),
			LabelRun: j.run, LabelAddress: address, LabelContainerPort: strconv.Itoa(port), LabelRestart: docker.RestartPolicy(svc.Compose),
		},
	}, nil
}

// putAside undoes create: the failed container is kept for inspection, stopped, one at most. A release
// that was live for a moment may still have connections, which end first.
func (j *job) putAside(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil || c.Labels[LabelRun] != j.run {
		return err
	}
	if c.State == "created" {
		return j.w.Remove(ctx, c.ID)
	}
	j.drainSwitched(ctx, s)
	if err := j.w.SetRestartPolicy(ctx, c.ID, "no"); err != nil {
		return err
	}
	if err := j.w.Stop(ctx, c.ID); err != nil {
		return err
	}
	failed, err := j.find(ctx, failedName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if failed != nil {
		if err := j.w.Remove(ctx, failed.ID); err != nil {
			return err
		}
	}
	return j.w.Rename(ctx, c.ID, failedName(j.service(), s.Profile))
}

// startOld starts a stopped release again; when it does not start any more, it is made anew from its own
// configuration, with its networks attached by name.
func (j *job) startOld(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("container %s is gone", containerName(j.service(), s.Profile))
	}
	first := j.w.Start(ctx, c.ID)
	if first == nil {
		return nil
	}
	id, err := j.w.Recreate(ctx, c.ID)
	if err != nil {
		return errors.Join(first, err)
	}
	return j.w.Start(ctx, id)
}

// stopOld undoes startOld.
func (j *job) stopOld(ctx context.Context, s Step) error {
	j.drainSwitched(ctx, s)
	return j.stop(ctx, s)
}

// drainSwitched waits, in an undo, for the connections of a release that was switched back from.
func (j *job) drainSwitched(ctx context.Context, s Step) {
	if j.switched == switchNone {
		return
	}
	if err := j.drain(ctx, s); err != nil {
		j.note("warning: " + err.Error())
	}
}

// health waits until the profile answers as itself, then gives the container its real restart policy.
func (j *job) health(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("container %s is gone", containerName(j.service(), s.Profile))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended, exit := j.watchExit(ctx, c.ID)
	err = j.check(c, s, ended).Wait(ctx)
	var gone *health.EndedError
	if errors.As(err, &gone) {
		return j.ended(ctx, c.Name, exit())
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
func (j *job) check(c *docker.Container, s Step, ended <-chan struct{}) health.Check {
	h := j.settingsFor(c, j.obs.State.LastLive).Health
	probe := j.probe(j.obs.Place(s.Profile).Profile, c, j.obs.State.LastLive)
	check := health.Check{
		Get:      func(ctx context.Context) (string, error) { return j.w.Probe(ctx, probe) },
		Interval: h.Interval, Timeout: h.Timeout, Deadline: h.Deadline, Successes: h.Successes, Container: ended,
		Progress: func(t health.Try) { j.emit(Event{Kind: Progress, Step: &s, Text: tryText(t)}) },
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

// watchExit closes the channel when the container ends; exit tells how, once it has.
func (j *job) watchExit(ctx context.Context, id string) (ended chan struct{}, exit func() docker.Exit) {
	ended = make(chan struct{})
	var how docker.Exit
	wait := j.w.Wait(ctx, id)
	go func() {
		select {
		case how = <-wait:
			if how.Err == nil {
				close(ended)
			}
		case <-ctx.Done():
		}
	}()
	return ended, func() docker.Exit { <-ended; return how }
}

// ended is the error for a container that ended, with its last lines.
func (j *job) ended(ctx context.Context, name string, exit docker.Exit) error {
	return &EndedError{Container: name, Exit: exit, Log: j.tail(ctx, name)}
}

// withLog adds the last lines of a container that did not become ready.
func (j *job) withLog(ctx context.Context, c *docker.Container, err error) error {
	log := strings.TrimRight(j.tail(ctx, c.Name), "\n")
	if log == "" || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w\n  last lines of %s:\n    %s", err, c.Name, strings.ReplaceAll(log, "\n", "\n    "))
}

func (j *job) tail(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var b bytes.Buffer
	if err := j.w.Logs(ctx, name, docker.LogOptions{Tail: logTail}, &b, &b); err != nil {
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

// containerLabels are the labels of a lock or one-shot container of this run.
func (j *job) labels(role string, more map[string]string) map[string]string {
	l := map[string]string{LabelRole: role, LabelNetwork: j.names.network, LabelRun: j.run}
	maps.Copy(l, more)
	return l
}
