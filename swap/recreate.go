package swap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// nginx is made anew beside the old one, under a name of its own, and takes its place while nothing answers. What a killed
// run left of that is tidied up by the next one (settleNginx).
func (n names) newNginx() string { return n.nginx + "-new" }
func (n names) oldNginx() string { return n.nginx + "-prev" }

// quitTime is how long requests under way may take when nginx is made anew. Clients that keep connections open would make the
// outage as long as the engine's patience otherwise.
const quitTime = 2 * time.Second

// planRecreate makes nginx anew when this project's host keys are not those that it has.
func planRecreate(o Observation, w Wanted) (Plan, error) {
	p := Plan{Command: Recreate}
	switch {
	case o.adopted():
		return p, &config.Error{Where: "container " + o.Host.Container, What: "is your own nginx: its keys are its owner's", Do: "Make it anew as you made it."}
	case o.Nginx == nil || o.Network == nil:
		return p, &config.Error{Where: "nginx", What: "there is none of bluegreen's to make anew", Do: "The first deploy makes it, with these keys."}
	case o.Nginx.State == "paused":
		return p, paused(*o.Nginx)
	case w.Keys == o.Host && !w.Force:
		p.Why = "nginx has these host keys already (--force makes it anew all the same)"
		return p, nil
	}
	if o.Include != nil {
		p.Release = o.Include.Release
	}
	p.Notes = append(p.Notes, "this is an outage for every service of this nginx ("+strings.Join(nginx.OwnSites(o.Files), ", ")+"): nothing answers for a moment, and requests that take longer than "+quitTime.String()+" are cut")
	if w.NginxVersion != "" {
		p.Notes = append(p.Notes, warnings(w.NginxVersion)...)
	}
	changed, text := differences(o.Host, w.Keys), "make nginx anew"
	if len(changed) > 0 {
		text += " with the changed host keys"
	}
	p.Notes = append(p.Notes, changed...)
	if s := w.Service.Settings; s.Web.TLS != nil && nginx.CertificateOf(o.Files, s.Service) == "" {
		p.Notes = append(p.Notes, fmt.Sprintf("this publishes the port: HTTPS for %[1]s begins with `bluegreen reload %[1]s` after it", s.Service))
	}
	p.add(Step{Kind: StepRecreate, Text: text, Undo: "put the old nginx back"})
	return p, nil
}

// differences are the keys that change, for a person.
func differences(was, now HostKeys) (list []string) {
	for _, k := range []struct {
		key       string
		was, will any
	}{
		{"http", was.HTTP, now.HTTP}, {"https", portOrNone(was.HTTPS), portOrNone(now.HTTPS)}, {"status", was.Status, now.Status},
		{"address", was.Address, now.Address}, {"image", was.Image, now.Image}, {"shutdown_timeout", was.ShutdownTimeout, now.ShutdownTimeout},
		{"webroot", was.Webroot, now.Webroot},
	} {
		if k.was != k.will {
			list = append(list, fmt.Sprintf("x-bluegreen.nginx.%s: %v, until now %v", k.key, said(k.will), said(k.was)))
		}
	}
	return list
}

func said(v any) any {
	if v == "" {
		return "none"
	}
	return v
}

// recreateNginx puts a new nginx in the place of the old one.
func (j *job) recreateNginx(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		if err := j.inTheWay(ctx); err != nil {
			return err
		}
		keys := j.hostKeys()
		if err := j.tryPorts(ctx, keys); err != nil {
			return err
		}
		version, err := j.w.NginxVersion(ctx, newPlace{place{j}})
		if err != nil {
			return fmt.Errorf("look at nginx image %s: %w", keys.Image, err)
		}
		if err := j.writeKeys(ctx, newPlace{place{j}}, keys, version); err != nil {
			return fmt.Errorf("set up nginx image %s: %w", keys.Image, err)
		}
		label, _ := json.Marshal(keys) // plain data: cannot fail
		spec := j.nginxSpec(keys, string(label), version)
		spec.Name = j.names.newNginx()
		id, err := j.w.CreateNginx(ctx, spec)
		if err != nil {
			return err
		}
		return j.exchange(ctx, id)
	})
}

// writeKeys writes what nginx.conf and the volume say of host keys, tested by the nginx that is to read it.
func (j *job) writeKeys(ctx context.Context, p nginx.Place, keys HostKeys, version string) error {
	main, err := mainFile(keys, version)
	if err != nil {
		return err
	}
	label, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	if err := j.proveLock(ctx); err != nil {
		return err
	}
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTime)
	defer cancel()
	j.applied++
	return j.w.Apply(sure, p, nginx.Change{
		Run: fmt.Sprintf("%s-%d", j.run, j.applied), Owner: j.run, Fence: nginx.RevokedPath(j.service()), Test: true,
		Files: []nginx.File{main, {Path: nginx.HostPath, Text: string(label) + "\n"}, acmeFile(keys)},
	})
}

// exchange stops the old nginx and starts the new one under its name, and says how long nothing answered.
func (j *job) exchange(ctx context.Context, newID string) error {
	old := j.obs.Nginx.ID
	began := time.Now()
	if err := j.quit(ctx, old); err != nil {
		return err
	}
	if err := j.w.Rename(ctx, old, j.names.oldNginx()); err != nil {
		return err
	}
	if err := j.w.Rename(ctx, newID, j.names.nginx); err != nil {
		return err
	}
	if err := j.w.Start(ctx, newID); err != nil {
		return err
	}
	if _, err := j.workers(ctx); err != nil {
		return err
	}
	if err := j.awaitAnswer(ctx); err != nil {
		return err
	}
	j.note(fmt.Sprintf("nothing answered for %v at most", time.Since(began).Round(10*time.Millisecond)))
	if err := j.w.Remove(ctx, old); err != nil {
		j.note("warning: the old nginx could not be removed: " + err.Error()) // the next run does
	}
	return nil
}

