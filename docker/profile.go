package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// ProfileSpec is one profile's container, as it is to be.
type ProfileSpec struct {
	Name          string // container name
	Image         Image  // created by id
	Service       types.ServiceConfig
	Project       *types.Project    // for networks, volumes, secrets, configs
	Env           map[string]string // added to the service's environment
	Labels        map[string]string // added to the service's labels
	NetworkID     string            // the bluegreen network
	NetworkName   string
	Address       string // fixed address on it
	HostPort      int    // published on 127.0.0.1
	ContainerPort int
}

// attachment is one of the service's own compose networks.
type attachment struct {
	Name       string // the real one
	Optional   bool   // not asked for by name: fine when it does not exist
	DriverOpts map[string]string
	path       string
}

// attachments are never made under the service's own name, or DNS would mix live and idle.
func (v *conversion) attachments() {
	for _, key := range v.service.NetworksByPriority() {
		declared := v.project.Networks[key]
		a := attachment{
			Name: cmp.Or(declared.Name, key), path: v.path + ".networks." + key,
			Optional: key == "default" && !bool(declared.External),
		}
		if asked := v.service.Networks[key]; asked != nil {
			a.DriverOpts = asked.DriverOpts
		}
		v.networks = append(v.networks, a)
	}
}

// CreateProfile creates the container (restart policy "no", not started), attached to the bluegreen
// network with its fixed address and to the service's own compose networks by name. Missing volumes of the project
// are created as compose would; its networks never are.
func (c *Client) CreateProfile(ctx context.Context, s ProfileSpec) (id string, err error) {
	v, others, err := c.prepare(ctx, s)
	if err != nil {
		return "", err
	}
	return c.createAttached(ctx, s.creation(v), others)
}

// prepare converts the service, finds its compose networks, and makes sure of its volumes.
func (c *Client) prepare(ctx context.Context, s ProfileSpec) (v *conversion, others []found, err error) {
	if v, err = convert(s.Service, s.Project); err != nil {
		return nil, nil, err
	}
	for _, n := range v.needs {
		if !c.speaks(n.api) {
			return nil, nil, &UnsupportedError{Path: n.path, Reason: fmt.Sprintf("needs an engine with API %s, this one speaks %s", n.api, c.api.ClientVersion())}
		}
	}
	if others, err = c.findNetworks(ctx, v.networks, s.NetworkID); err != nil {
		return nil, nil, err
	}
	return v, others, c.ensureVolumes(ctx, v.volumes)
}

// creation adds to the service's configuration what is the profile's own.
func (s ProfileSpec) creation(v *conversion) creation {
	v.config.Image = s.Image.ID
	v.config.Env = override(v.config.Env, s.Env)
	maps.Copy(v.config.Labels, s.Labels)
	publish(v.config, v.host, loopback, s.HostPort, s.ContainerPort)
	v.host.NetworkMode = container.NetworkMode(s.NetworkID)
	return creation{
		name: s.Name, config: v.config, host: v.host, platform: v.platform,
		endpoint: map[string]*network.EndpointSettings{
			s.NetworkName: {NetworkID: s.NetworkID, IPAMConfig: fixed(s.Address)},
		},
	}
}

// override replaces variables in a list of K=V and adds the others, in order.
func override(env []string, by map[string]string) []string {
	kept := slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		_, replaced := by[name]
		return replaced
	})
	for _, name := range slices.Sorted(maps.Keys(by)) {
		kept = append(kept, name+"="+by[name])
	}
	return kept
}

// found is an existing network to connect a container to.
type found struct {
	id       string
	endpoint *network.EndpointSettings
}

// findNetworks looks up the compose networks by name: a recreated network has a new id.
func (c *Client) findNetworks(ctx context.Context, wanted []attachment, except string) ([]found, error) {
	var networks []found
	for _, a := range wanted {
		id, err := c.networkID(ctx, a.Name)
		switch {
		case errors.Is(err, ErrNotFound) && a.Optional:
		case errors.Is(err, ErrNotFound):
			return nil, a.absent(err)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", a.path, err)
		case id != except:
			networks = append(networks, found{id, &network.EndpointSettings{DriverOpts: a.DriverOpts}})
		}
	}
	return networks, nil
}

func (c *Client) ensureVolumes(ctx context.Context, volumes []namedVolume) error {
	for _, v := range volumes {
		exists, err := c.VolumeExists(ctx, v.create.Name)
		switch {
		case err != nil:
			return err
		case exists:
		case v.external:
			return fmt.Errorf("%s: external volume %s does not exist: create it with docker volume create %s: %w", v.path, v.create.Name, v.create.Name, ErrNotFound)
		default:
			if _, err := c.api.VolumeCreate(ctx, v.create); err != nil {
				return c.explain(err, "create volume %s", v.create.Name)
			}
		}
	}
	return nil
}

// createAttached creates a container and connects it to its other networks; when one of them refuses, there is no
// container.
func (c *Client) createAttached(ctx context.Context, n creation, others []found) (string, error) {
	id, err := c.create(ctx, n)
	if err != nil {
		return "", err
	}
	for _, o := range others {
		if err := c.connect(ctx, o.id, id, o.endpoint); err != nil {
			c.discard(ctx, id)
			return "", err
		}
	}
	return id, nil
}
