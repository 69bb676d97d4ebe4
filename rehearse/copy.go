package rehearse

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/config"
	"bluegreen/nginx"
	"bluegreen/swap"
)

// DefaultReleaseHeader is how the copy's nginx says which release answered, where the service names no header itself.
const DefaultReleaseHeader = "X-Bluegreen-Release"

// longestService is how much of the service's name stands in the copy's: names end up in host names.
const longestService = 30

// noRestart: a copy that was left behind does not come back with the engine.
const noRestart = "no"

// loopback is where all of the copy is published.
const loopback = "127.0.0.1"

// copyOf is the throw-away copy of a service: the same containers, on a network and ports of its own. Unless shared, it
// joins none of the real service's networks, has empty volumes in place of its, and may only read its folders.
func copyOf(s *config.Service, n names, p ports, shared bool) *config.Service {
	c := *s
	c.Settings.Service = n.service(s.Settings.Service)
	for i, profile := range s.Settings.Profiles {
		c.Settings.Profiles[i].Listen = cmp.Or(profile.Listen, profile.Port)
		c.Settings.Profiles[i].Port = p.profiles[i]
	}
	c.Settings.Watch = 0                    // the load watches
	c.Hooks, c.Notify = config.Hooks{}, nil // a migration is not to run, and nobody to be told of a rehearsal
	c.Settings.ReleaseHeader = cmp.Or(s.Settings.ReleaseHeader, DefaultReleaseHeader)
	c.Host.Network, c.Host.Subnet = n.network, ""
	c.Host.HTTP, c.Host.Status, c.Host.Address = p.http, p.status, loopback
	c.Host.HTTPS, c.Host.Webroot = 0, ""
	c.Web.TLS, c.Web.BasicAuth, c.Web.Allow = nil, nil, nil // the load asks by plain HTTP, from wherever it runs
	c.Web.Preview = nil                                     // nobody looks at it
	c.Compose.Restart = noRestart
	c.Compose.Labels = nil // a proxy that goes by labels would send real clients to the copy
	if c.Compose.Deploy != nil {
		deploy := *c.Compose.Deploy
		deploy.RestartPolicy = nil
		c.Compose.Deploy = &deploy
	}
	project := *s.ProjectDef
	if !shared {
		project.Name = n.network // what is made for it does not belong to the real project
		separate(&c.Compose, &project, n)
	}
	project.Services = maps.Clone(project.Services)
	project.Services[c.Compose.Name] = c.Compose
	c.ProjectDef = &project
	return &c
}

// separate takes away what a copy would share with the real service.
func separate(s *types.ServiceConfig, project *types.Project, n names) {
	s.Networks = nil
	s.Volumes = slices.DeleteFunc(slices.Clone(s.Volumes), isSocket)
	for i := range s.Volumes {
		if s.Volumes[i].Type == types.VolumeTypeBind {
			s.Volumes[i].ReadOnly = true
		}
	}
	project.Volumes = maps.Clone(project.Volumes)
	for key := range project.Volumes {
		// Also of another driver, which may reach the same data.
		project.Volumes[key] = types.VolumeConfig{Name: n.network + "_" + key, Labels: types.Labels{swap.LabelNetwork: n.network}}
	}
}

// isSocket says whether a mount is a socket of the host, such as the engine's: reading alone is all that it takes to use it.
// The host may be another machine, where only the name tells.
func isSocket(m types.ServiceVolumeConfig) bool {
	if m.Type != types.VolumeTypeBind {
		return false
	}
	info, err := os.Stat(m.Source)
	return err == nil && info.Mode().Type() == os.ModeSocket || strings.HasSuffix(m.Source, ".sock")
}

// withImage is the copy with another image.
func withImage(s *config.Service, image string) *config.Service {
	c := *s
	c.Image, c.Compose.Image = image, image
	return &c
}

// notes say what a reader of the report should know of the copy. Networks are those of the service that exist.
func notes(s *config.Service, networks []string, shared bool) []string {
	var list []string
	if open := opened(s); len(open) > 0 {
		list = append(list, "the copy is asked by plain HTTP on loopback: it has no "+strings.Join(open, ", "))
	}
	if shared {
		return append(list, "--shared: the copy joins the networks and uses the volumes and folders of the real service")
	}
	var lacks []string
	binds, volumes, sockets := mounts(s)
	if len(networks) > 0 {
		lacks = append(lacks, "is not on "+strings.Join(networks, ", "))
	}
	if len(volumes) > 0 {
		lacks = append(lacks, "has empty volumes in place of "+strings.Join(volumes, ", "))
	}
	if len(binds) > 0 {
		lacks = append(lacks, "may only read "+strings.Join(binds, ", "))
	}
	if len(sockets) > 0 {
		lacks = append(lacks, "has no "+strings.Join(sockets, ", "))
	}
	if len(lacks) == 0 {
		return list
	}
	return append(list, "unlike the real service, the copy "+strings.Join(lacks, "; ")+" (--shared changes that)")
}

// opened are the keys of the service's site that its copy goes without.
func opened(s *config.Service) (keys []string) {
	for _, k := range []struct {
		key string
		set bool
	}{{"tls", s.Web.TLS != nil}, {"basic_auth", s.Web.BasicAuth != nil}, {"allow", len(s.Web.Allow) > 0}, {"preview", s.Web.Preview != nil}} {
		if k.set {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// mounts are the folders, the volumes and the sockets of a service.
func mounts(s *config.Service) (binds, volumes, sockets []string) {
	for _, m := range s.Compose.Volumes {
		switch {
		case isSocket(m):
			sockets = append(sockets, m.Source)
		case m.Type == types.VolumeTypeBind && !m.ReadOnly:
			binds = append(binds, m.Source)
		case m.Type == types.VolumeTypeVolume && m.Source != "":
			volumes = append(volumes, m.Source)
		}
	}
	return binds, volumes, sockets
}

// hostHeader is the name under which the copy's nginx serves the service.
func hostHeader(s *config.Service) string {
	if len(s.Settings.ServerNames) == 0 {
		return ""
	}
	name := s.Settings.ServerNames[0]
	switch {
	case strings.HasPrefix(name, "*."):
		return "rehearsal" + name[1:]
	case strings.HasPrefix(name, "."):
		return name[1:]
	case strings.HasSuffix(name, ".*"):
		return strings.TrimSuffix(name, "*") + "test"
	}
	return name
}

// names are what the things of one rehearsal are called.
type names struct{ id, network string }

// prefix begins the names of all networks, volumes, locks and images that rehearsals make.
const prefix = "bluegreen-rehearsal-"

func namesOf(id string) names { return names{id: id, network: prefix + id} }

func (n names) service(real string) string {
	if len(real) > longestService {
		real = strings.TrimRight(real[:longestService], ".-_")
	}
	name := "rehearsal-" + n.id + "-" + real
	if nginx.ValidServiceName(name) != nil {
		return "rehearsal-" + n.id
	}
	return name
}

// lock is held while the rehearsal runs; kept marks a copy that --keep leaves.
func (n names) lock() string { return n.network + "-lock" }
func (n names) kept() string { return n.network + "-kept" }

// image is the built-in example in a version.
func (n names) image(version string) string {
	return fmt.Sprintf("bluegreen/rehearsal-%s:%s", n.id, version)
}
