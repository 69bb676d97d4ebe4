package docker

import (
	"context"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
)

// NginxSpec is the managed nginx container.
type NginxSpec struct {
	Name, ImageID, Volume, At string
	Cmd                       []string // replaces entry point and command
	NetworkID, NetworkName    string
	Ports                     []Port // that it publishes; HostIP "": on all addresses of the host
	Webroot, WebrootAt        string // folder of the host, and where it is mounted for reading; "" none
	Labels                    map[string]string
}

// loopback is where everything is published that only this host is to reach.
const loopback = "127.0.0.1"

// CreateNginx creates the nginx container: restart always, stop signal SIGQUIT.
func (c *Client) CreateNginx(ctx context.Context, s NginxSpec) (id string, err error) {
	config := &container.Config{
		Image: s.ImageID, Labels: s.Labels, StopSignal: "SIGQUIT",
		Entrypoint: s.Cmd[:1], Cmd: s.Cmd[1:],
	}
	host := &container.HostConfig{
		NetworkMode:   container.NetworkMode(s.NetworkID),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyAlways},
		Mounts:        []mount.Mount{{Type: mount.TypeVolume, Source: s.Volume, Target: s.At}},
	}
	if s.Webroot != "" {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: s.Webroot, Target: s.WebrootAt, ReadOnly: true})
	}
	for _, p := range s.Ports {
		publish(config, host, p.HostIP, p.HostPort, p.Container)
	}
	return c.create(ctx, creation{
		name: s.Name, config: config, host: host,
		endpoint: map[string]*network.EndpointSettings{s.NetworkName: {NetworkID: s.NetworkID}},
	})
}
