package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// PortTakenError says that a host port could not be bound.
type PortTakenError struct {
	Port   int
	Holder string // who holds it, as well as can be found out ("container shop-db", "process 123 (java)"), may be ""
	Err    error
}

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("port %d of the Docker host is taken by %s", e.Port, cmp.Or(e.Holder, "something that could not be found out"))
}
func (e *PortTakenError) Unwrap() error { return e.Err }

// AddressTakenError says that a container's fixed address is in use on its network.
type AddressTakenError struct {
	Address string // "" when the engine did not say which and the container has no fixed one
	Holder  string // "container shop-db", may be ""
	Err     error
}

func (e *AddressTakenError) Error() string {
	return fmt.Sprintf("address %s is taken by %s", cmp.Or(e.Address, "of the container"), cmp.Or(e.Holder, "something that could not be found out"))
}
func (e *AddressTakenError) Unwrap() error { return e.Err }

// bindFailure finds the host port in the engine's words for a port that cannot be bound:
//
//	Bind for 127.0.0.1:8081 failed: port is already allocated
//	listen tcp4 127.0.0.1:8081: bind: address already in use
//	failed to bind host port for 127.0.0.1:8081:172.18.0.2:8081/tcp: address already in use
//	failed to bind host port 127.0.0.1:8081/tcp: address already in use
var bindFailure = regexp.MustCompile(`(?:Bind for|listen tcp[46]?|bind host port(?: for)?) (?:[0-9.]*|\[[0-9a-fA-F:]*\]|::):(\d+)`)

// taken names the holder of a port or an address that a start failed for, or the network that is gone; other errors pass
// unchanged.
func (c *Client) taken(ctx context.Context, id string, err error) error {
	text := err.Error()
	if networkGone.MatchString(text) {
		return c.withNetworkName(ctx, id, err)
	}
	if !strings.Contains(strings.ToLower(text), "already in use") && !strings.Contains(text, "already allocated") {
		return err
	}
	if m := bindFailure.FindStringSubmatch(text); m != nil {
		port, _ := strconv.Atoi(m[1])
		return &PortTakenError{Port: port, Holder: c.portHolderName(ctx, port), Err: err}
	}
	if strings.Contains(text, "ddress already in use") {
		address, holder := c.addressHolder(ctx, id)
		return &AddressTakenError{Address: address, Holder: holder, Err: err}
	}
	return err
}

// networkGone finds the engine's words for a network that was removed since the container was created.
var networkGone = regexp.MustCompile(`network [0-9a-f]{64} not found`)

// withNetworkName says which network it is: the engine gives an id that nothing has any more.
func (c *Client) withNetworkName(ctx context.Context, id string, err error) error {
	found, e := c.Container(ctx, id)
	if e != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found.Networks)) {
		if _, e := c.networkID(ctx, name); errors.Is(e, ErrNotFound) {
			return fmt.Errorf("network %s, which container %s is on, was removed: %w", name, found.Name, err)
		}
	}
	return err
}

func (c *Client) portHolderName(ctx context.Context, port int) string {
	if holder, ok, err := c.PortHolder(ctx, port); err == nil && ok {
		return "container " + holder.Name
	}
	if !c.Local() {
		return ""
	}
	return listeningProcess("/proc", port)
}

// PortHolder finds the running container that publishes a host port (tcp); ok is false when there is none.
func (c *Client) PortHolder(ctx context.Context, port int) (holder Container, ok bool, err error) {
	running, err := c.api.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return Container{}, false, c.explain(err, "list containers")
	}
	for _, r := range running {
		for _, p := range r.Ports {
			if int(p.PublicPort) != port || p.Type != "tcp" {
				continue
			}
			holder, err = c.Container(ctx, r.ID)
			if errors.Is(err, ErrNotFound) {
				break // gone, and the port with it
			}
			return holder, err == nil, err
		}
	}
	return Container{}, false, nil
}

// addressHolder finds which fixed address of a container another one has. Without one that can be seen it is the
// container's first fixed address, and nobody.
func (c *Client) addressHolder(ctx context.Context, id string) (address, holder string) {
	asking, err := c.Container(ctx, id)
	if err != nil {
		return "", ""
	}
	for name, endpoint := range asking.Networks {
		if endpoint.Fixed == "" {
			continue
		}
		address = endpoint.Fixed
		net, err := c.api.NetworkInspect(ctx, name, network.InspectOptions{})
		if err != nil {
			continue
		}
		for other, e := range net.Containers {
			if other != asking.ID && strings.HasPrefix(e.IPv4Address, endpoint.Fixed+"/") {
				return endpoint.Fixed, "container " + e.Name
			}
		}
	}
	return address, ""
}
