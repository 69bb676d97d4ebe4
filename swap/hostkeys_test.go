package swap

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
)

func TestThePublicPortIsAskedWhereItIsPublished(t *testing.T) {
	for address, want := range map[string]string{
		"": "127.0.0.1:8080", "0.0.0.0": "127.0.0.1:8080", "::": "[::1]:8080",
		"127.0.0.2": "127.0.0.2:8080", "192.0.2.7": "192.0.2.7:8080", "::1": "[::1]:8080", "2001:db8::1": "[2001:db8::1]:8080",
	} {
		if got := (HostKeys{HTTP: 8080, Address: address}).public(); got != want {
			t.Errorf("%q: asked at %s, want %s", address, got, want)
		}
	}
}

func TestAFirstDeploySaysWhatItWillPublish(t *testing.T) {
	for _, c := range []struct {
		keys HostKeys
		want string
	}{
		{HostKeys{HTTP: 80, Status: 8079, Image: "nginx:1"}, "nginx (nginx:1) will publish 0.0.0.0:80, and 127.0.0.1:8079 for its status; the profiles 127.0.0.1:8081 and 127.0.0.1:8082"},
		{HostKeys{HTTP: 80, HTTPS: 443, Status: 8079, Image: "nginx:1", Address: "::1"}, "nginx (nginx:1) will publish [::1]:80 and [::1]:443, and 127.0.0.1:8079 for its status; the profiles 127.0.0.1:8081 and 127.0.0.1:8082"},
	} {
		w := want(Deploy)
		w.Keys = c.keys
		p, err := MakePlan(bare().Observation, w)
		if err != nil || !slices.Contains(p.Notes, c.want) {
			t.Errorf("%v, notes %q", err, p.Notes)
		}
	}
	p, err := MakePlan(both().Observation, want(Deploy))
	if err != nil || strings.Contains(strings.Join(p.Notes, ""), "will publish") {
		t.Errorf("%v, a later deploy has notes %q", err, p.Notes)
	}
}

// TestNginxImageIsThatOfTheHostsOwn, for whoever wants the same.
func TestNginxImageIsThatOfTheHostsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		w := h.process(fault{}).world()
		for network, want := range map[string]string{config.DefaultNetwork: config.DefaultImage, "edge": ""} {
			if got, err := NginxImage(t.Context(), w, network); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", network, got, err, want)
			}
		}
	})
}
