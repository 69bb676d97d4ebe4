package nginx

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SiteConfig is what a service's site depends on. The names are valid ones (ValidServiceName, …).
type SiteConfig struct {
	Service          string
	ServerNames      []string // none: every host that no other service serves
	Paths            []string // prefixes of what it serves under these names; none: all that no other service has
	Host             string   // what the app is told when the status listener asks it; "": the service's name
	Upstreams        []Upstream
	Keepalive        int // idle connections a worker keeps to a profile; 0: nginx's own default
	KeepaliveTimeout time.Duration
	MaxBody          string // nginx size: 100m
	ProxyTimeout     time.Duration
	StatusListen     string // where the status listener is ("127.0.0.1:8079"); "": the container's port of a managed nginx
	Own              string // folder of our files in an nginx with a configuration of its own: the site is the groups and the status listener alone; "": ours
	ReleaseHeader    string // name of the response header that says which release answered; "" none
	Web              Web
	toIdle           bool // the texts are those of the preview
}

// Upstream is one profile as nginx reaches it.
type Upstream struct {
	Profile string
	Address string
	Port    int
}

// Site are a service's files besides the include: sites/<service>.conf with the upstream groups, the servers of its names
// and its answers on the status listener; how a request is passed on; for which paths; and one file for each name, its part of
// that name's server, which says no more than that.
//
// Several services may have one name, under different paths. Each writes the same server for it, of which nginx takes the
// first; that includes the parts of them all.
func Site(c SiteConfig) []File {
	var b strings.Builder
	b.WriteString(siteHead)
	for _, u := range c.Upstreams {
		b.WriteString(upstream(c, u))
	}
	b.WriteString(c.Web.beforeServers())
	b.WriteString(c.idleMap())
	if c.Own != "" {
		b.WriteString(statusServer(c))
		return []File{{Path: SitePath(c.Service), Text: b.String()}}
	}
	for _, name := range c.ServerNames {
		b.WriteString(nameServer(c, name))
	}
	b.WriteString(c.previewServers())
	b.WriteString(statusServer(c))
	files := []File{
		{Path: SitePath(c.Service), Text: b.String()}, {Path: ProxyPath(c.Service), Text: proxy(c)}, {Path: LocationsPath(c.Service), Text: locations(c)},
	}
	if len(c.Web.GRPCPaths) > 0 {
		files = append(files, File{Path: GRPCPath(c.Service), Text: grpc(c)})
	}
	for _, name := range c.names() {
		files = append(files, File{Path: PartPath(c.Service, name), Text: siteHead + "include " + quote(LocationsPath(c.Service)) + ";\n"})
	}
	return append(files, c.previewFiles()...)
}

// names are those of the service; one that serves every host has the empty one.
func (c SiteConfig) names() []string {
	if len(c.ServerNames) == 0 {
		return []string{""}
	}
	return c.ServerNames
}

// siteHead is the first line of every site file of ours.
const siteHead = "# Written by bluegreen. A change made here is lost with the next deploy.\n"

// OwnSite says whether bluegreen wrote a site file: there may be others in the folder, which are a person's.
func OwnSite(text string) bool { return strings.HasPrefix(text, siteHead) }

// HasGroup says whether the upstream group an include names stands in a site file. (nginx -t does not
// look through the variable.)
func HasGroup(site, group string) bool {
	return strings.Contains(site, "\n"+groupLine(group)+"\n")
}

func groupLine(group string) string { return "upstream " + quote(group) + " {" }

func serverLine(u Upstream) string {
	return "    server " + quote(fmt.Sprintf("%s:%d", u.Address, u.Port)) + " max_fails=0;"
}

// upstream is a profile's group, and a second one for gRPC.
func upstream(c SiteConfig, u Upstream) string {
	text := upstreamGroup(c, u, "")
	if c.Web.hasGRPC() {
		text += upstreamGroup(c, u, grpcSuffix)
	}
	return text
}

func upstreamGroup(c SiteConfig, u Upstream, suffix string) string {
	keepalive := ""
	if c.Keepalive > 0 {
		keepalive = fmt.Sprintf("\n    keepalive %d;", c.Keepalive)
	}
	return fmt.Sprintf(`
%s
%s%s
    keepalive_timeout %s;
    keepalive_requests %d;
}
`, groupLine(Group(c.Service, u.Profile)+suffix), serverLine(u), keepalive,
		span(c.KeepaliveTimeout), manyRequests)
}

// nameServer is the server of one name. It says nothing of the service but its certificate, so that all services of a
// name write the same: nginx takes the first for each port.
func nameServer(c SiteConfig, name string) string {
	return fmt.Sprintf(`
server {
    listen %d;%s
    server_name %s;
    %s
    include %s;
%s}
`, HTTPPort, c.Web.TLS.listen(c.Service), quote(name), acmeInclude, quote(partsOf(name)), nobody)
}

// nobody ends a server: what none of its parts takes. (It takes no `location /`, which a part may have.)
const nobody = `    try_files /none @none;
    location @none {
        default_type text/plain;
        return 404 "no such service\n";
    }
`

// everyLocation begins the location of a service that takes all of its names that no other one has.
const everyLocation = "location / {\n"

// locations are the requests that a service takes of those to its names, and what stands beside them.
func locations(c SiteConfig) string {
	var b strings.Builder
	b.WriteString(siteHead)
	if len(c.Paths) == 0 {
		b.WriteString(everyLocation + c.passed("/") + "}\n")
	}
	for _, path := range c.Paths {
		b.WriteString(c.below(path))
	}
	for _, path := range c.Web.GRPCPaths {
		if !slices.Contains(c.Paths, path) {
			b.WriteString(c.below(path))
		}
	}
	b.WriteString(c.events())
	b.WriteString(c.nobodyWaits())
	b.WriteString(c.Web.besides(c.Service))
	return b.String()
}

// below are the locations of a path and of what is below it.
func (c SiteConfig) below(path string) string {
	pass := " {\n" + c.passed(path) + "}\n"
	return "location = " + quote(path) + pass + "location ^~ " + quote(path+"/") + pass
}

// passed says how requests for a path are passed on.
func (c SiteConfig) passed(path string) string {
	if slices.Contains(c.Web.GRPCPaths, path) {
		return "    include " + quote(c.grpcPath()) + ";\n"
	}
	return c.toEvents() + "    include " + quote(c.proxyPath()) + ";\n"
}

// proxy passes a request on to the live profile, or the idle one.
func proxy(c SiteConfig) string {
	if c.Web.GRPC {
		return grpc(c)
	}
	return location(c) + fmt.Sprintf(`proxy_pass %s;
proxy_http_version 1.1;
proxy_set_header Host $bluegreen_host;
proxy_set_header Connection $bluegreen_connection;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_connect_timeout 5s;
proxy_read_timeout %s;
proxy_send_timeout %s;
%s%s`, c.url(), span(c.ProxyTimeout), span(c.ProxyTimeout), c.Web.buffering(), releaseHeader(c.ReleaseHeader))
}

// location begins each location that answers for the service.
func location(c SiteConfig) string {
	return fmt.Sprintf(siteHead+`set $bluegreen_service %s;
include %s;
%sclient_max_body_size %s;
%s`, quote(c.Service), quote(IncludePath(c.Service)), c.idleAnswers(), quote(c.MaxBody), c.Web.answers(c.Service))
}
