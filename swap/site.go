package swap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// site are the service's site files with both profiles where they are. The container, if any, is in its
// profile's place by now.
func (j *job) site(now *docker.Container) ([]nginx.File, error) {
	return j.siteOf(j.Service.Settings, j.maintenance(), now)
}

// siteOf is the site of some settings.
func (j *job) siteOf(s config.Settings, closed *Maintenance, now *docker.Container) ([]nginx.File, error) {
	c := nginx.SiteConfig{
		Service: j.service(), ServerNames: s.ServerNames, Paths: s.Paths, Host: cmp.Or(s.Health.Host, PublicName(s.ServerNames)),
		Keepalive: s.Keepalive, KeepaliveTimeout: s.KeepaliveTimeout, MaxBody: s.MaxBody, ProxyTimeout: s.ProxyTimeout,
		ReleaseHeader: s.ReleaseHeader, Web: s.Web.Site(closed != nil),
	}
	if j.adopted() {
		c.Own, c.StatusListen = j.root(), onLoopback(j.own.Status)
	}
	for _, p := range j.obs.Places {
		at := p.Container
		if now != nil && now.Labels[LabelProfile] == p.Profile.Name {
			at = now
		}
		up, err := j.upstream(p, at)
		if err != nil {
			return nil, err
		}
		c.Upstreams = append(c.Upstreams, up)
	}
	return nginx.Site(c), nil
}

// upstream is where nginx reaches a profile. A release that is already there stays reachable where it was made to listen.
func (j *job) upstream(p Place, at *docker.Container) (nginx.Upstream, error) {
	if onHost(j.obs.Nginx) {
		port := p.Profile.Port
		if at != nil {
			port = cmp.Or(published(at), port)
		}
		return nginx.Upstream{Profile: p.Profile.Name, Address: loopback, Port: port}, nil
	}
	up := nginx.Upstream{Profile: p.Profile.Name, Port: j.Service.Settings.AppPort(p.Profile)}
	if at != nil && at.Labels[LabelAddress] != "" {
		up.Address = at.Labels[LabelAddress]
		up.Port, _ = strconv.Atoi(at.Labels[LabelContainerPort])
		return up, nil
	}
	if j.obs.Network == nil {
		return up, fmt.Errorf("network %s is gone", j.names.network)
	}
	var err error
	up.Address, err = j.obs.Network.Address(p.Profile.Port)
	return up, err
}

// published is the port of the Docker host on which a profile's container is published; 0 when it does not say.
func published(c *docker.Container) int {
	port, _ := strconv.Atoi(c.Labels[LabelPort])
	return port
}

// siteFor are the site files as they are, or, where a kill or somebody left them in part, as they have to be for a container to
// be reached. What is on its way out goes by what it was.
func (j *job) siteFor(c *docker.Container) ([]nginx.File, error) {
	if c == nil {
		return nginx.SiteFiles(j.obs.Files, j.service()), nil
	}
	at, err := j.upstream(j.obs.Place(c.Labels[LabelProfile]), c)
	if err == nil && nginx.Whole(j.obs.Files, j.service(), at) {
		return nginx.SiteFiles(j.obs.Files, j.service()), nil
	}
	if s := j.obs.State.Settings; s != nil && j.Command == Down {
		return j.siteOf(*s, j.maintenance(), c)
	}
	return j.site(c)
}

// hasGroup says whether an upstream group stands in a service's site.
func hasGroup(site []nginx.File, service, group string) bool {
	for _, f := range site {
		if f.Path == nginx.SitePath(service) {
			return nginx.HasGroup(f.Text, group)
		}
	}
	return false
}

// web is what the site does besides passing requests on.
func (j *job) web() nginx.Web { return j.Service.Settings.Web.Site(j.maintenance() != nil) }

// changeSite changes the site files of a service whose release stays.
func (j *job) changeSite(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		if err := j.sendFiles(ctx); err != nil {
			return err
		}
		site, err := j.site(nil)
		if err != nil {
			return err
		}
		was := j.obs.State.Maintenance
		j.obs.State.Maintenance = j.maintenance()
		if err = j.pointAgain(ctx, site); err != nil {
			j.obs.State.Maintenance = was // the undo writes the state
		}
		return err
	})
}

// pointAgain points nginx at the live release with another site, and records that.
func (j *job) pointAgain(ctx context.Context, site []nginx.File) error {
	live := refOf(nil, j.obs.Include.Profile, j.obs.Include.Release)
	if err := j.point(ctx, Intent{Run: j.run, Kind: j.Command, From: j.obs.State.Confirmed, To: live}, site); err != nil {
		return err
	}
	if !j.Command.maintains() {
		j.checkShown(ctx)
	}
	state := j.obs.State
	state.Intent, state.Settings = nil, &j.Service.Settings
	return j.write(ctx, state, j.newRecord(Done, state.Confirmed, nil), nginx.ConfirmedCopy(j.service(), j.pointed))
}

// takeOut takes the service's site out of nginx; history and state stay, with nothing live, unless they are
// to go too.
func (j *job) takeOut(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		state := j.obs.State
		state.Intent = &Intent{Run: j.run, Kind: Down, From: state.Confirmed}
		change := nginx.Change{
			Test: true, Reload: j.obs.NginxRuns(),
			First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}},
			Files: append(nginx.SiteChange(j.obs.Files, j.service(), nil), nginx.File{Path: nginx.IncludePath(j.service()), Remove: true},
				nginx.File{Path: nginx.ConfirmedPath(j.service()), Remove: true}),
		}
		if hasFiles(j.obs.Files, j.service()) { // a private key is not to stay
			change.Files = append(change.Files, nginx.File{Path: nginx.FilesDir(j.service()), Remove: true})
		}
		parked, err := false, error(nil)
		if j.obs.NginxRuns() {
			parked, err = j.reloadOrPark(ctx, change)
		} else {
			err = j.applyMended(ctx, change)
		}
		if err != nil {
			return err
		}
		record := j.newRecord(Done, state.Confirmed, nil)
		state = State{LastLive: state.LastLive, Settings: state.Settings}
		j.obs.State, j.obs.Include = state, nil
		if j.Volumes && !parked { // what its nginx still includes stays, and the rest with it, for the next down
			return j.apply(ctx, nginx.Change{Files: []nginx.File{{Path: nginx.ServiceDir(j.service()), Remove: true}}})
		}
		return j.write(ctx, state, record)
	})
}

// reloadOrPark takes the service's files out of nginx. An adopted nginx whose own configuration still includes them keeps one
// that answers 503: it would not start again without.
func (j *job) reloadOrPark(ctx context.Context, change nginx.Change) (parked bool, err error) {
	err = j.reload(ctx, change, nil)
	var refused *nginx.TestError
	if !j.adopted() || !errors.As(err, &refused) {
		return false, err
	}
	include := nginx.IncludePath(j.service())
	change.Files = slices.DeleteFunc(slices.Clone(change.Files), func(f nginx.File) bool { return f.Path == include })
	change.Files = append(change.Files, nginx.File{Path: include, Text: nginx.Parked(j.service())})
	if e := j.reload(ctx, change, nil); e != nil {
		return false, errors.Join(err, e)
	}
	j.note(fmt.Sprintf("warning: the configuration of %s still includes %s/%s: it answers 503 from now on. Take those lines out, and run `bluegreen down %s` once more: then the file goes, too.",
		j.names.nginx, j.root(), include, j.service()))
	return true, nil
}
