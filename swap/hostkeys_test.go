package swap

import "testing"

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
