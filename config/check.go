package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluegreen/nginx"
)

// check is what must hold between the keys of one section. Places are relative to it.
func check(s *Service) *fault {
	if err := nginx.ValidServiceName(s.Service); err != nil { // compose's name, where no other was given
		return &fault{at: []string{"name"}, what: err.Error(), do: "Give it a name for bluegreen."}
	}
	if f := checkHealth(s.Health); f != nil {
		return f.under("health")
	}
	for _, name := range s.ProfileEnv {
		if slices.Contains(s.PortEnv, name) {
			return &fault{at: []string{"port_env"}, what: name + " is in profile_env too", do: "Take it out of one."}
		}
	}
	if f := checkWeb(s); f != nil {
		return f
	}
	return checkSize(s.Settings)
}

// checkSize refuses more names and paths, and more of what else a site says, than nginx's files take (nginx.Fits).
func checkSize(s Settings) *fault {
	c := nginx.SiteConfig{Service: s.Service, ServerNames: s.ServerNames, Paths: s.Paths, Host: s.Health.Host, MaxBody: s.MaxBody, ReleaseHeader: s.ReleaseHeader}
	for _, p := range s.Profiles {
		c.Upstreams = append(c.Upstreams, nginx.Upstream{Profile: p.Name, Port: p.Port})
	}
	if err := nginx.Fits(s.Service, nginx.Site(c)); err != nil {
		key := "server_names"
		if len(s.Paths) > len(s.ServerNames) {
			key = "paths"
		}
		return &fault{at: []string{key}, what: fmt.Sprintf("%d are too many: %v", max(len(s.Paths), len(s.ServerNames)), err), do: "Name fewer: a wildcard, or a shorter path, covers many."}
	}
	for _, maintenance := range []bool{false, true} {
		c.Web = s.Web.Site(maintenance)
		for status := range c.Web.ErrorPages {
			c.Web.ErrorPages[status] = contentName(nil, pageFile.extension) // as long as that of a page that was read
		}
		if err := nginx.Fits(s.Service, nginx.Site(c)); err != nil {
			return &fault{at: []string{s.Web.longest()}, what: "is too much: " + err.Error(), do: "Say less there, or say it in the file of `snippet`."}
		}
	}
	return nil
}

func checkHealth(h Health) *fault {
	switch {
	case h.Expect == ExpectText && h.Text == "":
		return &fault{at: []string{"expect"}, what: "expect: text needs a text", do: "Add health.text."}
	case h.Expect != ExpectText && h.Text != "":
		return &fault{
			at: []string{"text"}, what: fmt.Sprintf("nothing looks for it with expect: %s", h.Expect),
			do: "Add `expect: text`, or take it out.",
		}
	case h.Timeout > h.Deadline:
		return &fault{
			at:   []string{"timeout"},
			what: fmt.Sprintf("one try (%s) may take longer than all of them (deadline %s)", h.Timeout, h.Deadline),
			do:   "Shorten timeout or lengthen deadline.",
		}
	}
	return nil
}

// checkTogether is what must hold between the services of one file and the host they share.
func checkTogether(host Host, services []*Service) *fault {
	taken := claims{}
	https := host
	for _, s := range services {
		if s.Web.TLS != nil {
			https.HTTPS = cmp.Or(host.HTTPS, DefaultHTTPS)
		}
	}
	if f := taken.host(https); f != nil {
		return f
	}
	if f := checkPreviews(services); f != nil {
		return f
	}
	for _, s := range services {
		if f := checkAdoptedSite(host, s); f != nil {
			return f
		}
		if f := taken.service(s, host.Container != ""); f != nil {
			return f
		}
		if f := checkShutdown(host, s); f != nil {
			return f
		}
	}
	return checkCertificates(services)
}

// checkShutdown: nginx cuts what an old worker still carries after shutdown_timeout, and an old worker
// may take a request as late as KeepaliveMinTimeout after the reload.
func checkShutdown(host Host, s *Service) *fault {
	if host.Container != "" {
		return nil // it has a limit of its own, which doctor looks at
	}
	limit := cmp.Or(host.ShutdownTimeout, DefaultShutdownTimeout)
	need := nginx.KeepaliveMinTimeout + s.ProxyTimeout
	if limit >= need {
		return nil
	}
	f := &fault{
		at: sectionPath(s.Compose.Name, "proxy_timeout"),
		what: fmt.Sprintf("nginx would cut requests of %s (proxy_timeout) of service %s at a swap: shutdown_timeout is %s",
			show(s.ProxyTimeout), s.Service, show(limit)),
		do: fmt.Sprintf("Set %s.nginx.shutdown_timeout at the top of the file to %s or more.", extension, show(need)),
	}
	if host.ShutdownTimeout != 0 {
		f.at = []string{extension, "nginx", "shutdown_timeout"}
	}
	return f
}

