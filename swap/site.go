package swap

import (
	"context"
	"fmt"
	"strconv"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// site is the service's site file with both profiles where they are. The container, if any, is in its
// profile's place by now.
func (j *job) site(now *docker.Container) (string, error) {
	c, s := nginx.SiteConfig{
		Service: j.service(), ServerNames: j.Service.Settings.ServerNames, Keepalive: j.Service.Settings.Keepalive,
		KeepaliveTimeout: j.Service.Settings.KeepaliveTimeout, MaxBody: j.Service.Settings.MaxBody, ProxyTimeout: j.Service.Settings.ProxyTimeout,
		ReleaseHeader: j.Service.Settings.ReleaseHeader,
	}, j.Service.Settings
	for _, p := range j.obs.Places {
		up, at := nginx.Upstream{Profile: p.Profile.Name, Port: s.AppPort(p.Profile)}, p.Container
		if now != nil && now.Labels[LabelProfile] == p.Profile.Name {
			at = now
		}
		switch {
		case at != nil && at.Labels[LabelAddress] != "":
			// A release that is already there stays reachable where it was made to listen.
			up.Address = at.Labels[LabelAddress]
			up.Port, _ = strconv.Atoi(at.Labels[LabelContainerPort])
		case j.obs.Network == nil:
			return "", fmt.Errorf("network %s is gone", j.names.network)
		default:
			var err error
			if up.Address, err = j.obs.Network.Address(p.Profile.Port); err != nil {
				return "", err
			}
		}
		c.Upstreams = append(c.Upstreams, up)
	}
	return nginx.Site(c), nil
}

// changeSite changes the site file of a service whose release stays.
func (j *job) changeSite(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		site, err := j.site(nil)
		if err != nil {
			return err
		}
		live := refOf(nil, j.obs.Include.Profile, j.obs.Include.Release)
		if err := j.point(ctx, Intent{Run: j.run, Kind: j.Command, From: j.obs.State.Confirmed, To: live}, site); err != nil {
			return err
		}
		state := j.obs.State
		state.Intent, state.Settings = nil, &j.Service.Settings
		return j.write(ctx, state, j.newRecord(Done, state.Confirmed, nil))
	})
}

// takeOut takes the service's site out of nginx; history and state stay, with nothing live, unless they are
// to go too.
func (j *job) takeOut(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		site, include := nginx.SitePath(j.service()), nginx.IncludePath(j.service())
		state := j.obs.State
		state.Intent = &Intent{Run: j.run, Kind: Down, From: state.Confirmed}
		change := nginx.Change{
			Test: true, Reload: j.obs.NginxRuns(),
			First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}},
			Files: []nginx.File{{Path: site, Remove: true}, {Path: include, Remove: true}},
		}
		apply := func() error { return j.reload(ctx, change, nil) }
		if !j.obs.NginxRuns() {
			apply = func() error { return j.apply(ctx, change) }
		}
		if err := apply(); err != nil {
			return err
		}
		record := j.newRecord(Done, state.Confirmed, nil)
		state = State{LastLive: state.LastLive, Settings: state.Settings}
		j.obs.State, j.obs.Include = state, nil
		if j.Volumes {
			return j.apply(ctx, nginx.Change{Files: []nginx.File{{Path: nginx.ServiceDir(j.service()), Remove: true}}})
		}
		return j.write(ctx, state, record)
	})
}
