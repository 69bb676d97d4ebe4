package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
)

// Network is a bridge network with fixed addresses for profiles.
type Network struct {
	ID, Name string
	Subnet   string // CIDR
	Labels   map[string]string
	// Containers on it: id -> name, running ones only.
	Containers map[string]string
}

// DuplicateNetworkError: Engine 20.10 lets two networks of one name exist.
type DuplicateNetworkError struct {
	Name string
	IDs  []string
}

func (e *DuplicateNetworkError) Error() string {
	return fmt.Sprintf("%d networks have the name %s (%s): remove the one that nothing uses, by id: docker network rm %s",
		len(e.IDs), e.Name, strings.Join(e.IDs, ", "), e.IDs[len(e.IDs)-1])
}

// Network finds the network by name. ErrNotFound when there is none; *DuplicateNetworkError when several have the name.
func (c *Client) Network(ctx context.Context, name string) (Network, error) {
	id, err := c.networkID(ctx, name)
	if err != nil {
		return Network{}, fmt.Errorf("look up network %s: %w", name, err)
	}
	return c.inspectNetwork(ctx, id)
}

// networkID finds the one network of that very name; the engine's filter also finds parts of names.
func (c *Client) networkID(ctx context.Context, name string) (string, error) {
	listed, err := c.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", name))})
	if err != nil {
		return "", c.explain(err, "list networks")
	}
	var ids []string
	for _, n := range listed {
		if n.Name == name {
			ids = append(ids, n.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", ErrNotFound
	case 1:
		return ids[0], nil
	default:
		return "", &DuplicateNetworkError{Name: name, IDs: ids}
	}
}

// overlapTries is how often a subnet is picked anew when somebody else took it in between.
const overlapTries = 5

// CreateNetwork creates it: subnet given or, when "", picked by the engine through a probe network;
// the lower half as IPRange. "Pool overlaps" is retried when the subnet was picked.
func (c *Client) CreateNetwork(ctx context.Context, name, subnet string, labels map[string]string) (Network, error) {
	if subnet != "" {
		return c.createNetwork(ctx, name, subnet, labels)
	}
	var failed error
	for range overlapTries {
		free, err := c.freeSubnet(ctx, name, labels)
		if err != nil {
			return Network{}, err
		}
		made, err := c.createNetwork(ctx, name, free, labels)
		if err == nil || !strings.Contains(err.Error(), "Pool overlaps") {
			return made, err
		}
		failed = err
	}
	return Network{}, failed
}

func (c *Client) createNetwork(ctx context.Context, name, subnet string, labels map[string]string) (Network, error) {
	lower, _, err := halves(subnet)
	if err != nil {
		return Network{}, fmt.Errorf("create network %s: %w", name, err)
	}
	pool := network.IPAMConfig{Subnet: subnet, IPRange: lower.String()}
	made, err := c.api.NetworkCreate(ctx, name, network.CreateOptions{
		Driver: "bridge", Labels: labels, IPAM: &network.IPAM{Driver: "default", Config: []network.IPAMConfig{pool}},
	})
	if err != nil {
		return Network{}, c.explain(err, "create network %s with subnet %s", name, subnet)
	}
	return Network{ID: made.ID, Name: name, Subnet: subnet, Labels: labels, Containers: map[string]string{}}, nil
}

// freeSubnet lets the engine pick a subnet: it knows its address pools and the host's routes.
func (c *Client) freeSubnet(ctx context.Context, name string, labels map[string]string) (string, error) {
	probe := name + "-probe-" + rand.Text()[:8]
	made, err := c.api.NetworkCreate(ctx, probe, network.CreateOptions{Driver: "bridge", Labels: labels})
	if err != nil {
		return "", c.explain(err, "create probe network %s", probe)
	}
	found, err := c.Network(ctx, probe)
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	return found.Subnet, errors.Join(err, c.RemoveNetwork(sure, made.ID))
}

// Engine 20.10 may count a container that was just removed among a network's for a moment.
const (
	endpointPatience = 3 * time.Second
	endpointPause    = 100 * time.Millisecond
)

// RemoveNetwork removes it by id; one that is gone is success. The error for one in use names the containers on it.
func (c *Client) RemoveNetwork(ctx context.Context, id string) error {
	for deadline := time.Now().Add(endpointPatience); ; {
		err := absentIsFine(c.api.NetworkRemove(ctx, id))
		if err == nil || !strings.Contains(err.Error(), "active endpoints") {
			return c.explain(err, "remove network %s", id)
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return c.explain(fmt.Errorf("%w: %s", err, c.onNetwork(ctx, id)), "remove network %s", id)
		}
		time.Sleep(endpointPause)
	}
}

// onNetwork says who is on a network that cannot be removed.
func (c *Client) onNetwork(ctx context.Context, id string) string {
	found, err := c.api.NetworkInspect(ctx, id, network.InspectOptions{})
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, e := range found.Containers {
		names = append(names, e.Name)
	}
	if len(names) == 0 {
		return "no container is on it: the engine has miscounted, and can remove it after its next restart"
	}
	slices.Sort(names)
	return "it has " + strings.Join(names, ", ")
}

// Connect attaches a container to a network, with a fixed address when one is given.
func (c *Client) Connect(ctx context.Context, networkID, containerID, address string) error {
	return c.connect(ctx, networkID, containerID, &network.EndpointSettings{IPAMConfig: fixed(address)})
}

func (c *Client) connect(ctx context.Context, networkID, containerID string, e *network.EndpointSettings) error {
	err := c.api.NetworkConnect(ctx, networkID, containerID, e)
	return c.explain(err, "connect container %s to network %s", containerID, networkID)
}

func fixed(address string) *network.EndpointIPAMConfig {
	if address == "" {
		return nil
	}
	return &network.EndpointIPAMConfig{IPv4Address: address}
}

// Disconnect detaches a container from a network.
func (c *Client) Disconnect(ctx context.Context, networkID, containerID string) error {
	err := c.api.NetworkDisconnect(ctx, networkID, containerID, false)
	return c.explain(err, "disconnect container %s from network %s", containerID, networkID)
}
