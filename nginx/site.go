package nginx

import (
	"fmt"
	"strings"
	"time"
)

// SiteConfig is what a service's site file depends on. The names are valid ones (ValidServiceName, …).
type SiteConfig struct {
	Service          string
	ServerNames      []string // none: default server
	Upstreams        []Upstream
	Keepalive        int // idle connections a worker keeps to a profile; 0: nginx's own default
	KeepaliveTimeout time.Duration
	MaxBody          string // nginx size: 100m
	ProxyTimeout     time.Duration
	ReleaseHeader    string // name of the response header that says which release answered; "" none
}

// Upstream is one profile as nginx reaches it.
type Upstream struct {
	Profile string
	Address string
	Port    int
}

// Site is the text of sites/<service>.conf: the upstream groups, the server for the public port, and the
// service's answer on the status listener.
func Site(c SiteConfig) string {
	var b strings.Builder
	b.WriteString(siteHead)
	if c.ReleaseHeader != "" {
		b.WriteString(answeredMap)
	}
	for _, u := range c.Upstreams {
		b.WriteString(upstream(c, u))
	}
	b.WriteString(publicServer(c))
	b.WriteString(statusServer(c))
	return b.String()
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

func upstream(c SiteConfig, u Upstream) string {
	keepalive := ""
	if c.Keepalive > 0 {
		keepalive = fmt.Sprintf("\n    keepalive %d;", c.Keepalive)
	}
	return fmt.Sprintf(`
%s
    server %s max_fails=0;%s
    keepalive_timeout %s;
    keepalive_requests %d;
}
`, groupLine(Group(c.Service, u.Profile)), quote(fmt.Sprintf("%s:%d", u.Address, u.Port)), keepalive,
		span(c.KeepaliveTimeout), manyRequests)
}

func publicServer(c SiteConfig) string {
	return fmt.Sprintf(`
server {
%s
    client_max_body_size %s;
    set $bluegreen_service %s;
    include %s;

    location / {
        proxy_pass $service_url;
        proxy_http_version 1.1;
        proxy_set_header Host $bluegreen_host;
        proxy_set_header Connection $bluegreen_connection;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_connect_timeout 5s;
        proxy_read_timeout %s;
        proxy_send_timeout %s;%s
    }
}
`, listen(c.ServerNames), quote(c.MaxBody), quote(c.Service), quote(IncludePath(c.Service)),
		span(c.ProxyTimeout), span(c.ProxyTimeout), releaseHeader(c.ReleaseHeader))
}

func listen(names []string) string {
	if len(names) == 0 {
		return "    listen 80 default_server;"
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return "    listen 80;\n    server_name " + strings.Join(quoted, " ") + ";"
}

// statusServer answers from the very include that routes the traffic.
func statusServer(c SiteConfig) string {
	return fmt.Sprintf(`
server {
    listen 8079;
    server_name %s;
    access_log off;
    default_type application/json;
    include %s;
    return 200 '{"service":"%s","profile":"$bluegreen_profile","release":$bluegreen_release}\n';
}
`, quote(c.Service), quote(IncludePath(c.Service)), c.Service)
}