// quit stops nginx: gently, and after a while at once. The engine's own stop keeps its restart policy from bringing it back.
func (j *job) quit(ctx context.Context, id string) error {
	hurry, ended := context.WithCancel(context.WithoutCancel(ctx))
	defer ended()
	go func() {
		select {
		case <-hurry.Done():
		case <-time.After(quitTime):
			_, _ = j.w.Exec(hurry, id, []string{"nginx", "-s", "stop", "-c", nginx.Root + "/" + nginx.MainPath})
		}
	}()
	return j.w.Stop(ctx, id)
}

// awaitAnswer waits until the live release is served, where there is one and nginx can be asked.
func (j *job) awaitAnswer(ctx context.Context) error {
	if j.obs.Include == nil {
		return nil
	}
	for end := time.Now().Add(nginxUp); ; {
		got, err := j.w.Ask(ctx, j.listener(&j.obs), j.service())
		switch {
		case err == nil && got == *j.obs.Include:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end) && errors.Is(err, nginx.ErrNoAnswer):
			return nil // it cannot be asked from here; its workers are up
		case time.Now().After(end):
			return fmt.Errorf("the new nginx serves %v, not %v: %w", got, *j.obs.Include, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// putNginxBack undoes recreateNginx.
func (j *job) putNginxBack(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		if _, err := j.tidyNginx(ctx, true); err != nil {
			return err
		}
		return j.asLabelled(ctx)
	})
}

// asLabelled makes nginx run with the host keys that its container was made with.
func (j *job) asLabelled(ctx context.Context) error {
	c, err := j.w.Container(ctx, j.names.nginx)
	if err != nil {
		return err
	}
	if j.obs.Host, err = keysOf(c); err != nil {
		return err
	}
	if err := j.writeKeys(ctx, place{j}, j.obs.Host, c.Labels[LabelNginxVersion]); err != nil {
		return err
	}
	if !c.Running() {
		if err := j.w.Start(ctx, c.ID); err != nil {
			return err
		}
	}
	_, err = j.workers(ctx)
	return err
}

// tidyNginx leaves one nginx of what a run left that was to make it anew: the new one when it runs, unless the old one is
// wanted, else the old one. did says whether there was anything to do.
func (j *job) tidyNginx(ctx context.Context, back bool) (did bool, err error) {
	now, err := j.nginxNamed(ctx, j.names.nginx)
	if err != nil {
		return false, err
	}
	made, err := j.nginxNamed(ctx, j.names.newNginx())
	if err == nil && made != nil {
		did, err = true, j.w.Remove(ctx, made.ID)
	}
	old, e := j.nginxNamed(ctx, j.names.oldNginx())
	if err = errors.Join(err, e); err != nil || old == nil {
		return did, err
	}
	if now != nil && now.Running() && !back {
		return true, j.w.Remove(ctx, old.ID)
	}
	if now != nil {
		if err := j.w.Stop(ctx, now.ID); err != nil {
			return true, err
		}
		if err := j.w.Remove(ctx, now.ID); err != nil {
			return true, err
		}
	}
	return true, j.w.Rename(ctx, old.ID, j.names.nginx)
}

// nginxNamed is one of ours of that name; nil: there is none.
func (j *job) nginxNamed(ctx context.Context, name string) (*docker.Container, error) {
	c, err := j.w.Container(ctx, name)
	if err != nil || c.Labels[LabelRole] != RoleNginx {
		return nil, ignoreNotFound(err)
	}
	return &c, nil
}

// settleNginx tidies up after a run that was killed while it made nginx anew.
func (j *job) settleNginx(ctx context.Context) (changed bool, err error) {
	if j.adopted() {
		return false, nil
	}
	all, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleNginx})
	if err != nil || len(all) == 0 || len(all) == 1 && all[0].Name == j.names.nginx && !otherKeys(j.obs.Files, all[0]) {
		return false, err
	}
	return true, j.underHostLock(ctx, func(ctx context.Context) error {
		did, err := j.tidyNginx(ctx, false)
		if err != nil {
			return err
		}
		if agree, err := j.keysAgree(ctx); err != nil || agree && !did {
			return err // another run has made it anew, while this one waited for the lock
		}
		j.note("an interrupted run was making nginx anew: one of the two is kept, and runs")
		return j.asLabelled(ctx)
	})
}

// otherKeys says whether the volume was written for another nginx than the one that is there: a run was killed before it made
// that.
func otherKeys(files map[string][]byte, c docker.Container) bool {
	written := strings.TrimSpace(string(files[nginx.HostPath]))
	return written != "" && written != c.Labels[LabelHost]
}

// keysAgree is the opposite, as things are now.
func (j *job) keysAgree(ctx context.Context) (bool, error) {
	c, err := j.w.Container(ctx, j.names.nginx)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	files, err := j.readTree(ctx)
	return !otherKeys(files, c), err
}

// newPlace is where the image of the new nginx runs, while the old one goes on.
type newPlace struct{ place }

// Run runs a command in a container of the new image.
func (p newPlace) Run(ctx context.Context, cmd []string) (nginx.Result, error) {
	return p.once(ctx, p.j.nginx.ID, cmd)
}
