package nginx

import "fmt"

// nginx holds an answer back until it has a buffer full of it, or knows that no more comes: an event of a stream waits then,
// over TLS with HTTP/1.1, and wherever the answer ends with its connection. Whether it does is said for each location, and a
// location is chosen by the path alone, so a request for events is led to one of its own by a status that nothing else
// answers with: nginx never does by itself, and what an app answers is not looked at.
const eventsStatus = 418

// eventsLocation is where requests for event streams of a service are led to. No service's name has a + in it.
func eventsLocation(service string) string { return quote("@" + service + "+events") }

// splitsEvents says whether event streams pass otherwise than other answers.
func (w Web) splitsEvents() bool { return !w.GRPC && !w.Unbuffered && w.Maintenance == nil }

// toEvents leads requests for event streams there: those of browsers, and of others that say so. An app that answers with
// events unasked says `X-Accel-Buffering: no`.
func (c SiteConfig) toEvents() string {
	if !c.Web.splitsEvents() {
		return ""
	}
	text := fmt.Sprintf(`    if ($http_accept ~* text/event-stream) {
        return %d;
    }
    error_page %[1]d = %s;
`, eventsStatus, eventsLocation(c.Service))
	if len(c.Web.ErrorPages) > 0 || c.toIdle {
		text += "    recursive_error_pages on;\n" // the way there counts as an error page
	}
	return text
}

// events is the location.
func (c SiteConfig) events() string {
	if !c.Web.splitsEvents() {
		return ""
	}
	return fmt.Sprintf("location %s {\n    include %s;\n    proxy_buffering off;\n}\n", eventsLocation(c.Service), quote(c.proxyPath()))
}
