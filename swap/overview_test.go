package swap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// nameOnly is a service as a command without a compose file asks for it.
func nameOnly(name string) *config.Service {
	s := &config.Service{Host: config.Host{Network: "bluegreen"}}
	s.Settings.Service = name
	return s
}

func twoServices(t *testing.T) *host {
	t.Helper()
	h := hostWith(t, "v1", "v2")
	h.mustRun(t, Request{Command: Deploy, Service: service("other", "v3", named, otherPorts)})
	return h
}

func wantServices(t *testing.T, h *host, want ...string) {
	t.Helper()
	if got, err := Services(t.Context(), h.process(fault{}).world(), "bluegreen"); err != nil || !slices.Equal(got, want) {
		t.Errorf("services %q, %v; want %q", got, err, want)
	}
}

// TestAServiceIsKnownWhileAnythingOfItIsThere: containers, or traffic that nginx sends to it.
func TestAServiceIsKnownWhileAnythingOfItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantServices(t, newHost())
		h := twoServices(t)
		wantServices(t, h, "other", "shop")
		if err := h.remove(h.must(t, "other-real1").ID); err != nil { // somebody's hand
			t.Fatal(err)
		}
		wantServices(t, h, "other", "shop")
		h.volumes["bluegreen-nginx"][nginx.SitePath("mine")] = "# a person's own\n"
		h.volumes["bluegreen-nginx"][nginx.IncludePath("mine")] = "set $x y;\n"
		wantServices(t, h, "other", "shop")
		delete(h.volumes["bluegreen-nginx"], nginx.SitePath("mine"))
		delete(h.volumes["bluegreen-nginx"], nginx.IncludePath("mine"))
		h.mustRun(t, command(Down))
		wantServices(t, h, "other")
	})
}

// TestAStatusSaysWhatNginxServesTheServiceUnder, which another file may want otherwise by now.
func TestAStatusSaysWhatNginxServesTheServiceUnder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, Request{Command: Deploy, Service: service("other", "v3", named, func(s *config.Service) { s.Paths = []string{"/a", "/b"} })})
		for _, s := range []*config.Service{nameOnly("other"), service("other", "v3")} {
			st, err := ReadStatus(t.Context(), h.process(fault{}).world(), s)
			if err != nil || !slices.Equal(st.ServerNames, []string{"shop.example.com"}) || !slices.Equal(st.Paths, []string{"/a", "/b"}) {
				t.Errorf("%q %q, %v", st.ServerNames, st.Paths, err)
			}
		}
	})
}

func TestAnOverviewShowsEachServiceAsItsOwnStatusDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := twoServices(t)
		w := h.process(fault{}).world()
		all, err := ReadOverview(t.Context(), w, []*config.Service{nameOnly("other"), shop(""), service("new", "v1")})
		if err != nil || len(all.Services) != 3 || all.Nginx == nil || all.Nginx.State != "running" {
			t.Fatalf("%+v, %v", all, err)
		}
		other, own, new := all.Services[0], all.Services[1], all.Services[2]
		if other.Service != "other" || other.Live != "real1" || other.Release != 1 || !other.Serving || !slices.Equal(other.ServerNames, []string{"shop.example.com"}) || other.Profiles[0].Port != 8091 {
			t.Errorf("other: %+v", other)
		}
		if own.Service != "shop" || own.Live != "real2" || own.Release != 2 || !own.Serving || len(own.ServerNames) != 0 {
			t.Errorf("shop: %+v", own)
		}
		if new.Service != "new" || new.Live != "" || new.Error != "" {
			t.Errorf("never deployed: %+v", new)
		}
	})
}

// TestAServiceThatCannotBeReadHidesNoOther, nor is it left out.
func TestAServiceThatCannotBeReadHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := twoServices(t)
		h.volumes["bluegreen-nginx"][nginx.IncludePath("shop")] = "set $service_url http://elsewhere;\n"
		all, err := ReadOverview(t.Context(), h.process(fault{}).world(), []*config.Service{nameOnly("other"), nameOnly("shop"), nameOnly("nobody")})
		if err != nil {
			t.Fatal(err)
		}
		if !all.Services[0].Serving || all.Services[0].Error != "" {
			t.Errorf("other: %+v", all.Services[0])
		}
		if s := all.Services[2]; s.Service != "nobody" || !strings.Contains(s.Error, "never been deployed") {
			t.Errorf("nobody: %+v", s)
		}
	})
}

// TestAnOverviewOfAnEngineThatIsGoneIsAnError, and no list of services that cannot be read.
func TestAnOverviewOfAnEngineThatIsGoneIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := twoServices(t)
		w := h.process(fault{}).world()
		w.Network = func(context.Context, string) (docker.Network, error) {
			return docker.Network{}, &docker.UnreachableError{Host: "unix:///x", Err: errors.New("gone")}
		}
		_, err := ReadOverview(t.Context(), w, []*config.Service{shop(""), nameOnly("other")})
		if ExitCode(err) != ExitUnreachable {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := ReadOverview(ctx, h.process(fault{}).world(), []*config.Service{shop("")}); ExitCode(err) != ExitInterrupted {
			t.Errorf("%v", err)
		}
	})
}

// TestAnOverviewAsksFewServicesAtOnce: the engine serves others, too.
func TestAnOverviewAsksFewServicesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHost().process(fault{}).world()
		gate := make(chan struct{})
		asked := make(chan struct{}, 100)
		network := w.Network
		w.Network = func(ctx context.Context, name string) (docker.Network, error) {
			asked <- struct{}{}
			<-gate
			return network(ctx, name)
		}
		var services []*config.Service
		for range 3 * askedAtOnce {
			services = append(services, shop(""))
		}
		done := make(chan error)
		go func() { _, err := ReadOverview(t.Context(), w, services); done <- err }()
		synctest.Wait()
		if n := len(asked); n != askedAtOnce {
			t.Errorf("%d were asked at once, want %d", n, askedAtOnce)
		}
		close(gate)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
