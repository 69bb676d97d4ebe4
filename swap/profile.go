package swap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"bluegreen/docker"
)

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
		return j.halt(ctx, c)
	}
	if err := j.w.Stop(ctx, c.ID); err != nil {
		return err
	}
	return j.w.Remove(ctx, c.ID)
}

// halt stops a container that is to stay where it is: an engine that restarts would bring it back otherwise.
func (j *job) halt(ctx context.Context, c *docker.Container) error {
	if c.RestartPolicy != noRestart {
		if err := j.w.SetRestartPolicy(ctx, c.ID, noRestart); err != nil {
			return err
		}
	}
	return j.w.Stop(ctx, c.ID)
}

// noRestart is the policy of what is stopped on purpose, and of what was never healthy.
const noRestart = "no"

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
	live, _ := j.obs.Live()
	if prev.Running() && live.Profile.Name != s.Profile { // the engine may be stopping it: it is started when that is over
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
	var down error
	if j.toRun(s, prev) { // before it has its name: of a run that is killed in between, settle knows that it was not done
		down = j.revive(ctx, prev.ID)
		if prev, err = j.find(ctx, prevName(j.service(), s.Profile)); err != nil || prev == nil {
			return errors.Join(down, err)
		}
	}
	if err := j.w.Rename(ctx, prev.ID, containerName(j.service(), s.Profile)); err != nil {
		return errors.Join(down, err)
	}
	if down != nil {
		return down // it is where the next command looks for it
	}
	return j.startAgain(ctx, s)
}

// toRun says whether a container is one that is to run in its place: it did when the run began, or is brought back for that.
func (j *job) toRun(s Step, c *docker.Container) bool {
	was := j.obs.Place(s.Profile)
	if s.Kind == StepRestore && !j.Service.Settings.KeepOld && j.Command != Rollback {
		return false // it was at rest
	}
	return s.Kind == StepRestore || runs(was) && was.Container.ID == c.ID || was.Prev != nil && was.Prev.ID == c.ID
}

// startAgain starts the container in a profile's place as it was before, restart policy included, if
// it is one that was running when the run began.
func (j *job) startAgain(ctx context.Context, s Step) error {
	was := j.obs.Place(s.Profile)
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil {
		return err
	}
	if !j.toRun(s, c) {
		return nil
	}
	if err := j.revive(ctx, c.ID); err != nil {
		return err
	}
	policy := c.Labels[LabelRestart]
	if runs(was) && was.Container.ID == c.ID && j.obs.fresh(was) {
		policy = was.Container.RestartPolicy // it may never have been healthy
	}
	return j.setPolicy(ctx, containerName(j.service(), s.Profile), policy)
}

// setPolicy gives the container of that name a restart policy that it does not have yet.
func (j *job) setPolicy(ctx context.Context, name, policy string) error {
	c, err := j.w.Container(ctx, name)
	if err != nil || policy == "" || c.RestartPolicy == policy {
		return err
	}
	return j.w.SetRestartPolicy(ctx, c.ID, policy)
}

// stop stops the idle container where it is.
func (j *job) stop(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil {
		return err
	}
	return j.halt(ctx, c)
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
	port := svc.AppPort(at.Profile)
	check, err := json.Marshal(svc.Settings.Health)
	if err != nil {
		return docker.ProfileSpec{}, fmt.Errorf("write label %s: %w", LabelHealth, err)
	}
	labels := map[string]string{
		LabelRole: RoleProfile, LabelNetwork: j.names.network, LabelService: j.service(), LabelProject: svc.Settings.Project,
		LabelProfile: profile, LabelRelease: strconv.Itoa(j.release), LabelConfigHash: j.hash, LabelImage: svc.Image,
		LabelPort: strconv.Itoa(at.Profile.Port), LabelHealth: string(check),
		LabelRun: j.run, LabelAddress: address, LabelContainerPort: strconv.Itoa(port), LabelRestart: docker.RestartPolicy(svc.Compose),
	}
	maps.Copy(labels, j.hostLabel())
	if j.image.Digest != "" {
		labels[LabelDigest] = j.image.Digest
	}
	return docker.ProfileSpec{
		Name: containerName(j.service(), profile), Image: j.image, Service: svc.Compose, Project: svc.ProjectDef, Env: svc.AppEnv(at.Profile),
		NetworkID: j.obs.Network.ID, NetworkName: j.names.network, Address: address, HostPort: at.Profile.Port, ContainerPort: port,
		Labels: labels,
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
	if err := j.halt(ctx, c); err != nil {
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
	return j.revive(ctx, c.ID)
}

// revive starts a stopped container; one that does not start any more, because a network of it was made anew, say, is
// itself made anew from its own configuration. A port that is taken, or one bad moment of the engine, is no reason for that.
func (j *job) revive(ctx context.Context, id string) error {
	first := j.w.Start(ctx, id)
	var port *docker.PortTakenError
	var address *docker.AddressTakenError
	if first == nil || errors.As(first, &port) || errors.As(first, &address) || ctx.Err() != nil {
		return first
	}
	if c, err := j.w.Container(ctx, id); err == nil && c.State == "paused" {
		if err := j.w.Stop(ctx, id); err != nil {
			return errors.Join(first, err)
		}
	}
	if j.w.Start(ctx, id) == nil {
		return nil
	}
	again, err := j.w.Recreate(ctx, id)
	if err != nil {
		return errors.Join(first, err)
	}
	return j.w.Start(ctx, again)
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
