package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// doctor is a look at a host that goes on when a part of it cannot be seen.
type doctor struct {
	*job
	all []docker.Container // ours on this network
	own []docker.Container // of the service

	// Why a part cannot be seen; each is a finding of one check.
	noNetwork, noNginx, noInclude, notOurs error

	busy   map[string]bool // runs under way, by their id
	holder *LockedError    // who holds the service's lock; nil: nobody

	engine  docker.Engine
	skew    time.Duration // how far the engine's clock is ahead of ours
	version string        // nginx's
	dump    nginx.Dump
	noDump  error // why it cannot be asked for
}

// see is observe without its haste to give up.
func (d *doctor) see(ctx context.Context) error {
	if err := d.locate(ctx); err != nil {
		return err
	}
	var o Observation
	d.noNetwork = d.seeNetwork(ctx, &o)
	d.noNginx = d.seeNginx(ctx, &o)
	for _, err := range []error{d.noNetwork, d.noNginx} {
		if fatal(ctx, err) {
			return err
		}
	}
	var err error
	if d.all, err = d.w.Containers(ctx, map[string]string{LabelNetwork: d.names.network}); err != nil {
		return err
	}
	if d.own, err = d.w.Containers(ctx, map[string]string{LabelService: d.service(), LabelRole: RoleProfile}); err != nil {
		return err
	}
	if d.noInclude = d.read(ctx, &o); fatal(ctx, d.noInclude) {
		return d.noInclude
	}
	if err := d.take(&o); err != nil {
		return err
	}
	o.place(d.own)
	d.seeLocks(ctx)
	d.obs, d.seen = o, true
	d.obs.Healthy = d.liveAnswers(ctx)
	d.seeConfiguration(ctx)
	return d.seeEngine(ctx)
}

// take adopts the service. One that is another's is a finding, unless nothing more is known of it.
func (d *doctor) take(o *Observation) error {
	d.notOurs = d.adopt(o, d.own)
	if d.notOurs == nil {
		return nil
	}
	var usage *config.Error
	if d.Service.Settings.Profiles[0].Name == "" || !errors.As(d.notOurs, &usage) {
		return d.notOurs
	}
	for i, p := range d.Service.Settings.Profiles {
		o.Places[i].Profile = p
	}
	d.own, o.Include, o.State = nil, nil, State{} // another's, and not to be judged by this configuration
	return nil
}

// seeLocks finds the runs that are under way.
func (d *doctor) seeLocks(ctx context.Context) {
	d.busy = map[string]bool{}
	for _, c := range d.all {
		if c.Labels[LabelRole] != RoleLock || d.goneWhy(ctx, c) != "" {
			continue
		}
		d.busy[c.Labels[LabelRun]] = true
		if c.Name == lockName(d.service()) {
			d.holder = &LockedError{Lock: c.Name, Holder: c.Labels}
		}
	}
}

// underWay is the reason not to look at what a run is just changing.
func (d *doctor) underWay() error {
	if d.holder != nil {
		return skip("a run is under way: %v", d.holder)
	}
	return nil
}

// seeEngine asks the engine what it is, and reads its clock.
func (d *doctor) seeEngine(ctx context.Context) (err error) {
	before := time.Now()
	if d.engine, err = d.w.Engine(ctx); err != nil {
		return err
	}
	switch after, there := time.Now(), d.engine.Time; {
	case there.Before(before):
		d.skew = there.Sub(before)
	case there.After(after):
		d.skew = there.Sub(after)
	}
	return nil
}

// seeConfiguration asks nginx for its version and its configuration.
func (d *doctor) seeConfiguration(ctx context.Context) {
	if d.obs.Nginx == nil {
		d.noDump = skip("there is no nginx yet")
		return
	}
	if d.version, d.noDump = d.w.NginxVersion(ctx, place{d.job}); d.noDump != nil {
		return
	}
	conf := managed
	if d.obs.NginxRuns() {
		if list, err := d.w.Top(ctx, d.obs.Nginx.ID); err == nil {
			if i := slices.IndexFunc(list, func(p docker.Process) bool { return nginx.IsMaster(p.Title) }); i >= 0 {
				conf = nginx.ConfigFile(list[i].Title)
			}
		}
	}
	d.dump, d.noDump = nginx.ReadDump(ctx, place{d.job}, conf)
}

// conf is nginx's main file, as a person finds it.
func (d *doctor) conf() string {
	if d.dump.Conf == "" {
		return "its nginx.conf"
	}
	return d.dump.Conf
}

// reloadCommand makes nginx read its files anew; reloading is the same from outside the container.
func (d *doctor) reloadCommand() string {
	if d.dump.Conf == "" {
		return "nginx -s reload"
	}
	return "nginx -s reload -c " + d.dump.Conf
}

func (d *doctor) reloading() string { return "docker exec " + d.names.nginx + " " + d.reloadCommand() }

// bluegreen is one of our own commands for the service.
func (d *doctor) bluegreen(command string) string {
	return fmt.Sprintf("`bluegreen %s %s`", command, d.service())
}

// answering is the live place, or why nobody answers there.
func (d *doctor) answering() (Place, error) {
	p, ok := d.obs.Live()
	switch {
	case !ok:
		return p, skip("the service is not live")
	case p.Container == nil || !p.Container.Running():
		return p, skip("the live profile does not run")
	case d.mute():
		return p, skip(askedThroughNginx)
	case !d.obs.Healthy:
		return p, skip("the live profile does not answer")
	}
	return p, nil
}
