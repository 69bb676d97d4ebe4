package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/nginx"
)

// webFields are the keys of a service's section that only its site in nginx knows.
func webFields(w *Web) []field {
	return []field{
		{"tls", made(&w.TLS, TLS{Redirect: true}, tlsFields),
			"HTTPS and HTTP/2, for a service with `server_names`."},
		{"headers", headers(&w.Headers).like(map[string]string{"X-Frame-Options": "DENY"}),
			"Headers that nginx adds to every answer, errors too, in place of the app's header of that name."},
		{"basic_auth", basicAuth(&w.BasicAuth), "Ask everybody for a name and a password."},
		{"allow", allow(&w.Allow).or("everybody"), "Who may ask. All others are answered 403."},
		{"gzip", truth(&w.Gzip), "Compress texts of 1000 bytes and more."},
		{"snippet", newPath(&w.Snippet).like("nginx.inc"), "A file with nginx directives, beside the service's locations."},
		{"error_pages", errorPages(&w.ErrorPages).like(map[string]string{"502": "pages/502.html"}),
			"A page for each status, in quotes, that nginx itself answers with. The app's own errors pass as they are."},
		{"grpc", grpc(&w.GRPC).like([]string{"/shop.Orders"}),
			"What of the service is gRPC: all of it, or what is below these paths."},
		{"buffering", negated(&w.Unbuffered), "`false` passes answers on as the app writes them, for streams."},
		{"maintenance", made(&w.Maintenance, Maintenance{}, func(m *Maintenance) []field {
			return []field{
				{"page", newPath(&m.Page).or("a line of text").like("pages/maintenance.html"), "What is answered."},
				{"retry_after", seconds(&m.RetryAfter).or("`" + show(DefaultRetryAfter) + "`"), "When clients may come again: the Retry-After header."},
			}
		}), "What nginx answers while `bluegreen maintenance on` counts, with status 503."},
		{"preview", made(&w.Preview, Preview{}, previewFields), "Names under which nginx shows the idle profile, and never the live one."},
	}
}

func tlsFields(t *TLS) []field {
	return []field{
		{"certificate", path(&t.Certificate).or(needed).like("tls/fullchain.pem"), "The certificate with its chain, in PEM."},
		{"key", path(&t.Key).or(needed).like("tls/privkey.pem"), "The certificate's private key, in PEM and without a password."},
		{"redirect", truth(&t.Redirect), "Plain HTTP is answered with 308 to the same path by HTTPS."},
		{"hsts", seconds(&t.HSTS).like("4320h"), "How long browsers are to use HTTPS only: the header `Strict-Transport-Security`."},
	}
}

func basicAuth(p **BasicAuth) setter {
	return made(p, BasicAuth{Realm: DefaultRealm}, func(a *BasicAuth) []field {
		return []field{
			{"file", path(&a.File).or(needed).like("htpasswd"), "The file of names and passwords, as `htpasswd` writes it."},
			{"realm", text(&a.Realm, nginx.ValidRealm, nginx.RealmForm), "What browsers show when they ask for the password."},
		}
	})
}

func allow(p *[]string) setter {
	return texts(p, validAllowed, allowedForm).some("nobody could come in", "Take it out to let all in.").called("a list of addresses and networks").like([]string{"192.0.2.7", "10.0.0.0/8"})
}

// negated keeps the opposite.
func negated(p *bool) setter {
	yes := !*p
	return truth(&yes).then(func() { *p = !yes })
}

// path takes the name of a file of this machine.
func path(f *File) setter {
	return text(&f.Path, validFileName, fileForm).called("a file, relative to the compose file")
}

func newPath(f **File) setter {
	file := &File{}
	return path(file).then(func() { *f = file })
}

func validFileName(s string) error {
	if err := notEmpty(s); err != nil {
		return err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%q is not a file's name", s)
	}
	return nil
}

// longest is two years, which is what browsers ask for before they list a host as HTTPS only.
const longest = 2 * 365 * 24 * time.Hour

// seconds reads a duration of whole seconds, one at least.
func seconds(p *int) setter {
	set := func(v any) *fault {
		s, _ := v.(string)
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return duration(new(time.Duration), time.Second).set(v) // its words for what is wrong
		case d < time.Second || d > longest:
			return &fault{what: fmt.Sprintf("%s is not between 1s and %s", s, longest)}
		case d%time.Second != 0:
			return &fault{what: s + " is finer than a second"}
		}
		*p = int(d / time.Second)
		return nil
	}
	return setter{set, durationShape(time.Second, longest)}
}

// headers reads {NAME: VALUE}.
func headers(p *map[string]string) setter {
	set := func(v any) *fault {
		m, ok := v.(map[string]any)
		if !ok {
			return wrongType(v, "a section of headers ({X-Frame-Options: DENY})")
		}
		out, seen := map[string]string{}, map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if err := nginx.ValidHeader(name); err != nil {
				return &fault{at: []string{name}, what: err.Error()}
			}
			if lower := strings.ToLower(name); seen[lower] {
				return &fault{at: []string{name}, what: "is there twice", do: "Take one of them out."}
			} else {
				seen[lower] = true
			}
			var value string
			if f := text(&value, nginx.ValidHeaderValue).set(m[name]); f != nil {
				return f.under(name)
			}
			out[name] = value
		}
		*p = out
		return nil
	}
	value := text(new(string), nginx.ValidHeaderValue, nginx.HeaderValueForm)
	return setter{set, mapShape("a section of names and values", nginx.HeaderForm, value.takes)}
}

