package swap

import (
	"context"
	"fmt"
	"strings"

	"bluegreen/docker"
)

// settle finds out what an interrupted run left, and makes what is written and what runs agree. It never
// removes a running idle profile: a stage or a failed deploy may have left it on purpose.
func (j *job) settle(ctx context.Context) error {
	for _, d := range j.obs.Damage {
		j.note("warning: damaged, and made good from the rest: " + d)
	}
	fixes := []func(context.Context) (bool, error){j.settleNginx, j.clearHalfMade, j.bringBack, j.keepUp, j.reattach, j.settleIntent, j.followInclude, j.recordBroken, j.removeReplaced, j.clearTemporary}
	for _, fix := range fixes {
		did, err := fix(ctx)
		if err == nil && did {
			err = j.observe(ctx)
		}
		if err != nil {
			return fmt.Errorf("settle what an interrupted run left: %w", err)
		}
	}
	return j.clearHelpers(ctx)
}

// recordBroken gives the runs whose lock this one broke their line of history, and those that left a container and no word.
func (j *job) recordBroken(ctx context.Context) (changed bool, err error) {
	if j.obs.Nginx == nil {
		return false, nil
	}
	var runs []string
	for _, lock := range j.dead {
		runs = append(runs, lock[LabelRun])
	}
	for _, p := range j.obs.Places {
		if p.Container != nil && j.obs.fresh(p) && p.Container.Labels[LabelRun] != "" {
			runs = append(runs, p.Container.Labels[LabelRun])
		}
	}
	for _, run := range runs {
		if err := j.recordDead(ctx, run); err != nil {
			return changed, err
		}
	}
	return len(j.dead) > 0, nil
}

