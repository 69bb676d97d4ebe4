package swap

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// opens are the addresses under which people open the service; none while it is not live, and where an adopted nginx's owner
// decides on them.
func (j *job) opens() (list []string) {
	if j.obs.Include == nil || !j.obs.NginxRuns() || j.obs.adopted() {
		return nil
	}
	files := j.withPointed()
	scheme, port, usual := "http", j.obs.Host.HTTP, 80
	if nginx.CertificateOf(files, j.service()) != "" && j.obs.Host.HTTPS != 0 {
		scheme, port, usual = "https", j.obs.Host.HTTPS, 443
	}
	names, paths := j.servesBy(files)
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.ContainsAny(n, "*~") })
	if len(names) == 0 {
		names = []string{j.hostName()}
	}
	if len(paths) == 0 {
		paths = []string{""}
	}
	for _, name := range names {
		if strings.Contains(name, ":") { // an IPv6 address
			name = "[" + name + "]"
		}
		if port != usual {
			name += ":" + strconv.Itoa(port)
		}
		for _, path := range paths {
			list = append(list, fmt.Sprintf("%s://%s%s", scheme, name, path))
		}
	}
	return list
}

// withPointed are nginx's files with those that this run has made the site of.
func (j *job) withPointed() map[string][]byte {
	if j.pointed == nil || j.switchedBack {
		return j.obs.Files
	}
	files := maps.Clone(j.obs.Files)
	if files == nil {
		files = map[string][]byte{}
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool {
		return slices.ContainsFunc(nginx.SiteFiles(j.obs.Files, j.service()), func(f nginx.File) bool { return f.Path == name })
	})
	for _, f := range j.pointed {
		files[f.Path] = []byte(f.Text)
	}
	return files
}

// hostName is where the Docker host's public ports are reached from here.
func (j *job) hostName() string {
	if a, err := netip.ParseAddr(j.obs.Host.Address); err == nil && !a.IsUnspecified() {
		return a.String()
	}
	if j.w.HostName == nil {
		return "localhost"
	}
	return cmp.Or(j.w.HostName(), "localhost")
}

// publishedAs are the ports of a container as `docker compose ps` shows them, "0.0.0.0:80->80"; the same one on all addresses of
// IPv6 is left out.
func publishedAs(c *docker.Container) (list []string) {
	for _, p := range c.Ports {
		if p.HostIP == "::" {
			continue
		}
		list = append(list, fmt.Sprintf("%s->%d", net.JoinHostPort(cmp.Or(p.HostIP, "0.0.0.0"), strconv.Itoa(p.HostPort)), p.Container))
	}
	return list
}
