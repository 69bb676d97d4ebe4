package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bluegreen/nginx"
	"bluegreen/nginx/grammar"
)

// FuzzLoad: a whole compose file is refused with a place and words, or what nginx is told of it is the default site
// with other values in the same places.
func FuzzLoad(f *testing.F) {
	f.Add(minimal)
	for _, section := range []string{
		"health: {path: /x}", "server_names: [a.example, '*.b.example', '[::1]']", "name: a.b-c_d\nprofiles: {a: 1, B: 2}",
		"max_body: 1g\nproxy_timeout: 1500ms\nupstream: {keepalive: 1, keepalive_timeout: 1ms}", "watch: 0s\ndrain: 0s\nkeep_old: false\ncontainer_port: 1",
		"profile_env: []\nport_env: [A]", "snippet: compose.yaml\nerror_pages: {'502': compose.yaml}\nmaintenance: {page: compose.yaml, retry_after: 1m}\nheaders: {X-A: \"a;b\"}\nallow: ['::1']\ngrpc: [/a]\ngzip: true\nbuffering: false",
		"health: {path: '/a?b=$$c', expect: text, text: '\"}', host: 'a:1', successes: 1, deadline: 1m}",
	} {
		f.Add(one(section))
	}
	for _, bad := range []string{"a;b", "a; }", "a{", "a}", "a#b", "a\"b", "a'b", `a\\`, "a$$b", "$${a}", "a b", `a\nb`, `a\rb`, `a\0b`, `a\u2028b`, "~.*", "*", "", "${NOT_SET}", "ä", "../a", "-n"} {
		for _, key := range []string{"name: %q", "server_names: [%q]", "max_body: %q", "profiles: {%q: 1, b: 2}", "health: {path: %q}", "health: {path: /a, host: %q}", "proxy_timeout: %q",
			"headers: {%q: a}", "headers: {X-A: %q}", "basic_auth: {file: compose.yaml, realm: %q}", "basic_auth: {file: %q}", "allow: [%q]", "grpc: [%q]", "error_pages: {%q: compose.yaml}",
			"error_pages: {'502': %q}", "snippet: %q", "server_names: [a.example]\ntls: {certificate: %q, key: compose.yaml}", "server_names: [a.example]\ntls: {certificate: compose.yaml, key: compose.yaml, hsts: %q}",
			"maintenance: {page: compose.yaml, retry_after: %q}", "gzip: %q", "buffering: %q"} {
			f.Add(one(strings.ReplaceAll(fmt.Sprintf(key, bad), `\\`, `\`)))
		}
	}
	f.Add("x-bluegreen: {nginx: {http: 81, status: 82, image: a, shutdown_timeout: 80s}, network: {name: n, subnet: 10.0.0.0/28}}\n" + minimal)
	f.Add("x-bluegreen: {network: {name: 'a;b', subnet: 10.0.0.1/28}}\n" + minimal)
	f.Add(strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen: &a {}\n  api: {image: a, x-bluegreen: *a}", 1))
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "<<") && strings.Contains(text, "&") || strings.Contains(text, "/dev/") {
			return // compose's loader takes long for a section that is merged into itself, and reads any file it is told to
		}
		s, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", text)})
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Where == "" || e.What == "" {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		checkTexts(t, s.Settings)
	})
}

// site is what nginx is told of a service.
func site(s Settings) (text string) {
	c := nginx.SiteConfig{
		Service: s.Service, ServerNames: s.ServerNames, Paths: s.Paths, Keepalive: s.Keepalive, KeepaliveTimeout: s.KeepaliveTimeout, MaxBody: s.MaxBody, ProxyTimeout: s.ProxyTimeout,
	}
	for _, p := range s.Profiles {
		c.Upstreams = append(c.Upstreams, nginx.Upstream{Profile: p.Name, Address: "10.77.8.1", Port: p.Port})
	}
	for _, f := range nginx.Site(c) {
		text += f.Text
	}
	return text
}

func checkTexts(t *testing.T, s Settings) {
	t.Helper()
	got, err := grammar.Parse(site(s))
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	plain := defaults().Settings
	for i := range s.ServerNames {
		plain.ServerNames = append(plain.ServerNames, fmt.Sprintf("name%d.example", i))
	}
	plain.Service = "web"
	for i := range s.Paths {
		plain.Paths = append(plain.Paths, fmt.Sprintf("/path%d", i))
	}
	model, err := grammar.Parse(site(plain))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := grammar.Shape(got), grammar.Shape(model); a != b {
		t.Errorf("%+v makes\n%s\nnot\n%s", s, a, b)
	}
	for directive, values := range map[string][]string{"server_name": append(slices.Clone(s.ServerNames), s.Service, nginx.LiveHost(s.Service)), "client_max_body_size": {s.MaxBody}} {
		if have := arguments(got, directive); !slices.Equal(have, values) {
			t.Errorf("%s is %q, not %q", directive, have, values)
		}
	}
	for _, p := range s.Profiles {
		to := nginx.Target{Service: s.Service, Profile: p.Name, Release: 1}
		if back, err := nginx.ParseInclude(s.Service, nginx.Include(to)); err != nil || back != to {
			t.Errorf("include of %v: %v, %v", to, back, err)
		}
		if !nginx.HasGroup(site(s), nginx.Group(s.Service, p.Name)) {
			t.Errorf("no group of %s", p.Name)
		}
	}
}

// arguments are those of all directives of a name, in the order of the file.
func arguments(list []grammar.Directive, name string) (all []string) {
	for _, d := range list {
		if d.Words[0] == name {
			all = append(all, d.Words[1:]...)
		}
		all = append(all, arguments(d.Block, name)...)
	}
	return all
}
