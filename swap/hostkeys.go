package swap

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// HostKeys are the host's keys as the nginx container was made with them, kept in its labels, and in its volume for
// when somebody removes it.
type HostKeys struct {
	HTTP            int    `json:"http"`
	HTTPS           int    `json:"https,omitempty"` // 0: not published
	Status          int    `json:"status"`
	Address         string `json:"address,omitempty"` // "": all of the host's
	Image           string `json:"image"`
	ShutdownTimeout string `json:"shutdown_timeout"`
	Webroot         string `json:"webroot,omitempty"`   // folder of the host with an ACME client's answers; "" none
	Container       string `json:"container,omitempty"` // the adopted nginx; "": one of ours, and these keys are what it was made with
	Folder          string `json:"folder,omitempty"`    // in it, for our files
}

// keysOf are the keys that an nginx container was made with. One that lacks a key has none of it.
func keysOf(c docker.Container) (k HostKeys, err error) {
	if err := json.Unmarshal([]byte(c.Labels[LabelHost]), &k); err != nil {
		return HostKeys{}, fmt.Errorf("read label %s of container %s: %w", LabelHost, c.Name, err)
	}
	return k, nil
}

// NginxImage is the image that the managed nginx of a network was made with; "" when there is none.
func NginxImage(ctx context.Context, w World, network string) (string, error) {
	all, err := w.Containers(ctx, map[string]string{LabelNetwork: network, LabelRole: RoleNginx})
	if err != nil || len(all) == 0 {
		return "", err
	}
	k, err := keysOf(all[0])
	return k.Image, err
}

// publishes says what a new nginx, and the profiles of the service with it, will publish.
func (k HostKeys) publishes(s config.Settings) string {
	public := []int{k.HTTP}
	if k.HTTPS != 0 {
		public = append(public, k.HTTPS)
	}
	at := make([]string, len(public))
	for i, port := range public {
		at[i] = net.JoinHostPort(cmp.Or(k.Address, "0.0.0.0"), strconv.Itoa(port))
	}
	return fmt.Sprintf("nginx (%s) will publish %s, and %s for its status; the profiles %s and %s", k.Image, strings.Join(at, " and "), onLoopback(k.Status),
		onLoopback(s.Profiles[0].Port), onLoopback(s.Profiles[1].Port))
}

// public is where nginx's public port is asked from the host itself, "127.0.0.1:80". One on all interfaces is asked on
// loopback.
func (k HostKeys) public() string { return k.published(k.HTTP) }

// published is where a port of nginx's is asked from the host itself.
func (k HostKeys) published(port int) string {
	a, err := netip.ParseAddr(k.Address)
	switch {
	case err != nil || a == netip.IPv4Unspecified():
		return onLoopback(port)
	case a == netip.IPv6Unspecified():
		a = netip.IPv6Loopback()
	}
	return net.JoinHostPort(a.String(), strconv.Itoa(port))
}

func onLoopback(port int) string { return fmt.Sprintf("%s:%d", loopback, port) }

// loopback is where everything is published that only the Docker host itself is to reach.
const loopback = "127.0.0.1"

// hostKeys are the keys that a new nginx is made with: what this project says, else those of the nginx that was here and
// that somebody removed, else the defaults.
func (j *job) hostKeys() HostKeys {
	h, was := j.Service.Host, j.obs.Host
	k := HostKeys{
		HTTP: cmp.Or(h.HTTP, was.HTTP, config.DefaultHTTP), Status: cmp.Or(h.Status, was.Status, config.DefaultStatus),
		Address:         cmp.Or(h.Address, was.Address),
		Image:           cmp.Or(h.Image, was.Image, config.DefaultImage),
		ShutdownTimeout: cmp.Or(was.ShutdownTimeout, config.DefaultShutdownTimeout.String()),
		HTTPS:           cmp.Or(h.HTTPS, was.HTTPS), Webroot: cmp.Or(h.Webroot, was.Webroot),
	}
	if k.HTTPS == 0 && j.Service.Settings.Web.TLS != nil {
		k.HTTPS = config.DefaultHTTPS
	}
	if h.ShutdownTimeout != 0 {
		k.ShutdownTimeout = h.ShutdownTimeout.String()
	}
	return k
}

