package nginx

import (
	"fmt"
	"strconv"
)

// LiveHost is the Host under which the status listener passes requests on to a service's live profile. No service can
// have such a name (ValidServiceName).
func LiveHost(service string) string { return "_live." + service }

// statusServer are the service's two answers on the status listener, both from the very include that routes the traffic:
// who is live; and, as LiveHost, the live profile's own, for a service whose public door is not for everybody.
func statusServer(c SiteConfig) string {
	host := c.Host
	if host == "" {
		host = c.Service
	}
	listen := c.StatusListen
	if listen == "" {
		listen = strconv.Itoa(StatusPort)
	}
	include := quote(IncludePath(c.Service))
	if c.Own != "" {
		// In full: relative ones begin at its own main file. And spelled in a way of our own, so that nginx, asked what it reads,
		// names the path itself only where a server of the owner's includes it (Own.Read).
		include = quote(c.Own + "/./" + IncludePath(c.Service))
	}
	return fmt.Sprintf(`
server {
    listen %s;
    server_name %s;
    access_log off;
    default_type application/json;
    include %s;
    return 200 '{"service":"%s","profile":"$bluegreen_profile","release":$bluegreen_release}\n';
}

server {
    listen %s;
    server_name %s;
    access_log off;
    include %s;

    location / {
        proxy_pass $service_url;
        proxy_http_version 1.1;
        proxy_set_header Host %s;
        proxy_set_header Connection '';
        proxy_connect_timeout 5s;
        proxy_read_timeout %s;
    }
}
`, listen, quote(c.Service), include, c.Service, listen, quote(LiveHost(c.Service)), include, quote(host), span(c.ProxyTimeout))
}
