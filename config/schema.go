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
		{"name", text(&s.Service, nginx.ValidServiceName, nginx.ServiceNameForm).called("a name").or("the service's own"),
			"Name of the service's containers, of its upstream groups and of its files. No other service of the host may have it."},
		{"profiles", profiles(&s.Profiles),
			"The two profiles that take turns, and the port of each on the host's loopback. A host that never deployed starts with the first by name."},
		{"container_port", port(&s.ContainerPort).or("the profile's port").like(8080),
			"The port on which the app listens in its container."},
		{"profile_env", texts(&s.ProfileEnv, validVariable, variableForm).called("a list of names"),
			"Environment variables that tell the app its profile's name."},
		{"port_env", texts(&s.PortEnv, validVariable, variableForm).called("a list of names"),
			"Environment variables that tell the app the port to listen on."},
		{"server_names", texts(&s.ServerNames, nginx.ValidServerName, nginx.ServerNameForm).called("a list of host names").or("any").like([]string{"shop.example.com", "*.shop.example.com"}),
			"Host names under which nginx serves the service. Only one service of an nginx may leave them out."},
		{"paths", texts(&s.Paths, nginx.ValidPathPrefix, nginx.PathPrefixForm).called("a list of path prefixes").or("all of them").like([]string{"/api"}),
			"Path prefixes under these names. Several services may share a name: the longest prefix wins, and nothing is cut off the path."},
		{"health", section(
			field{"path", text(&h.Path, validPath, pathForm).called("a path"),
				"What the release is asked for."},
			field{"expect", choice((*string)(&h.Expect), string(ExpectProfile), string(ExpectStatus), string(ExpectText)),
				"What a good answer is: `profile` is the profile's exact name, `status` any 2xx, `text` a 2xx with `text` in it."},
			field{"text", text(&h.Text, notEmpty, notEmptyForm).like("UP"),
				"What must stand in the answer with `expect: text`."},
			field{"interval", duration(&h.Interval, time.Millisecond),
				"The longest pause between two tries. The first ones come sooner."},
			field{"timeout", duration(&h.Timeout, time.Millisecond),
				"How long one try may take. Not longer than the deadline."},
			field{"successes", number(&h.Successes, 1, math.MaxInt32),
				"How many good answers in a row make a release ready."},
			field{"deadline", duration(&h.Deadline, time.Millisecond),
				"How long a release may take to become ready."},
			field{"host", text(&h.Host, validHostHeader, hostHeaderForm).called("a host name, with or without a port").or("the first server name").like("shop.example.com"),
				"The Host header of the question."},
		), "How a release proves that it is ready."},
		{"watch", duration(&s.Watch, 0),
			"How long a swap is watched through nginx. Three failures in a row switch back. `0s`: not at all."},
		{"drain", duration(&s.Drain, 0),
			"How long replacing or stopping a container waits for nginx's old workers. After that it fails rather than cut them."},
		{"keep_old", truth(&s.KeepOld),
			"`true` keeps the old profile running after a swap, for a quick rollback. `false` drains and stops it."},
		{"upstream", section(
			field{"keepalive", number(&s.Keepalive, 1, nginx.WorkerConnections),
				"How many idle connections to the app each nginx worker keeps."},
			field{"keepalive_timeout", duration(&s.KeepaliveTimeout, time.Millisecond),
				"How long they stay idle. Keep it below the time after which the app closes idle connections, or nginx answers 502 now and then."},
		), "The connections from nginx to the app."},
		{"max_body", size(&s.MaxBody),
			"The largest request body that nginx takes. `0`: no limit."},
		{"proxy_timeout", duration(&s.ProxyTimeout, time.Millisecond),
			"The longest silence of the app in the middle of a request. `nginx.shutdown_timeout` must be longer by " + show(nginx.KeepaliveMinTimeout) + " at least."},
		{"release_header", text(&s.ReleaseHeader, nginx.ValidReleaseHeader, nginx.ReleaseHeaderForm).called("a header's name").like("X-Bluegreen-Release"),
			"A response header in which nginx gives the number of the release that answered. An answer that nginx made itself has none."},
		{"hooks", section(hooksFields(&s.Hooks)...), "Commands that are run around a deploy and its switch."},
		{"notify", notifications(s), "Webhooks that are told how a run ended. The host remembers none."},
	}, webFields(&s.Web)...)
}