// clearHalfMade removes containers that a killed run created and never started. One of a release that was
// live was being made anew for a rollback and is all that is left of it: that one is started.
func (j *job) clearHalfMade(ctx context.Context) (changed bool, err error) {
	for _, c := range j.obs.HalfMade {
		at := j.obs.Place(c.Labels[LabelProfile]).Container
		if release(&c) <= j.obs.State.LastLive && (at == nil || at.ID == c.ID) {
			err = j.completeMade(ctx, c)
		} else {
			j.note("removing " + c.Name + ", which an interrupted run created and never started")
			err = j.removeHalfMade(ctx, c)
		}
		if err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// removeHalfMade removes a container, and lets the history keep its release's number, which is not given out again.
func (j *job) removeHalfMade(ctx context.Context, c docker.Container) error {
	if j.obs.Nginx != nil && release(&c) > 0 {
		if err := j.recordDead(ctx, c.Labels[LabelRun]); err != nil {
			return err
		}
	}
	return j.w.Remove(ctx, c.ID)
}

func (j *job) completeMade(ctx context.Context, c docker.Container) error {
	name := containerName(j.service(), c.Labels[LabelProfile])
	j.note("starting " + name + ", which an interrupted run was making anew")
	if c.Name != name {
		if err := j.w.Rename(ctx, c.ID, name); err != nil {
			return err
		}
	}
	if err := j.w.Start(ctx, c.ID); err != nil {
		j.note("warning: " + err.Error()) // a rollback will say so; other commands have no need of it
	}
	return nil
}

// bringBack brings back what a killed run had put aside for a release that is not there.
func (j *job) bringBack(ctx context.Context) (changed bool, err error) {
	for _, p := range j.obs.Places {
		if p.Container != nil || p.Prev == nil {
			continue
		}
		j.note("bringing " + p.Prev.Name + " back, which was put aside for a release that is not there")
		if err := j.unretire(ctx, Step{Kind: StepRestore, Profile: p.Profile.Name}); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// keepUp gives a release that runs and was live its restart policy, which a run that was killed while it stopped the
// container had taken away.
func (j *job) keepUp(ctx context.Context) (changed bool, err error) {
	for _, p := range j.obs.Places {
		c := p.Container
		if !runs(p) || j.obs.fresh(p) || c.Labels[LabelRestart] == "" || c.RestartPolicy != noRestart || c.Labels[LabelRestart] == noRestart {
			continue
		}
		j.note("giving " + c.Name + " its restart policy " + c.Labels[LabelRestart] + " back")
		if err := j.w.SetRestartPolicy(ctx, c.ID, c.Labels[LabelRestart]); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// removeReplaced removes what a run that ended after its swap had put aside.
func (j *job) removeReplaced(ctx context.Context) (changed bool, err error) {
	live, ok := j.obs.Live()
	if !ok || live.Prev == nil || live.Container == nil || j.obs.State.Intent != nil {
		return false, nil
	}
	if live.Prev.Running() { // somebody started it in place of a live one that ended: it has the address
		return false, nil
	}
	j.note("removing " + live.Prev.Name + ", which release " + live.Container.Labels[LabelRelease] + " replaced")
	return true, j.w.Remove(ctx, live.Prev.ID)
}

// clearHelpers removes the one-shots of killed runs on this network, and a host lock that one of them left. A run that is
// still under way has a lock that was there before its one-shots: hence the order of the questions.
func (j *job) clearHelpers(ctx context.Context) error {
	shots, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleOneShot})
	if err != nil {
		return err
	}
	busy, locks, err := j.busyRuns(ctx)
	if err != nil {
		return err
	}
	for _, l := range locks {
		if l.Name == j.names.lock && !busy[l.Labels[LabelRun]] {
			shots = append(shots, l)
		}
	}
	for _, c := range shots {
		if !busy[c.Labels[LabelRun]] {
			if err := j.w.Remove(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// busyRuns are the runs on this network that are under way, this one among them, and all locks.
func (j *job) busyRuns(ctx context.Context) (busy map[string]bool, locks []docker.Container, err error) {
	locks, err = j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleLock})
	busy = map[string]bool{j.run: true}
	for _, l := range locks {
		run := l.Labels[LabelRun]
		busy[run] = busy[run] || j.goneWhy(ctx, l) == ""
	}
	return busy, locks, err
}

// reattach gives a container that lost its fixed address (disconnected and connected by hand, say) that
// address back, and nginx its place on the network.
func (j *job) reattach(ctx context.Context) (changed bool, err error) {
	if j.obs.Network == nil {
		return false, nil
	}
	for _, c := range []*docker.Container{j.obs.Nginx, j.obs.Places[0].Container, j.obs.Places[1].Container} {
		did, err := j.attach(ctx, c)
		if err != nil {
			return changed, err
		}
		changed = changed || did
	}
	return changed, nil
}

// attachNginx attaches nginx as it is now.
func (j *job) attachNginx(ctx context.Context) (changed bool, err error) {
	c, err := j.w.Container(ctx, j.names.nginx)
	if err != nil || j.obs.Network == nil {
		return false, err
	}
	return j.attach(ctx, &c)
}

func (j *job) attach(ctx context.Context, c *docker.Container) (changed bool, err error) {
	if c == nil || !c.Running() || onHost(c) {
		return false, nil
	}
	address, network := c.Labels[LabelAddress], j.obs.Network
	if !j.obs.offNetwork(c) {
		return false, nil
	}
	at, on := c.Networks[network.Name]
	on = on && at.NetworkID == network.ID
	if j.adopted() && c.Name == j.names.nginx && !on {
		j.note(fmt.Sprintf("attaching %s, your nginx, to the network %s", c.Name, network.Name))
	} else {
		j.note(fmt.Sprintf("%s lost its place on the network %s: attaching it again", c.Name, strings.TrimSpace(network.Name+" "+address)))
	}
	if on {
		if err := j.w.Disconnect(ctx, network.ID, c.ID); err != nil {
			return false, err
		}
	}
	err = j.w.Connect(ctx, network.ID, c.ID, address)
	if err == nil || ctx.Err() != nil {
		return true, err
	}
	// Somebody made the network anew, with another subnet: a new release is reached there, and down takes it all away.
	j.note(fmt.Sprintf("warning: %s cannot be attached again: %v", c.Name, err))
	return on, nil
}