// show writes a duration as a person would in the file: whole seconds stay seconds ("313s").
func show(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}

const changeOne = "Change one of them."

// claims are things of which the host has one each, and who has them.
type claims map[string]string

// take claims a thing; it is a fault at the place when somebody else has it. Case does not count: it
// does not for host names and for nginx's upstream groups.
func (c claims) take(thing, owner string, at []string) *fault {
	key := strings.ToLower(thing)
	switch other, ok := c[key]; {
	case ok && other == owner:
		return &fault{at: at, what: fmt.Sprintf("%s stands twice in %s", thing, owner), do: "Take one of them out."}
	case ok:
		return &fault{
			at: at, what: fmt.Sprintf("%s is taken twice: by %s and by %s", thing, other, owner),
			do: changeOne,
		}
	}
	c[key] = owner
	return nil
}

func (c claims) host(h Host) *fault {
	network := strings.ToLower(cmp.Or(h.Network, DefaultNetwork)) // their names begin with it
	c["container "+network+"-nginx"] = "nginx"
	c["container "+network+"-host-lock"] = "the host's lock"
	for _, p := range []struct {
		key  string
		port int
	}{
		{"http", cmp.Or(h.HTTP, DefaultHTTP)},
		{"https", h.HTTPS},
		{"status", cmp.Or(h.Status, DefaultStatus)},
	} {
		if p.port == 0 || h.Container != "" && p.key != "status" {
			continue
		}
		if f := c.take(portKey(p.port), "nginx ("+p.key+")", []string{extension, "nginx", p.key}); f != nil {
			return f
		}
	}
	return nil
}

func portKey(port int) string { return fmt.Sprintf("port %d", port) }

// service claims the service's names, ports and containers (its lock is one, and what a replaced or
// failed profile container is renamed to).
// An adopted nginx has servers of its own, to which the service's names and paths say nothing.
func (c claims) service(s *Service, adopted bool) *fault {
	who := "service " + s.Compose.Name
	at := func(keys ...string) []string { return sectionPath(s.Compose.Name, keys...) }
	if f := c.take("the name "+s.Service, who, at("name")); f != nil {
		return f
	}
	if f := c.take("container "+s.Service+"-lock", "the lock of "+who, at("name")); f != nil {
		return f
	}
	for _, p := range s.Profiles {
		owner := who + "'s profile " + p.Name
		if f := c.take(portKey(p.Port), owner, at("profiles", p.Name)); f != nil {
			return f
		}
		for _, suffix := range []string{"", "-prev", "-failed"} {
			if f := c.take("container "+nginx.Group(s.Service, p.Name)+suffix, owner, at("profiles", p.Name)); f != nil {
				return f
			}
		}
	}
	if adopted {
		return nil
	}
	if f := c.serverNames(s, s.MorePaths(), who, at("grpc")); f != nil {
		return f
	}
	if f := c.previewNames(s, s.Paths, who); f != nil {
		return f
	}
	if len(s.Paths) > 0 {
		return c.serverNames(s, s.Paths, who, at("paths"))
	}
	return c.serverNames(s, []string{""}, who, at("server_names"))
}

// serverNames claims each path of each name; the empty one is all that no other service has.
func (c claims) serverNames(s *Service, paths []string, who string, at []string) *fault {
	for _, path := range paths {
		under := ""
		if path != "" {
			under = " under " + path
		}
		if len(s.ServerNames) == 0 {
			f := c.take("being nginx's default server (no server_names)"+under, who, at)
			if f != nil && f.do == changeOne {
				f.do = "Give at least one of them server_names, or different paths."
			}
			if f != nil {
				return f
			}
		}
		for _, name := range s.ServerNames {
			if f := c.take("server name "+name+under, who, at); f != nil {
				return f
			}
		}
	}
	return nil
}
