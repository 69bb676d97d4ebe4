package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// bad is a compose file or a use of flags that must be refused, and how.
type bad struct {
	name            string
	section         string // keys of web's x-bluegreen, unless text is given
	text            string
	o               Options
	where, what, do string // where exactly; what and do as parts; "" is not looked at
}

// one is a file whose service's section starts at line 6.
func one(section string) string {
	text := "name: shop\nservices:\n  web:\n    image: shop:1\n    x-bluegreen:\n"
	for line := range strings.SplitSeq(section, "\n") {
		text += "      " + line + "\n"
	}
	return text
}

func (b bad) run(t *testing.T) {
	text := b.text
	if text == "" {
		text = one(b.section)
	}
	b.o.Dir = files(t, "compose.yaml", text)
	s, err := Load(t.Context(), b.o)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("Load = %+v, %v; want an *Error", s, err)
	}
	if e.Where != b.where {
		t.Errorf("where = %q, want %q", e.Where, b.where)
	}
	if !strings.Contains(e.What, b.what) {
		t.Errorf("what = %q, want %q in it", e.What, b.what)
	}
	if !strings.Contains(e.Do, b.do) {
		t.Errorf("do = %q, want %q in it", e.Do, b.do)
	}
	if want := e.Where + ": " + e.What; !strings.HasPrefix(e.Error(), want) || !strings.HasSuffix(e.Error(), e.Do) {
		t.Errorf("Error() = %q", e.Error())
	}
	schemaAgrees(t, b.name, text)
}

const webSection = "services.web.x-bluegreen"