// ports are those that the nginx of these keys publishes.
func (k HostKeys) ports() []docker.Port {
	list := []docker.Port{{HostIP: k.Address, HostPort: k.HTTP, Container: nginx.HTTPPort}, {HostIP: loopback, HostPort: k.Status, Container: nginx.StatusPort}}
	if k.HTTPS != 0 {
		list = append(list, docker.Port{HostIP: k.Address, HostPort: k.HTTPS, Container: nginx.HTTPSPort})
	}
	return list
}

// checkHost refuses host keys that differ from those which the running nginx was made with.
func (o *Observation) checkHost(h config.Host) error {
	if o.Nginx == nil || o.adopted() { // what is said of an adopted one was compared when it was looked for
		return nil
	}
	differs := func(key string, want, have any) error {
		return &config.Error{
			Where: "x-bluegreen.nginx." + key, What: fmt.Sprintf("this project wants %v, but the nginx of this host was made with %v", want, have),
			Do: "Take the key out, or use the host's value: one nginx serves every service of the host. `bluegreen nginx recreate` makes it anew with this project's, which is a short outage.",
		}
	}
	switch {
	case h.Subnet != "" && o.Network != nil && h.Subnet != o.Network.Subnet:
		return &config.Error{
			Where: "x-bluegreen.network.subnet", What: fmt.Sprintf("this project wants %s, but the network has %s", h.Subnet, o.Network.Subnet),
			Do: "Take the key out, or use another network name.",
		}
	case h.HTTP != 0 && h.HTTP != o.Host.HTTP:
		return differs("http", h.HTTP, o.Host.HTTP)
	case h.HTTPS != 0 && h.HTTPS != o.Host.HTTPS:
		return differs("https", h.HTTPS, cmp.Or(portOrNone(o.Host.HTTPS), "none"))
	case h.Webroot != "" && h.Webroot != o.Host.Webroot:
		return differs("webroot", h.Webroot, cmp.Or(o.Host.Webroot, "none"))
	case h.Status != 0 && h.Status != o.Host.Status:
		return differs("status", h.Status, o.Host.Status)
	case h.Address != "" && h.Address != o.Host.Address:
		return differs("address", h.Address, cmp.Or(o.Host.Address, "all interfaces"))
	case h.Image != "" && h.Image != o.Host.Image:
		return differs("image", h.Image, o.Host.Image)
	case h.ShutdownTimeout != 0 && h.ShutdownTimeout.String() != o.Host.ShutdownTimeout:
		return differs("shutdown_timeout", h.ShutdownTimeout, o.Host.ShutdownTimeout)
	}
	return nil
}

func portOrNone(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

// checkTLS refuses a certificate on an nginx that publishes no port for it, or beside another one of the same name, and all
// that a site of ours has on an nginx whose sites are its owner's.
func (o *Observation) checkTLS(s config.Settings) error {
	if o.adopted() && !s.Web.None() {
		return &config.Error{
			Where: "service " + s.Service, What: "has keys for a site of bluegreen's own (tls, headers, allow, preview and their like), and this nginx is your own",
			Do: "Take them out, and set this in the server block of container " + o.Host.Container + ".",
		}
	}
	if s.Web.TLS == nil {
		return nil
	}
	if o.Nginx == nil || o.Host.HTTPS != 0 {
		return o.checkCertificate(o.Files, s.Service, s.Web.TLS.Certificate.Name, s.AllNames())
	}
	return &config.Error{
		Where: "service " + s.Service, What: "has tls, but the nginx of this host was made without a port for it",
		Do: "Run `bluegreen nginx recreate " + s.Service + "`, which publishes one and is a short outage.",
	}
}
