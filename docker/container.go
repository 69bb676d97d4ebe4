package docker

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

// Container is what the engine knows of one container.
type Container struct {
	ID, Name       string // name without the leading slash
	Image, ImageID string // reference it was created with, and resolved id
	Labels         map[string]string
	State          string // created, running, restarting, paused, exited, dead
	Health         string // "", starting, healthy, unhealthy
	Healthcheck    bool   // a health check is configured (compose's or the image's)
	ExitCode       int
	OOMKilled      bool
	Error          string // engine's own error of the last start
	Created        time.Time
	StartedAt      time.Time // zero when it never started
	FinishedAt     time.Time // zero when it never ended
	RestartPolicy  string    // no, always, unless-stopped, on-failure[:N]
	StopSignal     string
	Networks       map[string]Endpoint // by network name
	Ports          []Port
	Mounts         []Mount
	NetworkMode    string
}

// Running says whether the container's process runs now.
func (c Container) Running() bool { return c.State == "running" }

// Endpoint is a container's place on one network.
type Endpoint struct {
	NetworkID string
	Address   string // what it has now ("" while stopped)
	Fixed     string // what was asked for at create or connect ("" when none)
	Aliases   []string
}

// Port is one published tcp port.
type Port struct {
	HostIP              string
	HostPort, Container int
}

// Mount is one mount of a container.
type Mount struct {
	Type, Name, Source, Target string
	ReadOnly                   bool
}

// Containers lists containers in any state that carry all these labels (value "" = any value).
func (c *Client) Containers(ctx context.Context, labels map[string]string) ([]Container, error) {
	wanted := filters.NewArgs()
	for k, v := range labels {
		wanted.Add("label", strings.TrimSuffix(k+"="+v, "="))
	}
	listed, err := c.api.ContainerList(ctx, container.ListOptions{All: true, Filters: wanted})
	if err != nil {
		return nil, c.explain(err, "list containers")
	}
	found := make([]Container, 0, len(listed))
	for _, l := range listed {
		one, err := c.Container(ctx, l.ID)
		if errors.Is(err, ErrNotFound) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// Container finds one by name or id; ErrNotFound when there is none.
func (c *Client) Container(ctx context.Context, nameOrID string) (Container, error) {
	found, err := c.api.ContainerInspect(ctx, nameOrID)
	if err != nil {
		return Container{}, c.explain(err, "inspect container %s", nameOrID)
	}
	return fromInspect(found), nil
}

func fromInspect(in container.InspectResponse) Container {
	c := Container{
		ID: in.ID, Name: strings.TrimPrefix(in.Name, "/"),
		Image: in.Config.Image, ImageID: in.Image, Labels: in.Config.Labels,
		State: in.State.Status, ExitCode: in.State.ExitCode, OOMKilled: in.State.OOMKilled, Error: in.State.Error,
		Created: moment(in.Created), StartedAt: moment(in.State.StartedAt), FinishedAt: moment(in.State.FinishedAt),
		Healthcheck: checksHealth(in.Config.Healthcheck), StopSignal: in.Config.StopSignal,
		RestartPolicy: formatPolicy(in.HostConfig.RestartPolicy), NetworkMode: string(in.HostConfig.NetworkMode),
		Networks: make(map[string]Endpoint), Ports: publishedPorts(in),
	}
	if h := in.State.Health; h != nil && h.Status != container.NoHealthcheck {
		c.Health = h.Status
	}
	for name, n := range in.NetworkSettings.Networks {
		c.Networks[name] = Endpoint{NetworkID: n.NetworkID, Address: n.IPAddress, Fixed: fixedAddress(n), Aliases: n.Aliases}
	}
	for _, m := range in.Mounts {
		c.Mounts = append(c.Mounts, Mount{Type: string(m.Type), Name: m.Name, Source: m.Source, Target: m.Destination, ReadOnly: !m.RW})
	}
	return c
}

func fixedAddress(n *network.EndpointSettings) string {
	if n.IPAMConfig == nil {
		return ""
	}
	return n.IPAMConfig.IPv4Address
}

// publishedPorts are the ports in force while the container runs, else those it is to get.
func publishedPorts(in container.InspectResponse) []Port {
	bound := in.NetworkSettings.Ports
	if !in.State.Running {
		bound = in.HostConfig.PortBindings
	}
	var ports []Port
	for _, inside := range slices.Sorted(maps.Keys(bound)) {
		for _, b := range bound[inside] {
			if n, err := strconv.Atoi(b.HostPort); err == nil && inside.Proto() == "tcp" {
				ports = append(ports, Port{HostIP: b.HostIP, HostPort: n, Container: inside.Int()})
			}
		}
	}
	slices.SortFunc(ports, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.HostPort, b.HostPort), cmp.Compare(a.HostIP, b.HostIP))
	})
	return ports
}

// publish binds a container's tcp port to one of the host's; ip "" is every interface.
func publish(cfg *container.Config, host *container.HostConfig, ip string, hostPort, inside int) {
	port := nat.Port(strconv.Itoa(inside) + "/tcp")
	if cfg.ExposedPorts == nil {
		cfg.ExposedPorts = nat.PortSet{}
	}
	if host.PortBindings == nil {
		host.PortBindings = nat.PortMap{}
	}
	cfg.ExposedPorts[port] = struct{}{}
	host.PortBindings[port] = append(host.PortBindings[port], nat.PortBinding{HostIP: ip, HostPort: strconv.Itoa(hostPort)})
}

func checksHealth(h *container.HealthConfig) bool {
	return h != nil && len(h.Test) > 0 && h.Test[0] != "NONE"
}

// moment reads a time of the engine; its "never" (year 1) and anything unreadable are the zero time.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
