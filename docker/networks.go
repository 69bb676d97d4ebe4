package docker

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
)

// NetworksLike lists the networks whose names begin with prefix, by name and then by id; of one name there may be
// several.
func (c *Client) NetworksLike(ctx context.Context, prefix string) ([]Network, error) {
	listed, err := c.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", prefix))})
	if err != nil {
		return nil, c.explain(err, "list networks")
	}
	var found []Network
	for _, l := range listed {
		if !strings.HasPrefix(l.Name, prefix) {
			continue
		}
		n, err := c.inspectNetwork(ctx, l.ID)
		if errors.Is(err, ErrNotFound) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	slices.SortFunc(found, func(a, b Network) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return found, nil
}

func (c *Client) inspectNetwork(ctx context.Context, id string) (Network, error) {
	found, err := c.api.NetworkInspect(ctx, id, network.InspectOptions{})
	if err != nil {
		return Network{}, c.explain(err, "inspect network %s", id)
	}
	n := Network{ID: found.ID, Name: found.Name, Labels: found.Labels, Containers: make(map[string]string)}
	for _, pool := range found.IPAM.Config {
		if !strings.Contains(pool.Subnet, ":") {
			n.Subnet = pool.Subnet
			break
		}
	}
	for id, e := range found.Containers {
		n.Containers[id] = e.Name
	}
	return n, nil
}
