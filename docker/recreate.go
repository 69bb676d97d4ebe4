package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// Recreate makes a new container with the same configuration as the stopped one id, under the same
// name, and removes the old one. Networks are attached by name, fixed addresses kept; compose networks that are gone
// are left out. When the new one cannot be made the old one is as it was. Anonymous volumes are new and empty.
func (c *Client) Recreate(ctx context.Context, id string) (newID string, err error) {
	old, err := c.api.ContainerInspect(ctx, id)
	if err != nil {
		return "", c.explain(err, "inspect container %s", id)
	}
	if old.State.Running {
		return "", fmt.Errorf("recreate container %s: it is running", id)
	}
	first, others, err := c.currentNetworks(ctx, old)
	if err != nil {
		return "", fmt.Errorf("recreate container %s: %w", id, err)
	}
	// Killed before the removal, this leaves one container too many, in state created; never one too few.
	name := strings.TrimPrefix(old.Name, "/")
	newID, err = c.createAttached(ctx, again(old, name+"-"+rand.Text()[:8], first), others)
	if err != nil {
		return "", err
	}
	if err := c.Remove(ctx, old.ID); err != nil {
		c.discard(ctx, newID)
		return "", err
	}
	return newID, c.Rename(context.WithoutCancel(ctx), newID, name)
}

// again is the creation of a container like old. What the engine reports holds the image's part too, so an
// unchanged image id gives the same container.
func again(old container.InspectResponse, name string, first namedEndpoint) creation {
	config, host := *old.Config, *old.HostConfig
	if config.Hostname == old.ID[:12] {
		config.Hostname = "" // the engine's own choice
	}
	host.NetworkMode = container.NetworkMode(first.id)
	return creation{name: name, config: &config, host: &host, endpoint: map[string]*network.EndpointSettings{first.name: first.endpoint}}
}

type namedEndpoint struct {
	found
	name string
}

// currentNetworks finds the networks of a container as they are now, by name. The one with a fixed address comes
// first: it is given at create.
func (c *Client) currentNetworks(ctx context.Context, old container.InspectResponse) (first namedEndpoint, others []found, err error) {
	var all []namedEndpoint
	for _, name := range slices.Sorted(maps.Keys(old.NetworkSettings.Networks)) {
		was := old.NetworkSettings.Networks[name]
		id, err := c.networkID(ctx, name)
		if errors.Is(err, ErrNotFound) && fixedAddress(was) == "" {
			continue // the compose project is down: there is nobody to be reached on its network
		}
		if err != nil {
			return first, nil, fmt.Errorf("network %s: %w", name, err)
		}
		now := &network.EndpointSettings{NetworkID: id, IPAMConfig: was.IPAMConfig, DriverOpts: was.DriverOpts}
		all = append(all, namedEndpoint{found{id, now}, name})
	}
	if len(all) == 0 {
		return first, nil, fmt.Errorf("container %s is on no network", old.Name)
	}
	chosen := max(0, slices.IndexFunc(all, func(e namedEndpoint) bool { return fixedAddress(e.endpoint) != "" }))
	for i, e := range all {
		if i != chosen {
			others = append(others, e.found)
		}
	}
	return all[chosen], others, nil
}
