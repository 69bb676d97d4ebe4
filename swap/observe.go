package swap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// observe asks the Docker host what is. Called again after anything changed that a plan depends on.
func (j *job) observe(ctx context.Context) error {
	if err := j.locate(ctx); err != nil {
		return err
	}
	var o Observation
	var own []docker.Container
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return j.seeNetwork(gctx, &o) })
	g.Go(func() error { return j.seeNginx(gctx, &o) })
	g.Go(func() (err error) {
		own, err = j.w.Containers(gctx, map[string]string{LabelService: j.service(), LabelRole: RoleProfile})
		return err
	})
	if err := g.Wait(); err != nil {
		return fmt.Errorf("look at the Docker host: %w", err)
	}
	if err := j.read(ctx, &o); err != nil {
		return err
	}
	if err := j.adopt(&o, own); err != nil {
		return err
	}
	o.place(own)
	o.history = ParseHistory(o.Files[nginx.HistoryPath(j.service())])
	o.Highest = o.highest(own)
	j.obs, j.seen, j.tallied = o, true, nil
	j.obs.Healthy = j.liveAnswers(ctx)
	return nil
}

func (j *job) seeNetwork(ctx context.Context, o *Observation) error {
	n, err := j.w.Network(ctx, j.names.network)
	if err == nil {
		o.Network = &n
	}
	return ignoreNotFound(err)
}

// seeNginx finds the nginx container and the files in its volume.
func (j *job) seeNginx(ctx context.Context, o *Observation) error {
	if j.adopted() {
		return j.seeOwn(ctx, o)
	}
	c, err := j.w.Container(ctx, j.names.nginx)
	if errors.Is(err, docker.ErrNotFound) {
		if o.Volume, err = j.w.VolumeExists(ctx, j.names.volume); err != nil || !o.Volume {
			return err
		}
		o.Files, err = j.readVolume(ctx)
		if text := o.Files[nginx.HostPath]; len(text) > 0 && json.Unmarshal(text, &o.Host) != nil {
			o.Host = HostKeys{} // damaged: as if the host had never had an nginx
		}
		return err
	}
	if err != nil {
		return err
	}
	if c.Labels[LabelRole] != RoleNginx {
		return &config.Error{
			Where: "container " + c.Name, What: "is not bluegreen's, but has the name that bluegreen needs for nginx",
			Do: "Rename or remove it, or choose another x-bluegreen network name.",
		}
	}
	o.Nginx, o.Volume = &c, true
	if o.Host, err = keysOf(c); err != nil {
		return err
	}
	o.Files, err = j.w.ReadTree(ctx, c.ID, nginx.Root)
	return ignoreNotFound(err)
}

// read takes the service's own files out of the tree. What somebody damaged is told, and made good from the rest as
// far as that goes: the next swap writes it anew.
func (j *job) read(ctx context.Context, o *Observation) error {
	service := j.service()
	var damage error
	o.State, damage = parseState(o.Files[nginx.StatePath(service)])
	if damage != nil {
		o.State = State{}
		o.Damage = append(o.Damage, damage.Error())
	}
	if len(o.Files[nginx.SitePath(service)]) == 0 {
		if i := o.State.Intent; o.State.Confirmed == nil || i != nil && i.Kind == Down {
			return nil // an include without a site that reads it sends no traffic anywhere
		}
		// It was live, and nobody took it down: the running workers may serve it from memory.
		o.Damage = append(o.Damage, siteMissing(service))
	}
	o.agreeOnMaintenance(service)
	t, err := nginx.ParseInclude(service, string(o.Files[nginx.IncludePath(service)]))
	if err != nil {
		if t, err = j.served(ctx, o, err); err != nil {
			return err
		}
	}
	o.Include = &t
	o.State.LastLive = max(o.State.LastLive, o.Include.Release)
	o.agree()
	return nil
}

// agreeOnMaintenance takes the site's word, which is what users meet: a run may have been killed between the state that it
// wrote and the site.
func (o *Observation) agreeOnMaintenance(service string) {
	if _, ok := o.Files[nginx.ProxyPath(service)]; !ok {
		return
	}
	switch closed := nginx.Closed(o.Files, service); {
	case !closed:
		o.State.Maintenance = nil
	case o.State.Maintenance == nil:
		o.State.Maintenance = &Maintenance{}
	}
}

func siteMissing(service string) string { return nginx.SitePath(service) + " is missing" }

// agree makes the state say what the include says. Where they name two releases and no swap is open, somebody wrote
// into one of them: that is settled like a swap which was begun.
func (o *Observation) agree() {
	c, live := o.State.Confirmed, ReleaseRef{Release: o.Include.Release, Profile: o.Include.Profile}
	switch {
	case o.State.Intent != nil:
	case c == nil:
		o.State.Confirmed = &live
	case c.Release != live.Release || c.Profile != live.Profile:
		o.State.Intent = &Intent{Kind: Switch, From: c, To: &live}
	}
}

// served is what was confirmed, when the include cannot be read and nginx itself says that it serves it, or serves
// nobody: a torn file is written anew by the next swap. Anything else is somebody's own work and is not guessed at.
func (j *job) served(ctx context.Context, o *Observation, unreadable error) (nginx.Target, error) {
	path := nginx.IncludePath(j.service())
	if c := o.State.Confirmed; c != nil {
		want := nginx.Target{Service: j.service(), Profile: c.Profile, Release: c.Release}
		if got, err := j.w.Ask(ctx, j.listener(o), j.service()); err == nil && got == want || !o.NginxRuns() {
			o.Damage = append(o.Damage, unreadable.Error())
			return want, nil
		}
	}
	return nginx.Target{}, fmt.Errorf("read %s: %w; put it right in the nginx container (%s/%s), and reload nginx", path, unreadable, j.root(), path)
}

func ignoreNotFound(err error) error {
	if errors.Is(err, docker.ErrNotFound) {
		return nil
	}
	return err
}
