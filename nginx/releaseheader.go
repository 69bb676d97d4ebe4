package nginx

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// releaseHeader are the directives that send the header, in the app's place: nginx sends none that is empty.
func releaseHeader(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("proxy_hide_header %s;\nadd_header %s $bluegreen_answered always;\n", quote(name), quote(name))
}

// headerName is the part of a token (RFC 9110, 5.6.2) that header names are made of in practice.
var headerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// ownHeaders mean something to HTTP, to browsers or to nginx, so that they can say nothing of ours: hop by hop and
// framing (RFC 9110, 7.6.1; RFC 9112), and what an app answers with (RFC 9110, 9111, 6265). In lower case.
var ownHeaders = strings.Fields(`
	connection keep-alive proxy-connection te trailer transfer-encoding upgrade
	proxy-authenticate proxy-authentication-info www-authenticate authentication-info
	content-length content-type content-encoding content-language content-location content-range content-disposition
	content-security-policy date server via location refresh status set-cookie set-cookie2 allow accept-ranges etag
	last-modified cache-control expires age pragma vary warning retry-after link strict-transport-security alt-svc`)

// nginxHeaders are the beginning of the names by which an app speaks to nginx.
const nginxHeaders = "x-accel-"

// ValidReleaseHeader refuses a name that no response header of its own can have: X-Bluegreen-Release is fine.
func ValidReleaseHeader(s string) error {
	lower := strings.ToLower(s)
	switch {
	case len(s) > maxNameLength:
		return fmt.Errorf("%q is longer than %d characters", s, maxNameLength)
	case !headerName.MatchString(s):
		return fmt.Errorf("%q is not a header's name: letters, digits, '-' and '_' are allowed, the first a letter or digit", s)
	case slices.Contains(ownHeaders, lower) || strings.HasPrefix(lower, nginxHeaders) || strings.HasPrefix(lower, "access-control-"):
		return fmt.Errorf("%q has a meaning of its own; choose a name like X-Bluegreen-Release", s)
	}
	return nil
}
