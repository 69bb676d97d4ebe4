package swap

import (
	"context"
	"errors"
	"fmt"

	"bluegreen/config"
	"bluegreen/docker"
)

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
	image, err := j.fetch(ctx, j.hostKeys().Image, "missing", "")
	j.nginx = image
	return err
}

// Fetch makes sure that the engine has the image of a service, by compose's pull policy, and notes when it has to be pulled.
func Fetch(ctx context.Context, w World, s *config.Service, note func(string)) error {
	j := newJob(w, Request{Service: s, Emit: func(e Event) {
		if e.Layer == nil {
			note(e.Text)
		}
	}})
	_, err := j.fetch(ctx, s.Image, s.Compose.PullPolicy, s.Compose.Platform)
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
		return Plan{Command: Rollback, Release: j.obs.Include.Release, Why: fmt.Sprintf("what was interrupted is settled, and release %d is live in %s", j.obs.Include.Release, j.obs.Include.Profile)}, nil
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
