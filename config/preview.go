package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bluegreen/nginx"
)

// Preview are names under which nginx shows the idle profile, and never the live one.
type Preview struct {
	ServerNames []string   `json:"server_names"`
	BasicAuth   *BasicAuth `json:"basic_auth,omitempty"` // in the place of the service's own; nil: that one holds here, too
	Allow       []string   `json:"allow,omitempty"`      // the same
}

// AllNames are the host names under which nginx serves the service: the public ones, and those of its preview. One that serves
// every host has none of the former.
func (s Settings) AllNames() []string {
	return append(slices.Clone(s.ServerNames), s.Web.Preview.names()...)
}

func (p *Preview) names() []string {
	if p == nil {
		return nil
	}
	return p.ServerNames
}

// site is the same in package nginx's words.
func (p *Preview) site() *nginx.Preview {
	if p == nil {
		return nil
	}
	return &nginx.Preview{ServerNames: p.ServerNames, BasicAuth: p.BasicAuth.site(), Allow: p.Allow}
}

func (a *BasicAuth) site() *nginx.BasicAuth {
	if a == nil {
		return nil
	}
	return &nginx.BasicAuth{File: a.File.Name, Realm: a.Realm}
}

// GuardedAs is the preview with the guards that hold for it beside this site written out: it may have to be shown beside another.
func (p Preview) GuardedAs(w Web) *Preview {
	if p.BasicAuth == nil {
		p.BasicAuth = w.BasicAuth
	}
	if len(p.Allow) == 0 {
		p.Allow = w.Allow
	}
	return &p
}

const previewNeeds = "Write preview: {server_names: [next.example.com]}."

func previewFields(p *Preview) []field {
	return []field{
		{"server_names", texts(&p.ServerNames, nginx.ValidServerName, nginx.ServerNameForm).some("no name", previewNeeds).called("a list of host names").or(needed).like([]string{"next.example.com"}),
			"The names of the preview. Needed, and none that shows the live profile of any service."},
		{"basic_auth", basicAuth(&p.BasicAuth).or("the service's own"), "Ask everybody who wants to see the preview for a name and a password."},
		{"allow", allow(&p.Allow).or("as for the service"), "Who may see the preview."},
	}
}

// checkPreview is what must hold between the keys of a preview, and beside the public names.
func checkPreview(s *Service) *fault {
	p := s.Web.Preview
	if p == nil {
		return nil
	}
	if len(p.ServerNames) == 0 {
		return &fault{at: []string{"preview"}, what: "needs server_names of its own", do: previewNeeds}
	}
	for i, name := range p.ServerNames {
		if containsName(s.ServerNames, name) {
			return &fault{
				at: []string{"preview", "server_names", strconv.Itoa(i)}, what: name + " is one of the service's server_names too, which show the live profile",
				do: "Give the preview a name of its own.",
			}
		}
	}
	if f := checkBasicAuth(p.BasicAuth); f != nil {
		return f.under("preview")
	}
	return nil
}

func checkBasicAuth(a *BasicAuth) *fault {
	if a != nil && a.File.Path == "" {
		return &fault{at: []string{"basic_auth"}, what: "needs a file", do: "Write basic_auth: {file: PATH}, a file that htpasswd wrote."}
	}
	return nil
}

func containsName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// checkPreviews refuses a name that shows the idle profile of one service and the live one of another, under whatever paths: it
// would be public and not so.
func checkPreviews(services []*Service) *fault {
	for _, s := range services {
		for i, name := range s.Web.Preview.names() {
			for _, other := range services {
				if containsName(other.ServerNames, name) {
					return &fault{
						at:   sectionPath(s.Compose.Name, "preview", "server_names", strconv.Itoa(i)),
						what: fmt.Sprintf("%s is one of the server_names of service %s, which show its live profile", name, other.Compose.Name),
						do:   changeOne,
					}
				}
			}
		}
	}
	return nil
}

// previewNames claims each path of each name of a preview. Previews may share a name as services do.
func (c claims) previewNames(s *Service, paths []string, who string) *fault {
	preview := *s
	preview.ServerNames = s.Web.Preview.names()
	if len(preview.ServerNames) == 0 {
		return nil
	}
	if len(paths) == 0 {
		paths = []string{""}
	}
	return c.serverNames(&preview, slices.Concat(paths, s.MorePaths()), who+"'s preview", sectionPath(s.Compose.Name, "preview", "server_names"))
}
