package config

import (
	"errors"
	"testing"
)

func TestCheckNames(t *testing.T) {
	for _, c := range []struct{ service, network, where string }{
		{"shop", "bluegreen", ""}, {"", "", ""}, {"a;b", "", "SERVICE"}, {"a\nb", "", "SERVICE"}, {"..", "", "SERVICE"}, {"shop", "a$b", "--network"}, {"shop", "../x", "--network"}, {"", "a b", "--network"},
	} {
		err := CheckNames(c.service, c.network)
		e, ok := errors.AsType[*Error](err)
		if (err == nil) != (c.where == "") || ok && e.Where != c.where {
			t.Errorf("%q, %q: %v", c.service, c.network, err)
		}
	}
}
