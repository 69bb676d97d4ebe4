package config

import (
	"slices"
	"strings"
	"time"

	"bluegreen/nginx"
)

// Web is what a service's site does besides passing requests on. Its files are read where bluegreen runs, and lie in
// nginx's volume under the names that their contents give them.
type Web struct {
	TLS         *TLS              `json:"tls,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"` // added to every answer
	BasicAuth   *BasicAuth        `json:"basic_auth,omitempty"`
	Allow       []string          `json:"allow,omitempty"` // addresses and networks that may ask; none: all
	Gzip        bool              `json:"gzip,omitempty"`
	Snippet     *File             `json:"snippet,omitempty"`     // nginx directives, beside the service's locations
	ErrorPages  map[int]*File     `json:"error_pages,omitempty"` // by status, for errors of nginx's own
	GRPC        *GRPC             `json:"grpc,omitempty"`
	Unbuffered  bool              `json:"unbuffered,omitempty"` // answers pass byte by byte
	Maintenance *Maintenance      `json:"maintenance,omitempty"`
	Preview     *Preview          `json:"preview,omitempty"`
}

// TLS is the certificate that nginx shows for the service's names.
type TLS struct {
	Certificate File `json:"certificate"` // with its chain
	Key         File `json:"key"`
	Redirect    bool `json:"redirect"`               // answer plain HTTP with a redirect
	HSTS        int  `json:"hsts_seconds,omitempty"` // 0: none
	Stapling    bool `json:"stapling,omitempty"`     // the certificate names an OCSP responder
}

// BasicAuth asks for a name and a password.
type BasicAuth struct {
	File  File   `json:"file"` // as htpasswd writes it
	Realm string `json:"realm"`
}

// GRPC says what of the service is gRPC.
type GRPC struct {
	Paths []string `json:"paths,omitempty"` // beginnings of paths; none: all of it
}

// Maintenance is what is answered while `bluegreen maintenance on` counts.
type Maintenance struct {
	Page       *File `json:"page,omitempty"`                // nil: a line of text
	RetryAfter int   `json:"retry_after_seconds,omitempty"` // 0: DefaultRetryAfter
}

// Defaults of the site's keys.
const (
	// DefaultHTTPS is published as soon as a service has a certificate.
	DefaultHTTPS = 443
	// DefaultRealm is what browsers show when they ask for a password.
	DefaultRealm = "restricted"
	// DefaultRetryAfter is when a client may ask again that met maintenance.
	DefaultRetryAfter = 2 * time.Minute
)

// None says whether a site does nothing but pass requests on.
func (w Web) None() bool {
	return w.TLS == nil && len(w.Headers) == 0 && w.BasicAuth == nil && len(w.Allow) == 0 && !w.Gzip && w.Snippet == nil &&
		len(w.ErrorPages) == 0 && w.GRPC == nil && !w.Unbuffered && w.Maintenance == nil && w.Preview == nil
}

// longest is the key that makes the site's text longest.
func (w Web) longest() string {
	sizes := map[string]int{"headers": 0, "allow": len(strings.Join(w.Allow, " ")), "error_pages": 100 * len(w.ErrorPages)}
	for name, value := range w.Headers {
		sizes["headers"] += len(name) + len(value)
	}
	if w.GRPC != nil {
		sizes["grpc"] = len(strings.Join(w.GRPC.Paths, " "))
	}
	if p := w.Preview; p != nil {
		sizes["preview"] = 500*len(p.ServerNames) + len(strings.Join(p.Allow, " ")) // a name has a server and a file
	}
	return slices.MaxFunc(sortedKeys(sizes), func(a, b string) int { return sizes[a] - sizes[b] })
}

// Site is the same in package nginx's words; maintenance is on or off.
func (w Web) Site(maintenance bool) nginx.Web {
	n := nginx.Web{Headers: w.Headers, Allow: w.Allow, Gzip: w.Gzip, Snippet: w.Snippet.name(), Unbuffered: w.Unbuffered, ErrorPages: map[int]string{}}
	if t := w.TLS; t != nil {
		n.TLS = &nginx.TLS{Certificate: t.Certificate.Name, Key: t.Key.Name, Redirect: t.Redirect, HSTS: t.HSTS, Stapling: t.Stapling}
	}
	n.BasicAuth, n.Preview = w.BasicAuth.site(), w.Preview.site()
	for status, page := range w.ErrorPages {
		n.ErrorPages[status] = page.Name
	}
	if g := w.GRPC; g != nil {
		n.GRPC, n.GRPCPaths = len(g.Paths) == 0, g.Paths
	}
	if maintenance {
		n.Maintenance = &nginx.Maintenance{RetryAfter: int(DefaultRetryAfter.Seconds())}
		if m := w.Maintenance; m != nil {
			n.Maintenance.Page = m.Page.name()
			if m.RetryAfter > 0 {
				n.Maintenance.RetryAfter = m.RetryAfter
			}
		}
	}
	return n
}

// Files are all files of the site.
func (w *Web) Files() (list []File) {
	for _, f := range w.files() {
		list = append(list, *f.file)
	}
	return list
}

// files are all files of the site, with the place of each key in the section.
func (w *Web) files() (list []webFile) {
	add := func(f *File, k fileKind, keys ...string) {
		if f != nil {
			list = append(list, webFile{f, k, keys})
		}
	}
	if w.TLS != nil {
		add(&w.TLS.Certificate, certificateFile, "tls", "certificate")
		add(&w.TLS.Key, keyFile, "tls", "key")
	}
	if w.BasicAuth != nil {
		add(&w.BasicAuth.File, passwordFile, "basic_auth", "file")
	}
	add(w.Snippet, snippetFile, "snippet")
	for _, status := range sortedKeys(w.ErrorPages) {
		add(w.ErrorPages[status], pageFile, "error_pages", statusText(status))
	}
	if w.Maintenance != nil {
		add(w.Maintenance.Page, pageFile, "maintenance", "page")
	}
	if p := w.Preview; p != nil && p.BasicAuth != nil {
		add(&p.BasicAuth.File, passwordFile, "preview", "basic_auth", "file")
	}
	return list
}
