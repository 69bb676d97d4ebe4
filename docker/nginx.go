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
	HTTP, HTTPS, Status       int    // host ports; HTTPS 0: none; Status on 127.0.0.1
	Address                   string // of the host, where HTTP and HTTPS are published; "" = on all of them
	Webroot, WebrootAt        string // folder of the host, and where it is mounted for reading; "" none
	Labels                    map[string]string
}

// The ports nginx listens on inside its container.
const (
	nginxHTTP   = 80
	nginxHTTPS  = 443
	nginxStatus = 8079
)

// loopback is where everything is published that only this host is to reach.
const loopback = "127.0.0.1"

// CreateNginx creates the nginx container: restart always, stop signal SIGQUIT, container ports 80, 443, 8079.
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
	publish(config, host, s.Address, s.HTTP, nginxHTTP)
	publish(config, host, loopback, s.Status, nginxStatus)
	if s.HTTPS != 0 {
		publish(config, host, s.Address, s.HTTPS, nginxHTTPS)
	}
	return c.create(ctx, creation{
		name: s.Name, config: config, host: host,
		endpoint: map[string]*network.EndpointSettings{s.NetworkName: {NetworkID: s.NetworkID}},
	})
}
