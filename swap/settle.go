package swap

import (
	"context"
	"errors"
	"fmt"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// settle finds out what an interrupted run left, and makes what is written and what runs agree. It never
// removes a running idle profile: a stage or a failed deploy may have left it on purpose.
func (j *job) settle(ctx context.Context) error {
	changed := false
	for _, fix := range []func(context.Context) (bool, error){j.removeHalfMade, j.reattach, j.settleIntent} {
		did, err := fix(ctx)
		if err != nil {
			return fmt.Errorf("settle what an interrupted run left: %w", err)
		}
		changed = changed || did
	}
	if !changed {
		return nil
	}
	return j.observe(ctx)
}

// removeHalfMade removes containers that a killed run created and never started, and brings back what
// it had put aside for them.
func (j *job) removeHalfMade(ctx context.Context) (changed bool, err error) {
	for _, p := range j.obs.Places {
		if c := p.Container; c != nil && c.State == "created" {
			j.note("removing " + c.Name + ", which an interrupted run created and never started")
			if err := j.w.Remove(ctx, c.ID); err != nil {
				return false, err
			}
			changed, p.Container = true, nil
		}
		if p.Container == nil && p.Prev != nil {
			j.note("bringing " + p.Prev.Name + " back, which an interrupted run had put aside")
			step := Step{Kind: StepRestore, Profile: p.Profile.Name}
			if err := j.unretire(ctx, step); err != nil {
				return changed, err
			}
			changed = true
		}
	}
	if live, ok := j.obs.Live(); ok && live.Prev != nil && live.Container != nil && j.obs.State.Intent == nil {
		j.note("removing " + live.Prev.Name + ", which release " + live.Container.Labels[LabelRelease] + " replaced")
		if err := j.w.Remove(ctx, live.Prev.ID); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, j.removeOneShots(ctx)
}

// removeOneShots removes helpers of killed runs of this service's network. Those of a run that is still
// under way have its lock behind them, so only those whose run holds no lock go.
func (j *job) removeOneShots(ctx context.Context) error {
	list, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleOneShot})
	if err != nil || len(list) == 0 {
		return err
	}
	locks, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleLock})
	if err != nil {
		return err
	}
	busy := map[string]bool{}
	for _, l := range locks {
		busy[l.Labels[LabelRun]] = true
	}
	for _, c := range list {
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
	intent := j.obs.State.Intent
	if intent == nil {
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
		return true, j.finishIntent(ctx, *j.obs.Include)
	}
	back := j.obs.State.Confirmed
	if back == nil || !j.answers(ctx, back.Profile) {
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

// clearIntent forgets a swap of which nothing is in nginx's files.
func (j *job) clearIntent(ctx context.Context) error {
	state := j.obs.State
	state.Intent = nil
	j.note("an interrupted run had begun a swap and changed nothing: forgetting it")
	change := nginx.Change{Run: j.run, First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}}
	return j.underHostLock(ctx, func(ctx context.Context) error { return j.w.Apply(ctx, place{j}, change) })
}

// answers says whether a profile is healthy now.
func (j *job) answers(ctx context.Context, profile string) bool {
	p := j.obs.Place(profile)
	if !runs(p) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, j.Service.Settings.Health.Timeout)
	defer cancel()
	_, err := j.w.Probe(ctx, j.probe(p.Profile))
	return err == nil
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
	if j.Command.needsImage() {
		if err := j.obs.checkHost(j.Service.Host); err != nil {
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
	}
	if j.Command == Deploy && j.obs.Include != nil && j.obs.Network != nil {
		if w.Site, err = j.site(""); err != nil {
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