func validAllowed(s string) error {
	if p, err := netip.ParsePrefix(s); err == nil {
		if p != p.Masked() {
			return fmt.Errorf("%q: write the network as %s", s, p.Masked())
		}
		return nil
	}
	if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
		return fmt.Errorf("%q is not an address or a network like 192.0.2.7 or 10.0.0.0/8", s)
	}
	return nil
}

// errorPages reads {"STATUS": PATH}: compose takes no numbers for keys.
func errorPages(p *map[int]*File) setter {
	set := func(v any) *fault {
		m, ok := v.(map[string]any)
		if !ok {
			return wrongType(v, `a section of pages ({"502": page.html})`)
		}
		out := map[int]*File{}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			status, err := strconv.Atoi(key)
			if err != nil || !nginx.ValidErrorStatus(status) {
				return &fault{at: []string{key}, what: "is not the status of an error that nginx has, 400 to 599"}
			}
			out[status] = &File{}
			if f := path(out[status]).set(m[key]); f != nil {
				return f.under(key)
			}
		}
		*p = out
		return nil
	}
	return setter{set, mapShape("a section of statuses, 400 to 599, each with a file", nginx.ErrorStatusForm, path(&File{}).takes)}
}

// grpc reads true, false, or beginnings of paths.
func grpc(p **GRPC) setter {
	var paths []string
	var all bool
	whole := truth(&all)
	some := texts(&paths, nginx.ValidPathPrefix, nginx.PathPrefixForm).some("no path", "Write `grpc: true` when all of the service is gRPC.")
	set := func(v any) *fault {
		if _, ok := v.([]any); ok {
			return some.then(func() { *p = &GRPC{Paths: paths} }).set(v)
		}
		if f := whole.set(v); f != nil {
			return wrongType(v, "true, false, or a list of paths ([/shop.Orders])")
		}
		if *p = nil; all {
			*p = &GRPC{}
		}
		return nil
	}
	return setter{set, anyShape("`true`, `false`, or a list of path prefixes", whole.takes, some.takes)}
}

// checkWeb is what must hold between the keys of the site.
func checkWeb(s *Service) *fault {
	w := s.Web
	switch t := w.TLS; {
	case t == nil:
	case t.Certificate.Path == "" || t.Key.Path == "":
		return &fault{at: []string{"tls"}, what: "needs both certificate and key", do: "Write tls: {certificate: PATH, key: PATH}."}
	case len(s.ServerNames) == 0:
		return &fault{at: []string{"tls"}, what: "needs server_names: a certificate is for names", do: "Add server_names, as the certificate has them."}
	}
	for _, f := range []*fault{checkBasicAuth(w.BasicAuth), checkGRPC(s), checkPreview(s)} {
		if f != nil {
			return f
		}
	}
	for name := range w.Headers {
		if strings.EqualFold(name, s.ReleaseHeader) {
			return &fault{at: []string{"headers", name}, what: "is the release_header too", do: "Take it out of one."}
		}
	}
	return nil
}

// checkGRPC: a service that has only some paths of its names has gRPC below them alone.
func checkGRPC(s *Service) *fault {
	if s.Web.GRPC == nil || len(s.Paths) == 0 {
		return nil
	}
	for i, path := range s.Web.GRPC.Paths {
		if !slices.ContainsFunc(s.Paths, func(own string) bool { return path == own || strings.HasPrefix(path, own+"/") }) {
			return &fault{
				at: []string{"grpc", strconv.Itoa(i)}, what: path + " is below none of the service's paths", do: "Add it to paths too.",
			}
		}
	}
	return nil
}

// checkCertificates: nginx shows one certificate for a name, whichever of its services is asked for.
func checkCertificates(services []*Service) *fault {
	owner := map[string]*Service{}
	for _, s := range services {
		if s.Web.TLS == nil {
			continue
		}
		for _, name := range s.AllNames() {
			other := owner[strings.ToLower(name)]
			if other == nil {
				owner[strings.ToLower(name)] = s
				continue
			}
			if mine, theirs := s.Web.TLS.Certificate.Path, other.Web.TLS.Certificate.Path; filepath.Clean(mine) != filepath.Clean(theirs) {
				return &fault{
					at: sectionPath(s.Compose.Name, "tls", "certificate"),
					what: fmt.Sprintf("%s is another certificate for %s than that of service %s (%s), and nginx can show only one",
						mine, name, other.Compose.Name, theirs),
					do: "Give both services the same certificate and key, or take tls out of one: its paths of that name are served by HTTPS all the same.",
				}
			}
		}
	}
	return nil
}

// checkAdoptedSite refuses what only a site of an nginx that bluegreen made can have.
func checkAdoptedSite(h Host, s *Service) *fault {
	if h.Container == "" || s.Web.None() {
		return nil
	}
	return &fault{
		at: []string{extension, "nginx", "container"}, what: fmt.Sprintf("service %s has keys for a site of bluegreen's own (tls, headers, allow, preview and their like)", s.Service),
		do: "Take them out: the server block of that nginx is its owner's, who sets this there.",
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func statusText(status int) string { return strconv.Itoa(status) }
