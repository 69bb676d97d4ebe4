package nginx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Web is what a service's site does besides passing requests on. Files are named as they lie in FilesDir; values are valid
// ones (ValidHeader, …).
type Web struct {
	TLS         *TLS
	Headers     map[string]string // added to every answer
	BasicAuth   *BasicAuth
	Allow       []string // addresses and networks; none: all
	Gzip        bool
	Snippet     string         // file; "" none
	ErrorPages  map[int]string // file by status
	GRPC        bool           // all of the service
	GRPCPaths   []string       // or what begins so
	Unbuffered  bool
	Maintenance *Maintenance // nil: off
	Preview     *Preview     // nil: none
}

// BasicAuth asks for a name and a password.
type BasicAuth struct{ File, Realm string }

// Maintenance is what every request is answered with.
type Maintenance struct {
	Page       string // file; "" a line of text
	RetryAfter int    // seconds
}

// Private says whether the public port does not show the app to a question of bluegreen's own: the status listener is asked
// then (LiveHost).
func (w Web) Private() bool { return w.BasicAuth != nil || len(w.Allow) > 0 || w.Maintenance != nil }

// FilesDir holds the files of a service's site, relative to Root. Each is named by its content, and never changed.
func FilesDir(service string) string { return ServiceDir(service) + "/files" }

// FilePath is one of them.
func FilePath(service, name string) string { return FilesDir(service) + "/" + name }

// gzipTypes are what becomes smaller; text/html is one always. Not text/event-stream: its events are not to wait for others.
const gzipTypes = "text/plain text/css text/csv text/xml text/javascript application/javascript application/json application/ld+json " +
	"application/manifest+json application/xml application/rss+xml application/atom+xml application/wasm image/svg+xml font/ttf font/otf"

// beforeServers are the blocks of a site that stand outside of its servers.
func (w Web) beforeServers() string {
	if w.TLS == nil || w.TLS.HSTS == 0 {
		return ""
	}
	return hstsMap(w.TLS.HSTS)
}

// answers are the directives of every location that answers for the service: who is let in, and what goes with the answer.
func (w Web) answers(service string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if w.TLS != nil && w.TLS.Redirect && w.Maintenance == nil { // with a Retry-After, a redirect would be one for later
		line("if ($scheme = http) {\n    return 308 https://$host$bluegreen_https_port$request_uri;\n}")
	}
	for _, allowed := range w.Allow {
		line("allow %s;", allowed)
	}
	if len(w.Allow) > 0 {
		line("deny all;")
	}
	if a := w.BasicAuth; a != nil {
		line("auth_basic %s;", quote(a.Realm))
		line("auth_basic_user_file %s;", quote(FilePath(service, a.File)))
	}
	for _, status := range slices.Sorted(maps.Keys(w.ErrorPages)) {
		if status != 503 || w.Maintenance == nil || w.Maintenance.Page == "" {
			line("error_page %d %s;", status, quote(pageURI(service, w.ErrorPages[status])))
		}
	}
	b.WriteString(w.gzip())
	b.WriteString(w.headers())
	b.WriteString(w.maintenance(service))
	return b.String()
}

func (w Web) gzip() string {
	if !w.Gzip {
		return ""
	}
	return `gzip on;
gzip_proxied any;
gzip_vary on;
gzip_min_length 1000;
gzip_types ` + gzipTypes + ";\n"
}

// headers take the place of the app's own of the same name: two of one name are often none.
func (w Web) headers() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		fmt.Fprintf(&b, "proxy_hide_header %s;\ngrpc_hide_header %[1]s;\nadd_header %[1]s %s always;\n", quote(name), quote(w.Headers[name]))
	}
	if w.TLS != nil && w.TLS.HSTS > 0 {
		fmt.Fprintf(&b, "add_header Strict-Transport-Security $%s always;\n", hstsVariable(w.TLS.HSTS))
	}
	return b.String()
}

// maintenance answers before the app is asked, and before anybody is asked for a password.
func (w Web) maintenance(service string) string {
	m := w.Maintenance
	if m == nil {
		return ""
	}
	text := fmt.Sprintf("add_header Retry-After %d always;\n", m.RetryAfter)
	switch {
	case m.Page != "":
		return text + fmt.Sprintf("error_page 503 %s;\nreturn 503;\n", quote(pageURI(service, m.Page)))
	case w.ErrorPages[503] != "":
		return text + "return 503;\n"
	}
	return text + "default_type text/plain;\nreturn 503 \"down for maintenance, back soon\\n\";\n"
}

// Closed says whether the site of a service answers every request with 503.
func Closed(have map[string][]byte, service string) bool {
	return strings.Contains(string(have[ProxyPath(service)]), "\nreturn 503")
}

// besides are what stands beside the service's locations: the pages that nginx shows in an answer's place, and the snippet.
func (w Web) besides(service string) string {
	var b strings.Builder
	for _, page := range w.pages() {
		fmt.Fprintf(&b, `location = %s {
    internal;
    types { }
    default_type "text/html; charset=utf-8";
    alias %s;
%s}
`, quote(pageURI(service, page)), quote(Root+"/"+FilePath(service, page)), w.pageHeaders(page))
	}
	if w.Snippet != "" {
		fmt.Fprintf(&b, "include %s;\n", quote(FilePath(service, w.Snippet)))
	}
	return b.String()
}

func (w Web) pageHeaders(page string) string {
	text := w.headers()
	if m := w.Maintenance; m != nil && (page == m.Page || m.Page == "" && page == w.ErrorPages[503]) {
		text += fmt.Sprintf("add_header Retry-After %d always;\n", m.RetryAfter)
	}
	return text
}

// pages are the files of all pages, each once.
func (w Web) pages() []string {
	list := slices.Collect(maps.Values(w.ErrorPages))
	if w.Maintenance != nil && w.Maintenance.Page != "" {
		list = append(list, w.Maintenance.Page)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// pageURI is under what a page is asked for inside nginx; nobody else can.
func pageURI(service, page string) string { return pagesAt + service + "/" + page }

// pagesAt begins no path of a service's (ValidPathPrefix).
const pagesAt = "/.bluegreen/"

// buffering says how an answer passes.
func (w Web) buffering() string {
	if w.Unbuffered {
		return "proxy_buffering off;\n"
	}
	return ""
}
