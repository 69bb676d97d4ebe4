package swap

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"bluegreen/docker"
)

// network finds two networks of one name, and a network that is gone under running containers.
func (d *doctor) network(ctx context.Context) ([]Check, error) {
	var duplicate *docker.DuplicateNetworkError
	if errors.As(d.noNetwork, &duplicate) {
		return d.duplicate(ctx, duplicate)
	}
	if d.noNetwork != nil {
		return nil, d.noNetwork
	}
	if d.obs.Network == nil && d.obs.Include != nil {
		return []Check{problem("network "+d.names.network+" is gone, and the service is live", d.bluegreen("deploy")+" makes it anew.")}, nil
	}
	if d.obs.Network == nil {
		return nil, skip("there is no network yet: the first deploy makes it")
	}
	return nil, nil
}

// duplicate says which of the networks is to go: one that nobody is on.
func (d *doctor) duplicate(ctx context.Context, e *docker.DuplicateNetworkError) ([]Check, error) {
	list, err := d.w.NetworksLike(ctx, d.names.network)
	if err != nil {
		return nil, err
	}
	var unused []string
	for _, n := range list {
		if n.Name == d.names.network && !d.uses(n) {
			unused = append(unused, n.ID)
		}
	}
	what := fmt.Sprintf("%d networks have the name %s: no command of bluegreen works until one is left", len(e.IDs), e.Name)
	if len(unused) == len(e.IDs) {
		unused = unused[1:] // nobody is on any of them
	}
	if len(unused) == 0 {
		return []Check{problem(what, "Containers are on each of them: "+strings.Join(e.IDs, ", ")+
			". Disconnect those of the wrong one, connect them to the other, and remove it by id: docker network rm ID")}, nil
	}
	return []Check{problem(what, "Remove the one that nobody uses, by id: docker network rm "+strings.Join(unused, " "))}, nil
}

// uses says whether a container is on a network. A stopped one of ours shows only from its own side.
func (d *doctor) uses(n docker.Network) bool {
	for _, c := range d.all {
		for _, e := range c.Networks {
			if e.NetworkID == n.ID {
				return true
			}
		}
	}
	return len(n.Containers) > 0
}

// addresses finds running containers that are not where nginx looks for them.
func (d *doctor) addresses(context.Context) (found []Check, err error) {
	switch c := d.obs.Nginx; {
	case c == nil || !c.Running() || onHost(c) || d.on(c):
	case d.unused():
		err = skip("%s is not on network %s yet: the first deploy attaches it", c.Name, d.names.network)
	default:
		found = append(found, problem(c.Name+" is not on network "+d.names.network+": it reaches no profile",
			fmt.Sprintf("docker network connect %s %s", d.names.network, c.Name)))
	}
	for _, p := range d.obs.Places {
		c := p.Container
		if c == nil || !c.Running() || c.Labels[LabelAddress] == "" {
			continue
		}
		want, at := c.Labels[LabelAddress], c.Networks[d.names.network]
		switch {
		case !d.on(c):
			found = append(found, problem(c.Name+" is not on network "+d.names.network+": nginx cannot reach it",
				fmt.Sprintf("docker network connect --ip %s %s %s (the next `bluegreen deploy` does it, too)", want, d.names.network, c.Name)))
		case at.Address != want:
			found = append(found, problem(fmt.Sprintf("%s has the address %s, and nginx looks for it at %s", c.Name, at.Address, want),
				fmt.Sprintf("docker network disconnect %[2]s %[3]s && docker network connect --ip %[1]s %[2]s %[3]s (the next `bluegreen deploy` does it, too)",
					want, d.names.network, c.Name)))
		}
	}
	return found, err
}

// on says whether a container is on the network, also when another network took over the name.
func (d *doctor) on(c *docker.Container) bool {
	at, ok := c.Networks[d.names.network]
	return ok && (d.obs.Network == nil || at.NetworkID == d.obs.Network.ID)
}

// restart finds profiles that would stay down after a crash or when the host restarts.
func (d *doctor) restart(context.Context) (found []Check, err error) {
	for _, p := range d.obs.Places {
		c := p.Container
		if !runs(p) || d.obs.fresh(p) || c.RestartPolicy == c.Labels[LabelRestart] || c.Labels[LabelRestart] == "" {
			continue
		}
		found = append(found, warning(fmt.Sprintf("%s has the restart policy %s, not %s", c.Name, c.RestartPolicy, c.Labels[LabelRestart]),
			fmt.Sprintf("docker update --restart %s %s (the next `bluegreen deploy` does it, too)", c.Labels[LabelRestart], c.Name)))
	}
	return found, nil
}

// places finds what stands where the next release is to go: somebody else's container on its port, or under its name.
func (d *doctor) places(ctx context.Context) (found []Check, err error) {
	idle := d.obs.Idle()
	own := containerName(d.service(), idle.Profile.Name)
	holder, held, err := d.w.PortHolder(ctx, idle.Profile.Port)
	if err != nil {
		return nil, err
	}
	if held && holder.Labels[LabelService] != d.service() {
		found = append(found, problem(fmt.Sprintf("port %d, of %s, is taken by container %s: a deploy fails", idle.Profile.Port, idle.Profile.Name, holder.Name),
			"Free it, or set another one: x-bluegreen.profiles."+idle.Profile.Name))
	}
	c, err := d.w.Container(ctx, own)
	if err == nil && c.Labels[LabelService] != d.service() {
		found = append(found, problem("container "+own+" is not bluegreen's: a deploy fails", "Rename or remove it, or rename the service with x-bluegreen: {name: …}."))
	}
	return found, ignoreNotFound(err)
}

// ports finds profiles that others than this host can reach.
func (d *doctor) ports(context.Context) (found []Check, err error) {
	for _, p := range d.obs.Places {
		if p.Container == nil {
			continue
		}
		for _, port := range p.Container.Ports {
			if a, err := netip.ParseAddr(port.HostIP); err == nil && a.IsLoopback() {
				continue
			}
			at := port.HostIP
			if at == "" {
				at = "0.0.0.0"
			}
			found = append(found, problem(fmt.Sprintf("%s is published on %s:%d: whoever reaches that address gets around nginx, and Docker around the host's firewall",
				p.Container.Name, at, port.HostPort), "A deploy into "+p.Profile.Name+" publishes it on 127.0.0.1: "+d.deployInto(p)))
			break // 0.0.0.0 and :: are one mistake
		}
	}
	return found, nil
}

// deployInto is how a profile's container is made anew.
func (d *doctor) deployInto(p Place) string {
	again := "`bluegreen deploy --force " + d.service() + "`"
	if live, ok := d.obs.Live(); ok && live.Profile.Name == p.Profile.Name {
		return again + ", twice: it is live, and the first one goes into the other profile."
	}
	return again + "."
}
