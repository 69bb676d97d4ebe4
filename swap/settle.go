package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// settle finds out what an interrupted run left, and makes what is written and what runs agree. It never
// removes a running idle profile: a stage or a failed deploy may have left it on purpose.
func (j *job) settle(ctx context.Context) error {
	for _, d := range j.obs.Damage {
		j.note("warning: damaged, and made good from the rest: " + d)
	}
	fixes := []func(context.Context) (bool, error){j.clearHalfMade, j.bringBack, j.reattach, j.settleIntent, j.removeReplaced}
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
		r := j.newRecord(Interrupted, &ReleaseRef{Release: release(&c), Profile: c.Labels[LabelProfile], Image: c.Labels[LabelImage], ImageID: c.ImageID}, nil)
		r.Run, r.Error = c.Labels[LabelRun], "the run was killed"
		change := nginx.Change{Lines: []nginx.Line{r.line(j.service())}}
		if err := j.underHostLock(ctx, func(ctx context.Context) error { return j.apply(ctx, change) }); err != nil {
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
		j.note("bringing " + p.Prev.Name + " back, which an interrupted run had put aside")
		if err := j.unretire(ctx, Step{Kind: StepRestore, Profile: p.Profile.Name}); err != nil {
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
	j.note("removing " + live.Prev.Name + ", which release " + live.Container.Labels[LabelRelease] + " replaced")
	return true, j.w.Remove(ctx, live.Prev.ID)
}

// clearHelpers removes the locks and the one-shots of killed runs on this network. A run that is still
// under way has a lock that was there before its one-shots: hence the order of the questions.
func (j *job) clearHelpers(ctx context.Context) error {
	shots, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleOneShot})
	if err != nil {
		return err
	}
	locks, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleLock})
	if err != nil {
		return err
	}
	busy := map[string]bool{}
	for _, l := range locks {
		busy[l.Labels[LabelRun]] = !j.w.HolderGone(l.Labels)
	}
	for _, c := range slices.Concat(locks, shots) {
		if !busy[c.Labels[LabelRun]] {
			if err := j.w.Remove(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// reattach gives a container that lost its fixed address (disconnected and connected by hand, say) that
// address back.
func (j *job) reattach(ctx context.Context) (changed bool, err error) {
	if j.obs.Network == nil {
		return false, nil
	}
	for _, p := range j.obs.Places {
		c := p.Container
		if c == nil || !c.Running() || c.Labels[LabelAddress] == "" {
			continue
		}
		at, on := c.Networks[j.names.network]
		if on && at.Address == c.Labels[LabelAddress] {
			continue
		}
		j.note(fmt.Sprintf("%s lost its address %s: attaching it again", c.Name, c.Labels[LabelAddress]))
		if on {
			if err := j.w.Disconnect(ctx, j.obs.Network.ID, c.ID); err != nil {
				return changed, err
			}
		}
		if err := j.w.Connect(ctx, j.obs.Network.ID, c.ID, c.Labels[LabelAddress]); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// settleIntent finishes a swap that was begun, if what the include names is healthy, or takes it back.
func (j *job) settleIntent(ctx context.Context) (changed bool, err error) {
	if j.obs.State.Intent == nil {
		return false, nil
	}
	if j.obs.Nginx == nil {
		j.note("an interrupted run left a swap open, and nginx is gone: nothing is changed")
		return false, nil
	}
	if !j.obs.NginxRuns() {
		j.note("an interrupted run left a swap open, and nginx does not run: starting it first")
		if err := j.startNginx(ctx, Step{}); err != nil {
			return false, err
		}
	}
	if j.obs.Include == nil {
		return true, j.clearIntent(ctx)
	}
	if j.obs.Healthy {
		back := j.obs.State.Previous
		j.wentBack = back != nil && back.Release == j.obs.Include.Release
		return true, j.finishIntent(ctx, *j.obs.Include)
	}
	back := j.obs.State.Confirmed
	if back == nil || !j.answers(ctx, j.obs.Place(back.Profile), j.obs.State.LastLive) {
		j.note("an interrupted run left a swap open, and no profile answers: nothing is changed")
		return false, nil
	}
	j.note(fmt.Sprintf("an interrupted run left a swap to %s open, which does not answer: going back to %s", j.obs.Include.Profile, back.Profile))
	return true, j.finishIntent(ctx, nginx.Target{Service: j.service(), Profile: back.Profile, Release: back.Release})
}

// finishIntent makes nginx serve the target, proves it and records it.
func (j *job) finishIntent(ctx context.Context, to nginx.Target) error {
	j.note(fmt.Sprintf("an interrupted run left a swap open: confirming release %d in %s", to.Release, to.Profile))
	return j.underHostLock(ctx, func(ctx context.Context) error {
		c := j.obs.Place(to.Profile).Container
		if c == nil {
			return fmt.Errorf("container %s is gone", containerName(j.service(), to.Profile))
		}
		site := string(j.obs.Files[nginx.SitePath(j.service())])
		if err := j.point(ctx, to, site); err != nil {
			return err
		}
		ref := &ReleaseRef{Release: to.Release, Profile: to.Profile, Image: c.Labels[LabelImage], ImageID: c.ImageID}
		err := j.confirmed(ctx, to, ref)
		j.switched, j.before = switchNone, nil
		return err
	})
}

// clearIntent forgets a swap of which nothing is in nginx's files, and makes sure that nothing of it is in
// the running workers either.
func (j *job) clearIntent(ctx context.Context) error {
	state := State{LastLive: j.obs.State.LastLive, Settings: j.obs.State.Settings}
	j.note("an interrupted run had begun a swap, of which nothing is left: forgetting it")
	return j.underHostLock(ctx, func(ctx context.Context) error {
		err := j.reload(ctx, nginx.Change{Test: true, Reload: true}, nil)
		j.switched = switchNone
		if err != nil {
			return err
		}
		return j.apply(ctx, nginx.Change{First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}})
	})
}

// refused says whether nginx was left as it was because it refused the candidate.
func refused(err error) bool {
	var t *nginx.TestError
	return errors.As(err, &t)
}

// pull fetches what this run needs before anything is touched: the wanted image by compose's policy, and
// nginx's when there is no nginx yet.
func (j *job) pull(ctx context.Context) error {
	if j.Command.needsImage() {
		image, err := j.fetch(ctx, j.Service.Image, j.Service.Compose.PullPolicy, j.Service.Compose.Platform)
		if err != nil {
			return err
		}
		j.image = image
	}
	if j.obs.Nginx != nil || !j.Command.needsImage() && !j.obs.Volume {
		return nil
	}
	image, err := j.fetch(ctx, hostKeys(j.Service.Host).Image, "missing", "")
	j.nginx = image
	return err
}

// fetch gets an image by compose's pull policy: missing (the default), if_not_present, always, never, build.
func (j *job) fetch(ctx context.Context, ref, policy, platform string) (docker.Image, error) {
	image, err := j.w.Image(ctx, ref)
	if policy == "always" || err != nil && errors.Is(err, docker.ErrNotFound) && policy != "never" && policy != "build" {
		j.note("pulling " + ref)
		image, err = j.w.Pull(ctx, ref, platform, func(p docker.PullProgress) {
			j.emit(Event{Kind: Progress, Text: p.Status, Layer: &Layer{ID: p.Layer, Status: p.Status, Current: p.Current, Total: p.Total}})
		})
	}
	if err != nil {
		return image, fmt.Errorf("get image %s: %w", ref, err)
	}
	return image, nil
}

// plan makes the plan, once all that it depends on is known.
func (j *job) plan(ctx context.Context) (Plan, error) {
	if j.Command == Rollback && j.wentBack {
		return Plan{Command: Rollback, Release: j.obs.Include.Release, Why: fmt.Sprintf("the interrupted rollback to release %d is finished", j.obs.Include.Release)}, nil
	}
	if j.Command.needsImage() {
		if err := errors.Join(j.obs.checkHost(j.Service.Host), j.obs.checkNames(j.Service.Settings)); err != nil {
			return Plan{}, err
		}
	}
	w := Wanted{Command: j.Command, Service: j.Service, Image: j.image, Force: j.Force, Switch: j.Switch, Volumes: j.Volumes}
	var err error
	if j.Command.needsImage() {
		if j.hash, err = configHash(j.Service); err != nil {
			return Plan{}, err
		}
		w.Hash = j.hash
		if w.Networks, w.Missing, err = j.w.ComposeNetworks(ctx, j.Service.Compose, j.Service.ProjectDef); err != nil {
			return Plan{}, err
		}
	}
	if j.Command == Deploy && j.obs.Include != nil && j.obs.Network != nil {
		if w.Site, err = j.site(nil); err != nil {
			return Plan{}, err
		}
	}
	if j.Command == Down {
		if w.Alone, err = j.alone(ctx); err != nil {
			return Plan{}, err
		}
	}
	return MakePlan(j.obs, w)
}
