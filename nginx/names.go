package nginx

import (
	"strconv"
	"strings"
)

var statusListen = "listen " + strconv.Itoa(StatusPort)

// SiteNames reads back under which names a site file of ours serves the live profile: none means any.
func SiteNames(site string) []string {
	public, _, _ := strings.Cut(site, previewHead)
	return serverNames(public)
}

// PreviewNames reads back under which names a site file of ours shows the idle profile.
func PreviewNames(site string) []string {
	_, previews, _ := strings.Cut(site, previewHead)
	return serverNames(previews)
}

// AllNames are all names of which a site file of ours has servers.
func AllNames(site string) []string { return append(SiteNames(site), PreviewNames(site)...) }

func serverNames(site string) []string {
	var names []string
	for line := range strings.Lines(site) {
		switch word := strings.TrimSpace(line); {
		case strings.HasPrefix(word, statusListen):
			return names // from here on it is the status listener's
		case strings.HasPrefix(word, "server_name "):
			for _, n := range strings.Fields(strings.TrimSuffix(strings.TrimPrefix(word, "server_name "), ";")) {
				names = append(names, strings.Trim(n, `"`))
			}
		}
	}
	return names
}
