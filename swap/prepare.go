package swap

import (
	"context"
	"errors"
	"fmt"

	"bluegreen/docker"
)

// pull fetches what this run needs before anything is touched: the wanted image by compose's policy, and
// nginx's when there is no nginx yet.
func (j *job) pull(ctx context.Context) error {
	if j.Command.needsImage() {
		from, err := sourceOf(j.Service)
		if err != nil {
			return err
		}
		var pulled bool
		if j.image, pulled, err = j.fetchFirst(ctx, from); err != nil {
			return err
		}
		if !pulled {
			j.noteMoved(ctx, j.image, from)
		}
	}
	if j.Command == Recreate && j.obs.Nginx != nil && !j.adopted() {
		image, _, err := j.fetch(ctx, j.nginxSource())
		j.nginx = image
		return err
	}
	if j.obs.Nginx != nil || !j.Command.needsImage() && !j.obs.Volume {
		return nil
	}
	var err error
	j.nginx, _, err = j.fetchFirst(ctx, j.nginxSource())
	return err
}

// fetchFirst is fetch while nothing has been touched yet, which an interruption says.
func (j *job) fetchFirst(ctx context.Context, from source) (docker.Image, bool, error) {
	image, pulled, err := j.fetch(ctx, from)
	if err != nil && ctx.Err() != nil {
		err = interrupted(ctx, "while image "+from.ref+" was fetched; nothing was touched")
	}
	return image, pulled, err
}

// plan makes the plan, once all that it depends on is known, with what a person should know about its images.
func (j *job) plan(ctx context.Context) (Plan, error) {
	p, err := j.planAlone(ctx)
	if j.Command == Rollback && j.obs.State.Hooked && j.Service.File == "" && !j.NoHooks && err == nil {
		p.Notes = append(p.Notes, "its post_switch hooks stand in a compose file that is not here: they are not run")
	}
	p.Notes = append(p.Notes, j.imageNotes...)
	return p, err
}

func (j *job) planAlone(ctx context.Context) (Plan, error) {
	if j.Command == Rollback && j.wentBack {
		return Plan{Command: Rollback, Release: j.obs.Include.Release, Why: fmt.Sprintf("what was interrupted is settled, and release %d is live in %s", j.obs.Include.Release, j.obs.Include.Profile)}, nil
	}
	if j.NeedsSite() && j.Command != Recreate {
		host, names := j.obs.checkHost(j.Service.Host), j.obs.checkNames(j.Service.Settings)
		if host == nil { // else it says so of the port already
			names = errors.Join(names, j.obs.checkTLS(j.Service.Settings))
		}
		if err := errors.Join(host, names); err != nil {
			return Plan{}, err
		}
	}
	if err := j.checkPromote(); err != nil {
		return Plan{}, err
	}
	if j.Command.needsImage() {
		if err := j.checkTaken(ctx); err != nil {
			return Plan{}, err
		}
	}
	w := Wanted{Command: j.Command, Service: j.Service, Image: j.image, Force: j.Force, Switch: j.Switch, Pause: j.Pause, WillPromote: j.PromoteAfter > 0, Awaited: j.Awaited, NoHooks: j.NoHooks, Volumes: j.Volumes}
	w.Keys = j.hostKeys()
	w.Send, w.FromFile = len(j.toSend()) > 0, j.Service.Contents != nil
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
	if (j.Command == Deploy || j.Command == Reload || j.Command.maintains()) && j.obs.Include != nil && j.obs.Network != nil {
		if w.Site, err = j.site(nil); err != nil {
			return Plan{}, err
		}
	}
	if j.Command == Down {
		if w.Alone, err = j.alone(ctx); err != nil {
			return Plan{}, err
		}
	}
	if j.Command == Recreate && j.nginx.ID != "" && j.obs.Network != nil { // pulled: this is no dry run
		if w.NginxVersion, err = j.w.NginxVersion(ctx, newPlace{place{j}}); err != nil {
			return Plan{}, fmt.Errorf("look at nginx image %s: %w", w.Keys.Image, err)
		}
	}
	j.askKeepalive(ctx)
	return MakePlan(j.obs, w)
}