// hostFields are all keys of the host's section.
func hostFields(h *Host) []field {
	return []field{
		{"nginx", section(
			field{"http", port(&h.HTTP),
				"The published port of plain HTTP."},
			field{"https", port(&h.HTTPS).or(fmt.Sprintf("%d once a service has `tls`", DefaultHTTPS)),
				"The published port of HTTPS."},
			field{"status", port(&h.Status),
				"The port of the status listener, on the host's loopback."},
			field{"address", text(&h.Address, validAddress, addressForm).called("an IP address").or("all interfaces").like("127.0.0.1"),
				"The address of the host on which `http` and `https` are published, in its shortest spelling."},
			field{"image", text(&h.Image, validImage, imageForm).called("an image"),
				"The image of nginx. Any nginx from 1.27.4 on; an older one works with a warning."},
			field{"shutdown_timeout", duration(&h.ShutdownTimeout, time.Millisecond),
				"When nginx cuts what an old worker still carries, of all its services, websockets too. At least the longest `proxy_timeout` and " + show(nginx.KeepaliveMinTimeout) + "."},
			field{"container", text(&h.Container, validDockerName, dockerNameForm).called("a container's name").like("my-nginx"),
				"Adopt the nginx in this container instead of making one."},
			field{"webroot", text(&h.Webroot, validFolder, folderForm).called("a folder").like("/var/www/acme"),
				"The folder of the Docker host in which an ACME client leaves its answers."},
			field{"folder", text(&h.Folder, validFolder, folderForm).called("a folder").or("`" + nginx.Root + "`"),
				"The folder for bluegreen's files in the container of `container`."},
		), "The one nginx that serves every service of the host."},
		{"probe", choice(&h.Probe, probes...).or("as it fits"),
			"Where health and status are asked: `host` is at ports of the Docker host's loopback, `container` from inside the nginx container, as for an engine elsewhere."},
		{"network", section(
			field{"name", text(&h.Network, validDockerName, dockerNameForm).called("a network's name"),
				"The Docker network of nginx and all profiles. A second name is a second, independent nginx."},
			field{"subnet", text(&h.Subnet, validSubnet, subnetForm).called("an IPv4 network, /28 at the smallest").or("chosen by Docker").like("10.77.0.0/20"),
				"The network's addresses. The upper half is for profiles."},
		), "The Docker network."},
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

// hostFlags are those flags that give a host key.
var hostFlags = map[string]string{
	"http":  "--http (or BLUEGREEN_HTTP)",
	"image": "--nginx-image (or BLUEGREEN_NGINX_IMAGE)",
}

// checkAdopted refuses keys that an nginx has which is not bluegreen's to make: in the file, or given as a flag.
func checkAdopted(h, given Host) *fault {
	if h.Container == "" {
		if h.Folder != "" {
			return &fault{at: []string{extension, "nginx", "folder"}, what: "means something only together with container, for an nginx of your own", do: "Take it out."}
		}
		return nil
	}
	what := fmt.Sprintf("is the business of container %s, which is your own nginx", h.Container)
	for _, k := range []struct {
		key         string
		said, given bool
	}{
		{"http", h.HTTP != 0, given.HTTP != 0}, {"https", h.HTTPS != 0, given.HTTPS != 0}, {"webroot", h.Webroot != "", given.Webroot != ""},
		{"address", h.Address != "", given.Address != ""}, {"image", h.Image != "", given.Image != ""},
		{"shutdown_timeout", h.ShutdownTimeout != 0, given.ShutdownTimeout != 0},
	} {
		switch flag := hostFlags[k.key]; {
		case k.given && flag != "":
			return flagFault(flag, what, "Leave it out here, or take nginx.container out of the compose file.")
		case k.said:
			return &fault{at: []string{extension, "nginx", k.key}, what: what, do: "Take it out, or take nginx.container out."}
		}
	}
	return nil
}

// profiles reads {NAME: PORT, NAME: PORT}. YAML maps have no order, so the names give it.
func profiles(p *[2]Profile) setter {
	set := func(v any) *fault {
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
			if f := port(&p[i].Port).set(m[name]); f != nil {
				return f.under(name)
			}
		}
		return nil
	}
	takes := mapShape("two names, each with a port", nginx.ProfileNameForm, port(new(int)).takes)
	takes.MinProperties, takes.MaxProperties = len(p), len(p)
	if p[0].Name != "" {
		takes.Default = map[string]int{p[0].Name: p[0].Port, p[1].Name: p[1].Port}
	}
	return setter{set, takes}
}

// size is an nginx size. A bare number would mean bytes, which nobody wants to write by accident.
func size(p *string) setter {
	written := text(p, nginx.ValidSize, nginx.SizeForm)
	set := func(v any) *fault {
		if n, ok := v.(int); ok && n != 0 {
			return &fault{what: fmt.Sprintf("%d has no unit", n), do: fmt.Sprintf(`Write "%dm" or "%dk".`, n, n)}
		} else if ok {
			v = "0"
		}
		return written.set(v)
	}
	takes := numberShape(0, 0).orText(nginx.SizeForm.Pattern).withDefault(*p)
	takes.Type = shapeTypes{"integer", "string"}
	return setter{set, takes}.called("a size")
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
