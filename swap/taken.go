package swap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bluegreen/config"
	"bluegreen/nginx"
)

// claim is what a profile of a service has on the Docker host, of which there is one each.
type claim struct {
	service, profile, network string
	port                      int
	address                   string // on the network
}

func (c claim) owner() string { return fmt.Sprintf("profile %s of service %s", c.profile, c.service) }

// containers are the names that the profile's container has in the course of its life.
func (c claim) containers() []string {
	return []string{containerName(c.service, c.profile), prevName(c.service, c.profile), failedName(c.service, c.profile)}
}

// checkTaken refuses names, ports and addresses that profiles of other services have, on this nginx or another one of the
// host: also those of a profile that is stopped now, or comes with its service's next deploy. What this service has
// already, it keeps.
func (j *job) checkTaken(ctx context.Context) error {
	others, err := j.claimsOfOthers(ctx)
	if err != nil {
		return err
	}
	for _, place := range j.obs.Places {
		ours := claim{service: j.service(), profile: place.Profile.Name, network: j.names.network, port: place.Profile.Port}
		if place.Container != nil && published(place.Container) == ours.port {
			continue
		}
		if j.obs.Network != nil {
			ours.address, _ = j.obs.Network.Address(ours.port) // where there is none, it is told when it is needed
		}
		for _, theirs := range others {
			if err := ours.against(theirs); err != nil {
				return err
			}
		}
	}
	return nil
}

// against is what is wrong with one service's profile beside another's.
func (c claim) against(theirs claim) error {
	where, same := "service "+c.service, c.network == theirs.network
	for _, name := range c.containers() {
		taken := func(other string) bool { return name == other || same && strings.EqualFold(name, other) } // nginx's groups know no case
		if slices.ContainsFunc(theirs.containers(), taken) {
			return &config.Error{
				Where: where, What: fmt.Sprintf("container %s, of profile %s, would have the name of that of %s", name, c.profile, theirs.owner()),
				Do: "Give one of them another name with x-bluegreen: {name: …}.",
			}
		}
	}
	what := ""
	switch {
	case c.port == theirs.port && c.port != 0:
		what = fmt.Sprintf("port %d, of profile %s, is that of %s", c.port, c.profile, theirs.owner())
	case same && c.address != "" && c.address == theirs.address:
		what = fmt.Sprintf("port %d, of profile %s, leads to the address %s on network %s, which is that of %s (port %d)", c.port, c.profile, c.address, c.network, theirs.owner(), theirs.port)
	default:
		return nil
	}
	return &config.Error{Where: where, What: what, Do: fmt.Sprintf("Give another port with x-bluegreen: {profiles: {%s: …}}.", c.profile)}
}

// claimsOfOthers are those of all containers in their places, and of both profiles of all services that this nginx serves.
func (j *job) claimsOfOthers(ctx context.Context) (list []claim, err error) {
	all, err := j.w.Containers(ctx, map[string]string{LabelRole: RoleProfile})
	if err != nil {
		return nil, err
	}
	for i := range all {
		l := all[i].Labels
		c := claim{service: l[LabelService], profile: l[LabelProfile], network: l[LabelNetwork], address: l[LabelAddress]}
		if c.port, _ = strconv.Atoi(l[LabelPort]); c.service != j.service() && all[i].Name == containerName(c.service, c.profile) {
			list = append(list, c)
		}
	}
	for _, service := range nginx.OwnSites(j.obs.Files) {
		state, err := parseState(j.obs.Files[nginx.StatePath(service)])
		if err != nil || state.Settings == nil || service == j.service() {
			continue
		}
		for _, p := range state.Settings.Profiles {
			list = append(list, claim{service: service, profile: p.Name, network: j.names.network, port: p.Port})
		}
	}
	return list, nil
}
