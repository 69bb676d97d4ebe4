package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"pgregory.net/rapid"

	"bluegreen/nginx"
	"bluegreen/nginx/grammar"
)

// webText is what nginx is told of a service with the keys of a site.
func webText(s Settings, maintenance bool) (text string) {
	c := nginx.SiteConfig{
		Service: s.Service, ServerNames: []string{"a.example"}, Keepalive: s.Keepalive, KeepaliveTimeout: s.KeepaliveTimeout, MaxBody: s.MaxBody, ProxyTimeout: s.ProxyTimeout,
		Upstreams: []nginx.Upstream{{Profile: "real1", Address: "10.77.8.1", Port: 8081}}, Web: s.Web.Site(maintenance),
	}
	for _, f := range nginx.Site(c) {
		text += f.Text
	}
	return text
}

// tame is the same site with values that stand for themselves.
func (w Web) tame() Web {
	t := w
	t.Headers, t.Allow, t.ErrorPages = map[string]string{}, nil, map[int]*File{}
	for i, name := range slices.Sorted(maps.Keys(w.Headers)) {
		if !strings.EqualFold(name, "Cache-Control") && !strings.EqualFold(name, "X-Robots-Tag") { // a preview has its own of these
			name = fmt.Sprintf("Name%d", i)
		}
		t.Headers[name] = "value"
	}
	for range w.Allow {
		t.Allow = append(t.Allow, "192.0.2.7")
	}
	for i, status := range sortedKeys(w.ErrorPages) {
		tame := 510 + i
		if status == 502 || status == 504 { // for which a preview has its own words
			tame = status
		}
		t.ErrorPages[tame] = w.ErrorPages[status]
	}
	if w.BasicAuth != nil {
		t.BasicAuth = &BasicAuth{File: w.BasicAuth.File, Realm: "realm"}
	}
	if p := w.Preview; p != nil {
		t.Preview = &Preview{ServerNames: []string{"next.example"}}
		if p.BasicAuth != nil {
			t.Preview.BasicAuth = &BasicAuth{File: p.BasicAuth.File, Realm: "realm"}
		}
		for range p.Allow {
			t.Preview.Allow = append(t.Preview.Allow, "192.0.2.7")
		}
	}
	if w.GRPC != nil {
		t.GRPC = &GRPC{}
		for i := range w.GRPC.Paths {
			t.GRPC.Paths = append(t.GRPC.Paths, fmt.Sprintf("/path%d", i))
		}
	}
	return t
}

// TestSite_SaysWhatThePersonSaidAndNothingElse: whatever stands in the keys of a site, it is refused, or it is one argument of the
// directive that it is for; the rest of the text is that of a site with tame values.
func TestSite_SaysWhatThePersonSaidAndNothingElse(t *testing.T) {
	nasty := rapid.OneOf(
		rapid.StringMatching(`/?[a-zA-Z.0-9:-]{0,8}[;{}"'\n\r\t\x00 $#\\/%]?[a-z0-9]{0,4}[;{}"'\\ #]?[tnr"';{}]?[a-z]?`),
		rapid.SampledFrom([]string{"$host", "a$host", "${a}", "$", "a;b", "a; }", "a{", "}", "#", `a"b`, `a"; }`, "a'b", `\`, `a\`, "a b", "a\nb", "a\r\nb", "a\x00b", "ä", "/a;b", "/a b", "/$host", "off", "default"}),
		rapid.String(),
	)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.SampledFrom([]string{"header", "value", "realm", "allowed", "grpc", "status", "retry_after", "hsts", "preview name", "preview realm", "preview allowed"}).Draw(t, "hostile")
		or := func(what string, good ...string) string {
			if what == hostile {
				return nasty.Draw(t, what)
			}
			return rapid.SampledFrom(good).Draw(t, what)
		}
		section := map[string]any{"server_names": []any{"a.example"}}
		maybe := func(key string, v any) {
			if rapid.Bool().Draw(t, "with "+key) {
				section[key] = v
			}
		}
		maybe("headers", map[string]any{or("header", "X-Frame-Options", "Cache-Control", "X-A"): or("value", `a "b" \ ; } {`, `\n\t\r\\"`, "DENY", `'`, "#", `\`)})
		maybe("basic_auth", map[string]any{"file": "a", "realm": or("realm", "back office", "a; b", "{")})
		maybe("allow", []any{or("allowed", "10.0.0.0/8", "::1", "2001:db8::/32")})
		maybe("grpc", []any{or("grpc", "/shop.Orders", "/a/b~c")})
		maybe("error_pages", map[string]any{or("status", "502", "503", "413"): "a.html"})
		maybe("maintenance", map[string]any{"retry_after": or("retry_after", "1s", "10m", "17520h")})
		maybe("tls", map[string]any{"certificate": "a", "key": "b", "hsts": or("hsts", "1s", "4320h")})
		maybe("preview", map[string]any{
			"server_names": []any{or("preview name", "next.example", "*.next.example")}, "allow": []any{or("preview allowed", "192.0.2.0/24")},
			"basic_auth": map[string]any{"file": "c", "realm": or("preview realm", "next", "a; b")},
		})
		services, f := decodeServices(&types.Project{Services: types.Services{"web": {Name: "web", Extensions: types.Extensions{extension: section}}}})
		if f != nil {
			return
		}
		schemaTakes(t, serviceFile(section))
		taken++
		for _, f := range services[0].Web.files() {
			f.file.Name = "00" + f.kind.extension
		}
		for _, maintenance := range []bool{false, true} {
			s := services[0].Settings
			text := webText(s, maintenance)
			got, err := grammar.Parse(text)
			if err != nil {
				t.Fatalf("%v: %v\n%s", section, err, text)
			}
			plain := s
			plain.Web = s.Web.tame()
			model, err := grammar.Parse(webText(plain, maintenance))
			if err != nil {
				t.Fatal(err)
			}
			// A page for 503 is maintenance's then, where it has one of its own.
			if _, own := s.Web.ErrorPages[503]; maintenance && own {
				continue
			}
			if a, b := grammar.Shape(got), grammar.Shape(model); a != b {
				t.Fatalf("%v makes\n%s\nnot\n%s", section, a, b)
			}
			says := func(directive string, want ...string) {
				have := arguments(got, directive)
				for _, w := range want {
					if !slices.Contains(have, w) {
						t.Fatalf("%s is %q, without %q", directive, have, w)
					}
				}
			}
			for name, value := range s.Web.Headers {
				says("add_header", name, value)
			}
			if s.Web.BasicAuth != nil {
				says("auth_basic", s.Web.BasicAuth.Realm)
			}
			says("allow", s.Web.Allow...)
			if p := s.Web.Preview; p != nil {
				says("server_name", p.ServerNames...)
				says("auth_basic", p.BasicAuth.Realm)
				says("allow", p.Allow...)
			}
			if s.Web.GRPC != nil {
				says("location", s.Web.GRPC.Paths...)
			}
		}
	})
	if taken < 5 {
		t.Errorf("only %d sites were taken", taken)
	}
}
