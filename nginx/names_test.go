package nginx

import (
	"slices"
	"testing"
	"time"
)

func TestSiteNamesReadsBackWhatSiteWrote(t *testing.T) {
	for _, names := range [][]string{nil, {"shop.example.com"}, {"shop.example.com", "*.shop.example.com"}} {
		site := Site(SiteConfig{
			Service: "shop", ServerNames: names, Keepalive: 64, KeepaliveTimeout: time.Second, MaxBody: "1m", ProxyTimeout: time.Minute,
			Upstreams: []Upstream{{Profile: "real1", Address: "10.0.0.1", Port: 8081}},
		})
		if got := SiteNames(site[0].Text); !slices.Equal(got, names) {
			t.Errorf("%q, want %q", got, names)
		}
	}
}
