package config

import (
	"slices"
	"testing"
	"time"
)

func TestSiteChangesNamesTheKeysOfTheSite(t *testing.T) {
	base := func(edit ...func(*Settings)) Settings {
		s := defaults().Settings
		s.Service, s.ServerNames = "shop", []string{"shop.example.com"}
		for _, e := range edit {
			e(&s)
		}
		return s
	}
	tls := func(name string) func(*Settings) {
		return func(s *Settings) { s.Web.TLS = &TLS{Certificate: File{Path: "a.pem", Name: name}} }
	}
	for _, c := range []struct {
		from, to Settings
		want     []string
	}{
		{base(), base(), nil},
		{base(), base(tls("01.pem")), []string{"new tls"}},
		{base(tls("01.pem")), base(), []string{"no more tls"}},
		{base(tls("01.pem")), base(tls("02.pem")), []string{"other tls"}},
		{base(), base(func(s *Settings) { s.ServerNames, s.KeepaliveTimeout = nil, time.Minute }), []string{"no more server_names", "other upstream.keepalive_timeout"}},
		{base(), base(func(s *Settings) { s.Web.Unbuffered, s.MaxBody = true, "1m" }), []string{"new buffering: false", "other max_body"}},
		{base(), base(func(s *Settings) { s.Watch, s.Health.Path, s.KeepOld, s.ContainerPort = time.Hour, "/x", false, 80 }), nil},
	} {
		if got := c.from.SiteChanges(c.to); !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