func TestLoad_RefusesKeys(t *testing.T) {
	for _, b := range []bad{
		{name: "unknown key", section: "watch: 5s\nhelth: {path: /x}",
			where: "compose.yaml:7: " + webSection + ".helth", what: "did you mean health?"},
		{name: "unknown key inside", section: "health:\n  path: /x\n  intervall: 1s",
			where: "compose.yaml:8: " + webSection + ".health.intervall", what: "did you mean interval?"},
		{name: "unknown, near nothing", section: "banana: 1",
			where: "compose.yaml:6: " + webSection + ".banana", what: "unknown key", do: "Known here: name, profiles"},
		{name: "a host key in a service", section: "nginx: {http: 80}",
			where: "compose.yaml:6: " + webSection + ".nginx", do: "at the top of the file"},
		{name: "a service key for the host", text: "x-bluegreen: {watch: 5s}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.watch", do: "services.NAME.x-bluegreen"},
		{name: "unknown host key", text: "x-bluegreen:\n  nginx:\n    htp: 80\n" + minimal,
			where: "compose.yaml:3: x-bluegreen.nginx.htp", what: "did you mean http?"},
		{name: "section is true", text: strings.Replace(minimal, "{}", "true", 1),
			where: "compose.yaml:6: " + webSection, what: "must be a section", do: ""},
		{name: "extension misspelt", text: strings.Replace(minimal, "x-bluegreen", "x-blugreen", 1),
			where: "compose.yaml:6: services.web.x-blugreen", what: "did you mean x-bluegreen?"},
		{name: "the host's section misspelt", text: "x-bluegren: {nginx: {http: 8080}}\n" + minimal,
			where: "compose.yaml:1: x-bluegren", what: "did you mean x-bluegreen?"},

		{name: "duration without unit", section: "watch: 5",
			where: "compose.yaml:6: " + webSection + ".watch", what: "5 has no unit", do: `Write "5s" or "5ms"`},
		{name: "duration as text without unit", section: `watch: "5"`,
			where: "compose.yaml:6: " + webSection + ".watch", what: "5 has no unit"},
		{name: "not a duration", section: "drain: long",
			where: "compose.yaml:6: " + webSection + ".drain", what: `a duration like "250ms", "5s" or "2m", not the text "long"`},
		{name: "a list for a duration", section: "drain: [1s]",
			where: "compose.yaml:6: " + webSection + ".drain", what: "not a list"},
		{name: "negative drain", section: "drain: -1s",
			where: "compose.yaml:6: " + webSection + ".drain", what: "-1s is not between 0s"},
		{name: "no time to try", section: "health: {timeout: 0s}",
			where: "compose.yaml:6: " + webSection + ".health.timeout", what: "0s is not between 1ms"},
		{name: "endless", section: "proxy_timeout: 9999h",
			where: "compose.yaml:6: " + webSection + ".proxy_timeout", what: "9999h is not between 1ms and 720h"},
		{name: "finer than nginx counts", section: "upstream: {keepalive_timeout: 1500us}",
			where: "compose.yaml:6: " + webSection + ".upstream.keepalive_timeout", what: "finer"},

		{name: "more idle connections than there can be", section: "upstream: {keepalive: 16385}",
			where: "compose.yaml:6: " + webSection + ".upstream.keepalive", what: "16385 is not between 1 and 16384"},

		{name: "port zero", section: "container_port: 0",
			where: "compose.yaml:6: " + webSection + ".container_port", what: "0 is not between 1 and 65535"},
		{name: "port too high", section: "profiles:\n  real1: 65536\n  real2: 1",
			where: "compose.yaml:7: " + webSection + ".profiles.real1", what: "65536 is not between"},
		{name: "port is a text", section: "container_port: http",
			where: "compose.yaml:6: " + webSection + ".container_port", what: `a whole number, not the text "http"`},
		{name: "half a port", section: "container_port: 80.5",
			where: "compose.yaml:6: " + webSection + ".container_port", what: "not the number 80.5"},
		{name: "profile without a port", section: "profiles: {real1: , real2: 8082}",
			where: "compose.yaml:6: " + webSection + ".profiles.real1", what: "a whole number"},
		{name: "one profile", section: "profiles: {real1: 8081}",
			where: "compose.yaml:6: " + webSection + ".profiles", what: "exactly two", do: "{real1: 8081, real2: 8082}"},
		{name: "three profiles", section: "profiles: {a: 1, b: 2, c: 3}",
			where: "compose.yaml:6: " + webSection + ".profiles", what: "exactly two"},
		{name: "profiles as a list", section: "profiles: [8081, 8082]",
			where: "compose.yaml:6: " + webSection + ".profiles", what: "exactly two"},
		{name: "profile's name", section: "profiles: {re al: 8081, real2: 8082}",
			where: "compose.yaml:6: " + webSection + ".profiles.re al", what: `"re al"`},

		{name: "yes is not true", section: "keep_old: maybe",
			where: "compose.yaml:6: " + webSection + ".keep_old", what: "true or false"},
		{name: "list wanted", section: "server_names: shop.example.com",
			where: "compose.yaml:6: " + webSection + ".server_names", what: "must be a list"},
		{name: "section wanted", section: "health: /profile",
			where: "compose.yaml:6: " + webSection + ".health", what: "must be a section with keys of its own (path, expect"},
		{name: "number in a list of texts", section: "profile_env: [5]",
			where: "compose.yaml:6: " + webSection + ".profile_env[0]", what: "not the number 5"},
		{name: "variable's name", section: "port_env: ['A=B']",
			where: "compose.yaml:6: " + webSection + ".port_env[0]", what: `"A=B"`},
		{name: "service's name", section: "name: 'a b'",
			where: "compose.yaml:6: " + webSection + ".name", what: `"a b"`},
		{name: "a path without a slash", section: `paths: [/ok, "api"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `"api" is not a path prefix`},
		{name: "a path with a slash at its end", section: `paths: [/ok, "/api/"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `"/api/" is not`},
		{name: "all paths", section: `paths: [/ok, "/"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `"/" is every path`},
		{name: "an empty path", section: `paths: [/ok, ""]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `"" is not`},
		{name: "a path that ends the block", section: `paths: [/ok, "/a { return 200; }"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path with a quote", section: `paths: [/ok, "/a\"b"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path that is an expression", section: `paths: [/ok, "~ ^/a"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path with two slashes", section: `paths: [/ok, "/a//b"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path upwards", section: `paths: [/ok, "/a/../b"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `mean other paths`},
		{name: "a path with an escape", section: `paths: [/ok, "/a%20b"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path with a query", section: `paths: [/ok, "/a?b"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path with a newline", section: `paths: [/ok, "/a\nb"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "a path of letters that are none of ASCII", section: `paths: [/ok, "/ä"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `is not a path prefix`},
		{name: "the path of certificate authorities", section: `paths: [/ok, "/.well-known/acme-challenge/x"]`,
			where: "compose.yaml:6: " + webSection + ".paths[1]", what: `belongs to certificate authorities`},
		{name: "a path that is no list", section: "paths: /api",
			where: "compose.yaml:6: " + webSection + ".paths", what: "must be a list"},
		{name: "server name ends the directive", section: "server_names:\n  - ok.example\n  - 'a; return 200'",
			where: "compose.yaml:8: " + webSection + ".server_names[1]", what: `"a; return 200"`},
		{name: "server name with a newline", section: `server_names: ["a\nb"]`,
			where: "compose.yaml:6: " + webSection + ".server_names[0]", what: `"a\nb"`},
		{name: "size", section: "max_body: 100 MB",
			where: "compose.yaml:6: " + webSection + ".max_body", what: `"100 MB"`},
		{name: "header of HTTP's own", section: "release_header: Content-Length",
			where: "compose.yaml:6: " + webSection + ".release_header", what: "meaning of its own"},
		{name: "header that ends a directive", section: "release_header: 'X-A; }'",
			where: "compose.yaml:6: " + webSection + ".release_header", what: "not a header's name"},
		{name: "size without unit", section: "max_body: 100",
			where: "compose.yaml:6: " + webSection + ".max_body", what: "no unit", do: `Write "100m"`},

		{name: "relative path", section: "health: {path: profile}",
			where: "compose.yaml:6: " + webSection + ".health.path", what: "must start with /"},
		{name: "space in the path", section: "health: {path: '/a b'}",
			where: "compose.yaml:6: " + webSection + ".health.path", what: "spaces"},
		{name: "control character in the path", section: `health: {path: "/a\rb"}`,
			where: "compose.yaml:6: " + webSection + ".health.path", what: "control characters"},
		{name: "half an escape in the path", section: "health: {path: /a%2}",
			where: "compose.yaml:6: " + webSection + ".health.path", what: "is not a path"},
		{name: "expect", section: "health: {expect: profil}",
			where: "compose.yaml:6: " + webSection + ".health.expect", what: "did you mean profile?"},
		{name: "expect text without one", section: "health: {expect: text}",
			where: "compose.yaml:6: " + webSection + ".health.expect", what: "needs a text", do: "health.text"},
		{name: "text without expect", section: "health: {text: UP}",
			where: "compose.yaml:6: " + webSection + ".health.text", do: "expect: text"},
		{name: "successes", section: "health: {successes: 0}",
			where: "compose.yaml:6: " + webSection + ".health.successes", what: "0 is not between 1"},
		{name: "health host", section: "health: {host: 'a b'}",
			where: "compose.yaml:6: " + webSection + ".health.host", what: "not a host name"},
		{name: "timeout above deadline", section: "health: {deadline: 1s}",
			where: "compose.yaml:6: " + webSection + ".health.timeout", what: "deadline 1s"},
		{name: "one variable for both", section: "profile_env: [X]\nport_env: [X]",
			where: "compose.yaml:7: " + webSection + ".port_env", what: "X is in profile_env too"},

		{name: "address", text: "x-bluegreen: {nginx: {address: shop.example}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: `"shop.example" is not an IP address`},
		{name: "address with a port", text: "x-bluegreen: {nginx: {address: '127.0.0.1:80'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: "not an IP address"},
		{name: "address in brackets", text: "x-bluegreen: {nginx: {address: '[::1]'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: "not an IP address"},
		{name: "address with a zone", text: "x-bluegreen: {nginx: {address: 'fe80::1%eth0'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: "zone"},
		{name: "address of many", text: "x-bluegreen: {nginx: {address: 224.0.0.1}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: "not an address of one host"},
		{name: "address spelled otherwise", text: "x-bluegreen: {nginx: {address: '0::0:1'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: "write it as ::1"},
		{name: "IPv4 address as an IPv6 one", text: "x-bluegreen: {nginx: {address: '::ffff:127.0.0.1'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.address", what: "write it as 127.0.0.1"},
		{name: "address as a caller's", text: minimal, o: Options{Host: Host{Address: "x"}},
			where: "command line: nginx.address", what: "not an IP address"},
		{name: "adopted nginx's name", text: "x-bluegreen: {nginx: {container: 'a b'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.container", what: "letters, digits"},
		{name: "adopted nginx with a port", text: "x-bluegreen: {nginx: {container: mine, http: 80}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.http", what: "is the business of container mine"},
		{name: "adopted nginx with the flag of an image", text: "x-bluegreen: {nginx: {container: mine}}\n" + minimal, o: Options{Host: Host{Image: "nginx:1.30"}},
			where: "--nginx-image (or BLUEGREEN_NGINX_IMAGE)", what: "is the business of container mine", do: "Leave it out here"},
		{name: "adopted nginx with the flag of a port", text: "x-bluegreen: {nginx: {container: mine}}\n" + minimal, o: Options{Host: Host{HTTP: 80}},
			where: "--http (or BLUEGREEN_HTTP)", what: "is the business of container mine"},
		{name: "adopted nginx with an image", text: "x-bluegreen: {nginx: {container: mine, image: nginx}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.image", what: "is the business of container mine"},
		{name: "folder without a container", text: "x-bluegreen: {nginx: {folder: /etc/nginx/bg}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.folder", what: "only together with container"},
		{name: "folder that is none", text: "x-bluegreen: {nginx: {container: mine, folder: 'etc; x'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.folder", what: "not the full path"},
		{name: "folder with dots", text: "x-bluegreen: {nginx: {container: mine, folder: /etc/../x}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.folder", what: "not the full path"},
		{name: "probe", text: "x-bluegreen: {probe: hots}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.probe", what: "did you mean host"},
		{name: "nginx image", text: "x-bluegreen: {nginx: {image: 'A B'}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.image", what: "not an image"},
		{name: "network's name", text: "x-bluegreen: {network: {name: ''}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.network.name", what: "letters"},
		{name: "subnet with host bits", text: "x-bluegreen: {network: {subnet: 10.77.0.1/20}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.network.subnet", what: "10.77.0.1/20"},
		{name: "subnet too small", text: "x-bluegreen: {network: {subnet: 10.77.0.0/30}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.network.subnet", what: "/28 at the smallest"},
	} {
		t.Run(b.name, b.run)
	}
}

func two(webKeys, apiKeys string) string {
	return "services:\n" +
		"  web: {image: 'a:1', x-bluegreen: {" + webKeys + "}}\n" +
		"  api: {image: 'b:1', x-bluegreen: {" + apiKeys + "}}\n"
}

func TestLoad_RefusesWhatDoesNotFitTogether(t *testing.T) {
	const otherPorts = "profiles: {real1: 8091, real2: 8092}, server_names: [b.example]"
	for _, b := range []bad{
		{name: "two profiles on a port", section: "profiles:\n  real1: 8081\n  real2: 8081",
			where: "compose.yaml:8: " + webSection + ".profiles.real2", what: "port 8081 is taken twice"},
		{name: "the host's lock of another network", text: "x-bluegreen: {network: {name: corp}}\n" + strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen: {name: corp-host}", 1),
			where: "compose.yaml:7: " + webSection + ".name", what: "container corp-host-lock is taken twice"},
		{name: "nginx of another network", text: "x-bluegreen: {network: {name: Corp}}\n" + strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen: {name: corp, profiles: {nginx: 1, b: 2}}", 1),
			where: "compose.yaml:7: " + webSection + ".profiles.nginx", what: "container corp-nginx is taken twice"},
		{name: "profiles that differ in case only", section: "profiles:\n  real: 8081\n  REAL: 8082",
			where: "compose.yaml:7: " + webSection + ".profiles.real", what: "container web-real is taken twice"},
		{name: "a profile named like the lock", section: "profiles:\n  lock: 8081\n  real2: 8082",
			where: "compose.yaml:7: " + webSection + ".profiles.lock", what: "container web-lock"},
		{name: "nginx's default port", section: "profiles:\n  real1: 80\n  real2: 8082",
			where: "compose.yaml:7: " + webSection + ".profiles.real1", what: "nginx (http)"},
		{name: "nginx's status port", section: "profiles:\n  real1: 8079\n  real2: 8082",
			where: "compose.yaml:7: " + webSection + ".profiles.real1", what: "nginx (status)"},
		{name: "nginx's own ports equal", text: "x-bluegreen: {nginx: {http: 8079}}\n" + minimal,
			where: "compose.yaml:1: x-bluegreen.nginx.status", what: "nginx (http) and by nginx (status)"},
		{name: "nginx's port said", text: "x-bluegreen: {nginx: {http: 8082}}\n" + minimal,
			where: "compose.yaml:7: " + webSection + ".profiles.real2", what: "nginx (http)"},
		{name: "nginx's port as a flag", text: minimal, o: Options{Host: Host{HTTP: 8082}},
			where: "compose.yaml:6: " + webSection + ".profiles.real2", what: "nginx (http)"},
		{name: "shutdown cuts proxy_timeout", section: "proxy_timeout: 300s",
			where: "compose.yaml:6: " + webSection + ".proxy_timeout", what: "shutdown_timeout is 120s", do: "313s or more"},
		{name: "shutdown said and too short", text: "x-bluegreen:\n  nginx:\n    shutdown_timeout: 60s\n" + minimal,
			where: "compose.yaml:3: x-bluegreen.nginx.shutdown_timeout", what: "60s", do: "73s or more"},
		{name: "another service's proxy_timeout", o: Options{Service: "web"},
			text:  two("server_names: [a.example]", otherPorts+", proxy_timeout: 300s"),
			where: "compose.yaml:3: services.api.x-bluegreen.proxy_timeout", do: "313s"},

		{name: "two default servers", o: Options{Service: "web"}, text: two("", "profiles: {real1: 8091, real2: 8092}"),
			where: "compose.yaml:2: " + webSection + ".server_names", what: "service api and by service web", do: "server_names"},
		{name: "two services, one port", o: Options{Service: "web"},
			text:  two("server_names: [a.example]", "server_names: [b.example]"),
			where: "compose.yaml:2: " + webSection + ".profiles.real1", what: "port 8081"},
		{name: "two services, one server name", o: Options{Service: "web"},
			text:  two("server_names: [B.example]", otherPorts),
			where: "compose.yaml:2: " + webSection + ".server_names", what: "server name B.example"},
		{name: "two services, one path of a server name", o: Options{Service: "web"},
			text:  two("server_names: [B.example], paths: [/shop, /api]", otherPorts+", paths: [/api]"),
			where: "compose.yaml:2: " + webSection + ".paths", what: "server name B.example under /api is taken twice: by service api and by service web"},
		{name: "two services, one path of all names", o: Options{Service: "web"},
			text:  two("paths: [/api]", "profiles: {real1: 8091, real2: 8092}, paths: [/api]"),
			where: "compose.yaml:2: " + webSection + ".paths", what: "under /api is taken twice", do: "different paths"},
		{name: "two services, two certificates for one name", o: Options{Service: "web"},
			text:  two("server_names: [B.example], paths: [/shop], tls: {certificate: a.pem, key: a.key}", otherPorts+", tls: {certificate: ./b.pem, key: b.key}"),
			where: "compose.yaml:2: " + webSection + ".tls.certificate", what: "a.pem is another certificate for B.example than that of service api (./b.pem)", do: "the same certificate"},
		{name: "a path with gRPC that is another service's", o: Options{Service: "web"},
			text:  two("server_names: [B.example], grpc: [/api]", otherPorts+", paths: [/api]"),
			where: "compose.yaml:2: " + webSection + ".grpc", what: "server name B.example under /api is taken twice: by service api and by service web"},
		{name: "a preview under another service's name", o: Options{Service: "web"},
			text:  two("paths: [/shop], preview: {server_names: [B.example]}", otherPorts+", paths: [/api]"),
			where: "compose.yaml:2: " + webSection + ".preview.server_names[0]", what: "B.example is one of the server_names of service api, which show its live profile", do: "Change one"},
		{name: "a service under the name of another one's preview", o: Options{Service: "web"},
			text:  two("server_names: [n.example]", otherPorts+", preview: {server_names: [m.example, N.example]}"),
			where: "compose.yaml:3: services.api.x-bluegreen.preview.server_names[1]", what: "N.example is one of the server_names of service web"},
		{name: "two previews, one name", o: Options{Service: "web"},
			text:  two("preview: {server_names: [N.example]}", otherPorts+", preview: {server_names: [n.example]}"),
			where: "compose.yaml:2: " + webSection + ".preview.server_names", what: "server name N.example is taken twice: by service api's preview and by service web's preview"},
		{name: "two previews, one path of a name", o: Options{Service: "web"},
			text:  two("paths: [/b, /a], preview: {server_names: [n.example]}", otherPorts+", grpc: [/a], preview: {server_names: [n.example]}"),
			where: "compose.yaml:2: " + webSection + ".preview.server_names", what: "server name n.example under /a is taken twice"},
		{name: "two previews, two certificates for one name", o: Options{Service: "web"},
			text: two("server_names: [a.example], paths: [/a], tls: {certificate: a.pem, key: a.key}, preview: {server_names: [n.example]}",
				otherPorts+", tls: {certificate: b.pem, key: b.key}, preview: {server_names: [n.example]}"),
			where: "compose.yaml:2: " + webSection + ".tls.certificate", what: "a.pem is another certificate for n.example than that of service api (b.pem)"},
		{name: "a path with gRPC twice", section: "grpc: [/api, /api]",
			where: "compose.yaml:6: " + webSection + ".grpc", what: "under /api stands twice in service web", do: "out"},
		{name: "a path twice", section: "paths: [/api, /api]",
			where: "compose.yaml:6: " + webSection + ".paths", what: "under /api stands twice in service web", do: "out"},
		{name: "a path that nginx could not read", section: "paths: [/" + strings.Repeat("a", 5000) + "]",
			where: "compose.yaml:6: " + webSection + ".paths[0]", what: "longer than 1000 characters"},
		{name: "more names than fit", section: "server_names: [" + manyNames() + "]",
			where: "compose.yaml:6: " + webSection + ".server_names", what: "600 are too many", do: "fewer"},
		{name: "more networks than fit", section: "gzip: true\nallow: [" + strings.TrimSuffix(strings.Repeat("192.0.2.7, ", 9000), ", ") + "]",
			where: "compose.yaml:7: " + webSection + ".allow", what: "is too much: its part of nginx's configuration would have", do: "snippet"},
		{name: "more headers than fit", section: manyHeaders(),
			where: "compose.yaml:6: " + webSection + ".headers", what: "is too much", do: "snippet"},
		{name: "two services, one name", o: Options{Service: "web"},
			text:  two("name: api", otherPorts),
			where: "compose.yaml:2: " + webSection + ".name", what: "the name api"},
		{name: "two services, one container", o: Options{Service: "web"},
			text:  two("name: shop, profiles: {b-x: 1, y: 2}, server_names: [a.example]", "name: shop-b, profiles: {x: 3, z: 4}, server_names: [b.example]"),
			where: "compose.yaml:2: " + webSection + ".profiles.b-x", what: "container shop-b-x"},
	} {
		t.Run(b.name, b.run)
	}
}

func manyHeaders() string {
	text := "headers:"
	for i := range 50 {
		text += fmt.Sprintf("\n  X-%d: %s", i, strings.Repeat("x", 3000))
	}
	return text
}

func manyNames() string {
	var list []string
	for i := range 600 {
		list = append(list, fmt.Sprintf("a-rather-long-name-of-a-host-%d.department.example.com", i))
	}
	return strings.Join(list, ", ")
}

// Services of one name differ in their paths, whole segments of them; one at most has none.
func TestLoad_TakesServicesThatShareAName(t *testing.T) {
	for name, text := range map[string]string{
		"different paths":         two("server_names: [a.example], paths: [/shop]", "server_names: [a.example], paths: [/api, /shop/api], profiles: {real1: 8091, real2: 8092}"),
		"one with all the rest":   two("server_names: [a.example]", "server_names: [a.example], paths: [/api], profiles: {real1: 8091, real2: 8092}"),
		"every name":              two("", "paths: [/api], profiles: {real1: 8091, real2: 8092}"),
		"one certificate":         two("server_names: [a.example], paths: [/api], tls: {certificate: a.pem, key: a.key}", "server_names: [A.example], tls: {certificate: ./a.pem, key: a.key}, profiles: {real1: 8091, real2: 8092}"),
		"previews of one name":    two("paths: [/a], preview: {server_names: [n.example]}", "server_names: [b.example], paths: [/b], preview: {server_names: [n.example]}, profiles: {real1: 8091, real2: 8092}"),
		"a preview below a star":  two("server_names: ['*.example'], preview: {server_names: [n.example]}", "server_names: [b.example], preview: {server_names: ['*.n.example']}, profiles: {real1: 8091, real2: 8092}"),
		"a path that begins like": two("server_names: [a.example], paths: [/api]", "server_names: [a.example], paths: [/apix], profiles: {real1: 8091, real2: 8092}"),
	} {
		if _, err := Load(t.Context(), Options{Service: "web", NoDeploy: true, Dir: files(t, "compose.yaml", text)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoad_RefusesChoices(t *testing.T) {
	both := two("server_names: [a.example], name: shop", "profiles: {real1: 1, real2: 2}") + "  db: {image: 'c:1'}\n"
	for _, b := range []bad{
		{name: "no section", text: "services: {web: {image: 'a:1'}, db: {image: 'b:1'}}",
			where: "compose.yaml", what: "(services: db, web)", do: "`x-bluegreen: {}`"},
		{name: "several and none named", text: both,
			where: "compose.yaml", what: "api, web (shop)", do: "Name the one"},
		{name: "unknown name", text: both, o: Options{Service: "wbe"},
			where: "compose.yaml", what: `no service "wbe"`, do: "api, web (shop)"},
		{name: "nearly a name", text: both, o: Options{Service: "shopp"},
			where: "compose.yaml", what: "did you mean shop?"},
		{name: "a service that is not blue/green", text: both, o: Options{Service: "db"},
			where: "compose.yaml:4: services.db", what: "no x-bluegreen section", do: "api, web (shop)"},
		{name: "compose's name is none for bluegreen", text: "services: {a.conf: {image: 'a:1', x-bluegreen: }}",
			where: "compose.yaml:1: services.a.conf.x-bluegreen.name", what: `"a.conf"`},
	} {
		t.Run(b.name, b.run)
	}
}

func TestLoad_RefusesImageAndEnvironment(t *testing.T) {
	for _, b := range []bad{
		{name: "build only", text: "services:\n  web:\n    build: .\n    x-bluegreen: {}",
			where: "compose.yaml:2: services.web", what: "does not build", do: "image: NAME:TAG"},
		{name: "neither", text: "services:\n  web:\n    x-bluegreen: {}",
			where: "compose.yaml", what: "neither an image nor a build"},
		{name: "unset variable", text: "services:\n  web:\n    image: 'shop:${BGT_UNSET-}'\n    x-bluegreen: {}",
			where: "compose.yaml:3: services.web.image", what: `"shop:"`, do: "variable"},
		{name: "flag", text: minimal, o: Options{Image: "Shop:1"},
			where: "--image", what: `"Shop:1"`},
		{name: "profile variable set by hand", text: "services:\n  web:\n    image: 'a:1'\n    environment:\n      A: b\n      PROFILE: x\n    x-bluegreen: {}",
			where: "compose.yaml:6: services.web.environment.PROFILE", what: "a value of its own", do: "profile_env"},
		{name: "port variable set by hand, as a list", text: "services:\n  web:\n    image: 'a:1'\n    environment:\n      - A=b\n      - PORT=80\n    x-bluegreen: {}",
			where: "compose.yaml:6: services.web.environment.PORT", what: "the port", do: "container_port"},
		{name: "by an anchor", text: "x-env: &env\n  PORT: '80'\nservices:\n  web:\n    image: 'a:1'\n    environment:\n      <<: *env\n    x-bluegreen: {}",
			where: "compose.yaml:2: services.web.environment.PORT", what: "the port"},
		{name: "by --env", text: minimal, o: Options{Env: []string{"PORT=80"}},
			where: "--env PORT", what: "the port", do: "container_port"},
		{name: "--env of an unset variable", text: minimal, o: Options{Env: []string{"BGT_UNSET"}},
			where: "--env BGT_UNSET", what: "not set", do: "BGT_UNSET=VALUE"},
		{name: "--env without a name", text: minimal, o: Options{Env: []string{"=1"}},
			where: "--env", what: "not a variable's name"},
		{name: "absent env_file", text: "services:\n  web:\n    image: 'a:1'\n    env_file: absent.env\n    x-bluegreen: {}",
			where: "compose.yaml:4: services.web.env_file", what: "absent.env", do: "required: false"},
		{name: "container port", text: minimal, o: Options{ContainerPort: 70000},
			where: "--container-port", what: "70000"},
		{name: "host flag", text: minimal, o: Options{Host: Host{Status: 70000}},
			where: "command line: nginx.status", what: "70000"},
		{name: "compose key that cannot be carried over", text: "services:\n  web:\n    image: 'a:1'\n    ports:\n      - 80:80\n    x-bluegreen: {}",
			where: "compose.yaml:4: services.web.ports"},
	} {
		t.Run(b.name, b.run)
	}
}

func TestLoad_RefusesEnvFileWithAVariableOfOurs(t *testing.T) {
	dir := files(t, "compose.yaml", "services: {web: {image: 'a:1', env_file: app.env, x-bluegreen: {}}}", "app.env", "PORT=1\n")
	_, err := Load(t.Context(), Options{Dir: dir})
	var e *Error
	if !errors.As(err, &e) || e.Where != "compose.yaml:1: services.web.env_file" {
		t.Fatalf("error = %v", err)
	}
}

func TestLoad_RefusesNames(t *testing.T) {
	for _, b := range []bad{
		{name: "and a file", text: minimal, o: Options{Name: "x", Files: []string{"compose.yaml"}},
			where: "--name x", what: "--file", do: "Choose one"},
		{name: "and a service", text: minimal, o: Options{Name: "x", Image: "a:1", Service: "y"},
			where: "--name x", what: "y", do: "Choose one"},
		{name: "no image", text: minimal, o: Options{Name: "x"},
			where: "--name x", what: "no image", do: "--image"},
		{name: "no name", text: minimal, o: Options{Name: "x;", Image: "a:1"},
			where: "--name", what: `"x;"`},
		{name: "nginx on a profile's port", text: minimal, o: Options{Name: "x", Image: "a:1", Host: Host{HTTP: 8081}},
			where: "services.x.x-bluegreen.profiles.real1", what: "nginx (http)"},
	} {
		t.Run(b.name, b.run)
	}
}

func TestLoad_RefusesComposesOwn(t *testing.T) {
	for _, b := range []bad{
		{name: "not YAML", text: "services: [", where: "compose.yaml", do: "docker compose config"},
		{name: "schema", text: "services: {web: {imag: a}}", where: "compose.yaml", what: "imag"},
		{name: "a number for a key", section: "error_pages: {502: page.html}", where: "compose.yaml", what: "x-bluegreen.error_pages: the key 502 is not a text", do: `in quotes: "502"`},
		{name: "required variable", text: "services: {web: {image: '${BGT_UNSET:?set a tag}'}}", where: "compose.yaml", what: "set a tag"},
		{name: "absent file", text: minimal, o: Options{Files: []string{"absent.yaml"}}, where: "--file", what: "absent.yaml"},
		{name: "no services", text: "name: shop", where: "compose.yaml", what: "no service has", do: "no services"},
		{name: "empty", text: "# nothing", where: "compose.yaml", what: "empty compose file"},
	} {
		t.Run(b.name, b.run)
	}
}

// The line is that of the file which says it last; a file outside the working directory is named in full.
func TestLoad_NamesTheFileThatSaysIt(t *testing.T) {
	dir := files(t, "compose.yaml", minimal, "prod.yaml", "services:\n  web:\n    x-bluegreen:\n      watch: 5", "sub/x", "")
	for sub, want := range map[string]string{"": "prod.yaml", "sub": filepath.Join(dir, "prod.yaml")} {
		full := []string{filepath.Join(dir, "compose.yaml"), filepath.Join(dir, "prod.yaml")}
		_, err := Load(t.Context(), Options{Dir: filepath.Join(dir, sub), Files: full})
		var e *Error
		if !errors.As(err, &e) || e.Where != want+":4: services.web.x-bluegreen.watch" {
			t.Errorf("in %q: error = %v", sub, err)
		}
	}
}
