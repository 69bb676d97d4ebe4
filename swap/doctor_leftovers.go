package swap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// leftovers finds what belongs to no service and to no run that is under way.
func (d *doctor) leftovers(ctx context.Context) (found []Check, err error) {
	for i := range d.all {
		c := &d.all[i]
		if d.busy[c.Labels[LabelRun]] {
			continue
		}
		switch c.Labels[LabelRole] {
		case RoleLock:
			found = append(found, d.leftLock(c))
		case RoleOneShot:
			if c.Labels[LabelRun] != d.job.run {
				found = append(found, warning(c.Name+", a helper of a run that is gone, is left", d.next(c, "removes it")))
			}
		case RoleProfile:
			found = append(found, d.leftProfile(c)...)
		}
	}
	networks, err := d.leftNetworks(ctx)
	return append(found, networks...), err
}

func (d *doctor) leftLock(c *docker.Container) Check {
	l := LockedError{Lock: c.Name, Holder: c.Labels}
	return warning(fmt.Sprintf("lock %s is left by a run that is gone (%v)", c.Name, &l), d.next(c, "breaks it"))
}

// next says that the next command takes a container away, and how to do it now.
func (d *doctor) next(c *docker.Container, does string) string {
	service := c.Labels[LabelService]
	if service == "" {
		service = d.service()
	}
	now := "docker rm -f " + c.Name
	if c.Name == lockName(service) {
		now = "bluegreen unlock " + service + " --yes"
	}
	return fmt.Sprintf("The next `bluegreen deploy %s` %s; or, now: %s", service, does, now)
}

// leftProfile is about a profile's container of any service on the network. One that failed is kept on purpose.
func (d *doctor) leftProfile(c *docker.Container) []Check {
	service, profile := c.Labels[LabelService], c.Labels[LabelProfile]
	state, _ := parseState(d.obs.Files[nginx.StatePath(service)])
	waits := c.Running() && release(c) > state.LastLive // a stage left it, to be switched to
	served := state.Confirmed != nil || slices.Contains(d.services(), service)
	switch {
	case d.isBusy(service):
		return nil
	case c.State == "created":
		return []Check{warning(c.Name+" was created and never started: a run was interrupted", d.next(c, "removes it, or starts it if it is a way back"))}
	case service == d.service() && d.aside(c):
		return []Check{warning(c.Name+" was put aside by a run that was interrupted", fmt.Sprintf("The next %s brings it back, or removes it.", d.bluegreen("deploy")))}
	case !served && !waits && c.Name == containerName(service, profile):
		return []Check{warning(fmt.Sprintf("%s belongs to service %s, which nginx does not serve", c.Name, service),
			fmt.Sprintf("`bluegreen down %s` removes it; `bluegreen deploy %[1]s` makes the service live.", service))}
	}
	return nil
}

// aside says whether a container was put aside for one that is not waiting to go live any more, nor in the middle of it.
func (d *doctor) aside(c *docker.Container) bool {
	p := d.obs.Place(c.Labels[LabelProfile])
	return d.obs.State.Intent == nil && p.Prev != nil && p.Prev.ID == c.ID && !(p.Container != nil && d.obs.fresh(p))
}

// isBusy says whether a run of the service is under way.
func (d *doctor) isBusy(service string) bool {
	return slices.ContainsFunc(d.all, func(c docker.Container) bool {
		return c.Name == lockName(service) && d.busy[c.Labels[LabelRun]]
	})
}

// leftNetworks finds networks that were made to find a free subnet. The run that makes one has the host's lock.
func (d *doctor) leftNetworks(ctx context.Context) (found []Check, err error) {
	if slices.ContainsFunc(d.all, func(c docker.Container) bool { return c.Name == d.names.lock && d.busy[c.Labels[LabelRun]] }) {
		return nil, nil
	}
	list, err := d.w.NetworksLike(ctx, d.names.network+"-probe-")
	for _, n := range list {
		if strings.HasPrefix(n.Labels[LabelNetwork], d.names.network) && len(n.Containers) == 0 {
			found = append(found, warning("network "+n.Name+" is left by a run that was interrupted while it made "+d.names.network, "docker network rm "+n.Name))
		}
	}
	return found, err
}
