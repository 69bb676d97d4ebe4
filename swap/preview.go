package swap

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"bluegreen/config"
	"bluegreen/nginx"
)

// PreviewURLs are where the idle profile of a service can be looked at, as clients of the host write it: one for each name of
// its preview (of a wildcard, where there is nothing else, with a name in the star's place) and each of its paths. None: the
// service has no preview. They say what settings want; what nginx serves already is in a Status.
func PreviewURLs(s config.Settings, k HostKeys) (list []string) {
	p := s.Web.Preview
	if p == nil {
		return nil
	}
	scheme, port, usual := "http", cmp.Or(k.HTTP, config.DefaultHTTP), config.DefaultHTTP
	if s.Web.TLS != nil {
		scheme, port, usual = "https", cmp.Or(k.HTTPS, config.DefaultHTTPS), config.DefaultHTTPS
	}
	paths := s.Paths
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	for _, name := range plainNames(p.ServerNames) {
		if port != usual {
			name = net.JoinHostPort(strings.Trim(name, "[]"), strconv.Itoa(port))
		}
		for _, path := range paths {
			list = append(list, scheme+"://"+name+path)
		}
	}
	return list
}

// plainNames are the names without those of wildcards; where there are no others, one that a wildcard is for.
func plainNames(names []string) []string {
	plain := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.Contains(n, "*") })
	if len(plain) == 0 {
		return []string{PublicName(names)}
	}
	return plain
}

// previewURLs are those that nginx serves now; what a compose file wants next is not among them.
func (j *job) previewURLs() []string {
	was := j.obs.State.Settings
	if was == nil || j.obs.Include == nil || len(nginx.PreviewNames(string(j.obs.Files[nginx.SitePath(j.service())]))) == 0 {
		return nil
	}
	return PreviewURLs(*was, j.obs.Host)
}

// mixed refuses a name that would show the idle profile of one service and the live one of another.
func mixed(service, other string, c nginx.Claim) error {
	what := fmt.Sprintf("is to serve the name %s, under which %s shows its idle profile (preview)", c.Name, other)
	if c.Preview {
		what = fmt.Sprintf("is to show its idle profile (preview) under the name %s, under which %s serves the live one", c.Name, other)
	}
	return &config.Error{Where: "service " + service, What: what, Do: "Give the preview a name of its own."}
}
