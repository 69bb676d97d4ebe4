package nginx

import (
	"strconv"
	"strings"
)

var statusListen = "listen " + strconv.Itoa(StatusPort)

// SiteNames reads back under which names a site file of ours serves: none means any.
func SiteNames(site string) []string {
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
