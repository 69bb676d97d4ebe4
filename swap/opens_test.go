package swap

import (
	"slices"
	"testing"
	"testing/synctest"

	"bluegreen/config"
)

func TestResultAndStatusSayWhereTheServiceCanBeOpened(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*config.Service)
		want []string
	}{
		"no name":           {func(*config.Service) {}, []string{"http://localhost"}},
		"a port":            {func(s *config.Service) { s.Host.HTTP = 8080 }, []string{"http://localhost:8080"}},
		"an address":        {func(s *config.Service) { s.Host.Address, s.Host.HTTP = "10.0.0.5", 8080 }, []string{"http://10.0.0.5:8080"}},
		"one of IPv6":       {func(s *config.Service) { s.Host.Address = "fd00::5" }, []string{"http://[fd00::5]"}},
		"names":             {func(s *config.Service) { s.ServerNames = []string{"shop.example.com", "*.example.com"} }, []string{"http://shop.example.com"}},
		"a certificate":     {secured(1), []string{"https://shop.example.com"}},
		"another TLS port":  {func(s *config.Service) { secured(1)(s); s.Host.HTTPS = 8443 }, []string{"https://shop.example.com:8443"}},
		"some of the paths": {func(s *config.Service) { named(s); s.Paths = []string{"/api"} }, []string{"http://shop.example.com/api"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				s := shop("v1", noWatch, c.edit)
				p := h.process(fault{})
				res, _ := p.run(Request{Command: Deploy, Service: s}) // the fake is asked under no address but its own
				if res.Live != "" && !slices.Equal(res.Opens, c.want) {
					t.Errorf("the result says %q, want %q", res.Opens, c.want)
				}
				if res.Live == "" {
					t.Fatal("it did not become live")
				}
				st, err := ReadStatus(t.Context(), h.process(fault{}).world(), s)
				if err != nil || !slices.Equal(st.Opens, c.want) {
					t.Errorf("%v: the status says %q, want %q", err, st.Opens, c.want)
				}
			})
		})
	}
}

func TestStatusShowsWhatNginxPublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		w := h.process(fault{}).world()
		w.HostName = func() string { return "build.example.com" }
		st, err := ReadStatus(t.Context(), w, shop("v1"))
		if err != nil || !slices.Equal(st.Nginx.Ports, []string{"0.0.0.0:80->80", "127.0.0.1:8079->8079"}) || !slices.Equal(st.Opens, []string{"http://build.example.com"}) {
			t.Errorf("%v: %q, %q", err, st.Nginx.Ports, st.Opens)
		}
		h.mustRun(t, command(Down))
		if st, err = ReadStatus(t.Context(), w, shop("v1")); err != nil || st.Opens != nil {
			t.Errorf("%v: after down %q", err, st.Opens)
		}
	})
}
