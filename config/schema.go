package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"bluegreen/nginx"
)

// extension is the section's key, at the top of the file (for the host) and in a service.
const extension = "x-bluegreen"

// serviceFields are all keys of a service's section.
func serviceFields(s *Service) []field {
	h := &s.Health
	return append([]field{
		{"name", text(&s.Service, nginx.ValidServiceName)},
		{"profiles", profiles(&s.Profiles)},
		{"container_port", port(&s.ContainerPort)},
		{"profile_env", texts(&s.ProfileEnv, validVariable)},
		{"port_env", texts(&s.PortEnv, validVariable)},
		{"server_names", texts(&s.ServerNames, nginx.ValidServerName)},
		{"paths", texts(&s.Paths, nginx.ValidPathPrefix)},
		{"health", section(
			field{"path", text(&h.Path, validPath)},
			field{"expect", text((*string)(&h.Expect), validExpect)},
			field{"text", text(&h.Text, notEmpty)},
			field{"interval", duration(&h.Interval, time.Millisecond)},
			field{"timeout", duration(&h.Timeout, time.Millisecond)},
			field{"successes", number(&h.Successes, 1, math.MaxInt32)},
			field{"deadline", duration(&h.Deadline, time.Millisecond)},
			field{"host", text(&h.Host, validHostHeader)},
		)},
		{"watch", duration(&s.Watch, 0)},
		{"drain", duration(&s.Drain, 0)},
		{"keep_old", truth(&s.KeepOld)},
		{"upstream", section(
			field{"keepalive", number(&s.Keepalive, 1, nginx.WorkerConnections)},
			field{"keepalive_timeout", duration(&s.KeepaliveTimeout, time.Millisecond)},
		)},
		{"max_body", size(&s.MaxBody)},
		{"proxy_timeout", duration(&s.ProxyTimeout, time.Millisecond)},
		{"release_header", text(&s.ReleaseHeader, nginx.ValidReleaseHeader)},
		{"hooks", hooksSection(&s.Hooks)},
	}, webFields(&s.Web)...)
}

// hostFields are all keys of the host's section.
func hostFields(h *Host) []field {
	return []field{
		{"nginx", section(
			field{"http", port(&h.HTTP)},
			field{"https", port(&h.HTTPS)},
			field{"status", port(&h.Status)},
			field{"address", text(&h.Address, validAddress)},
			field{"image", text(&h.Image, validImage)},
			field{"shutdown_timeout", duration(&h.ShutdownTimeout, time.Millisecond)},
			field{"container", text(&h.Container, validDockerName)},
			field{"webroot", text(&h.Webroot, validFolder)},
			field{"folder", text(&h.Folder, validFolder)},
		)},
		{"probe", text(&h.Probe, CheckProbe)},
		{"network", section(
			field{"name", text(&h.Network, validDockerName)},
			field{"subnet", text(&h.Subnet, validSubnet)},
		)},
	}
}

// section writes the fields that were given as flags the way the file would say them, so that one
// decoder checks and applies both.
func (h Host) section() map[string]any {
	nginxKeys, networkKeys := map[string]any{}, map[string]any{}
	for key, v := range map[string]int{"http": h.HTTP, "https": h.HTTPS, "status": h.Status} {
		if v != 0 {
			nginxKeys[key] = v
		}
	}
	if h.ShutdownTimeout != 0 {
		nginxKeys["shutdown_timeout"] = h.ShutdownTimeout.String()
	}
	put := func(m map[string]any, key, v string) {
		if v != "" {
			m[key] = v
		}
	}
	put(nginxKeys, "address", h.Address)
	put(nginxKeys, "image", h.Image)
	put(nginxKeys, "container", h.Container)
	put(nginxKeys, "webroot", h.Webroot)
	put(nginxKeys, "folder", h.Folder)
	put(networkKeys, "name", h.Network)
	put(networkKeys, "subnet", h.Subnet)
	all := map[string]any{"nginx": nginxKeys, "network": networkKeys}
	put(all, "probe", h.Probe)
	return all
}

// decodeHost reads the host's section over what h already says.
func decodeHost(v any, h *Host) *fault {
	return decode(v, hostFields(h))
}

// checkAdopted refuses keys that an nginx has which is not bluegreen's to make.
func checkAdopted(h Host) *fault {
	if h.Container == "" {
		if h.Folder != "" {
			return &fault{at: []string{"nginx", "folder"}, what: "means something only together with container, for an nginx of your own", do: "Take it out."}
		}
		return nil
	}
	for _, k := range []struct {
		key  string
		said bool
	}{{"http", h.HTTP != 0}, {"https", h.HTTPS != 0}, {"webroot", h.Webroot != ""}, {"address", h.Address != ""}, {"image", h.Image != ""}, {"shutdown_timeout", h.ShutdownTimeout != 0}} {
		if k.said {
			return &fault{at: []string{"nginx", k.key}, what: fmt.Sprintf("is the business of container %s, which is your own nginx", h.Container), do: "Take it out, or take nginx.container out."}
		}
	}
	return nil
}

// profiles reads {NAME: PORT, NAME: PORT}. YAML maps have no order, so the names give it.
func profiles(p *[2]Profile) setter {
	return func(v any) *fault {
		m, ok := v.(map[string]any)
		if !ok || len(m) != len(p) {
			return &fault{
				what: "must be exactly two profiles",
				do:   fmt.Sprintf("Write {%s: %d, %s: %d}.", DefaultProfile1, DefaultPort1, DefaultProfile2, DefaultPort2),
			}
		}
		for i, name := range slices.Sorted(maps.Keys(m)) {
			if err := nginx.ValidProfileName(name); err != nil {
				return &fault{at: []string{name}, what: err.Error()}
			}
			p[i].Name = name
			if f := port(&p[i].Port)(m[name]); f != nil {
				return f.under(name)
			}
		}
		return nil
	}
}

// size is an nginx size. A bare number would mean bytes, which nobody wants to write by accident.
func size(p *string) setter {
	return func(v any) *fault {
		if n, ok := v.(int); ok && n != 0 {
			return &fault{what: fmt.Sprintf("%d has no unit", n), do: fmt.Sprintf(`Write "%dm" or "%dk".`, n, n)}
		} else if ok {
			v = "0"
		}
		return text(p, nginx.ValidSize)(v)
	}
}

// elsewhere says so when a key unknown in one section is known in the other.
func elsewhere(key string) (string, bool) {
	has := func(fields []field) bool {
		return slices.ContainsFunc(fields, func(f field) bool { return f.key == key })
	}
	switch {
	case has(hostFields(&Host{})):
		return "It belongs to the host's section: " + extension + " at the top of the file.", true
	case has(serviceFields(&Service{})):
		return "It belongs to a service's section: services.NAME." + extension + ".", true
	}
	return "", false
}
