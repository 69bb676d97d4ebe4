package swap

import (
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
)

// ports gives a service other ones.
func ports(one, two int) func(*config.Service) {
	return func(s *config.Service) { s.Profiles[0].Port, s.Profiles[1].Port = one, two }
}

func profiles(one, two string) func(*config.Service) {
	return func(s *config.Service) { s.Profiles[0].Name, s.Profiles[1].Name = one, two }
}

func onNetwork(name string) func(*config.Service) {
	return func(s *config.Service) { s.Host = config.Host{Network: name, HTTP: 8000, Status: 8001} }
}

// What two services cannot both have is refused before anything is touched, also while the other one has it stopped, or is
// yet to use it.
func TestWhatAnotherServicesProfilesHaveIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	elsewhere := under("else.example.com")
	for _, x := range []struct {
		name string
		wish *config.Service
		want string
	}{
		{"a name in capitals", service("SHOP", "v1", elsewhere, otherPorts), "differs from service shop on this nginx in nothing but capital letters"},
		{"a container's name of another service", service("shop-real1", "v1", elsewhere, otherPorts, profiles("prev", "x")), "container shop-real1-prev, of profile prev, would have the name of that of profile real1 of service shop"},
		{"the same on another nginx", service("shop-real1", "v1", elsewhere, otherPorts, profiles("prev", "x"), onNetwork("second")), "container shop-real1-prev"},
		{"the same in capitals", service("Shop-Real1", "v1", elsewhere, otherPorts, profiles("Prev", "x")), "container Shop-Real1-Prev"},
		{"the port of the live profile", service("api", "v1", elsewhere, ports(8081, 8092)), "port 8081, of profile real1, is that of profile real1 of service shop"},
		{"the port of the one that comes next", service("api", "v1", elsewhere, ports(8091, 8082)), "port 8082, of profile real2, is that of profile real2 of service shop"},
		{"a port on another nginx", service("api", "v1", elsewhere, ports(8081, 8092), onNetwork("second")), "port 8081"},
		{"a port that leads to one address", service("api", "v1", elsewhere, ports(8081+2048, 8092)), "port 10129, of profile real1, leads to the address 10.77.15.145 on network bluegreen, which is that of profile real1 of service shop (port 8081)"},
		{"ports of its own", service("api", "v1", elsewhere, otherPorts), ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, shopNamed("v1"))
				before, boxes := h.of("shop"), len(h.boxes)
				_, err := h.process(fault{}).run(Request{Command: Deploy, Service: x.wish})
				soon()
				if x.want == "" && err == nil {
					checkWhole(t, h)
					return
				}
				if ExitCode(err) != ExitUsage || x.want == "" || !strings.Contains(err.Error(), x.want) {
					t.Errorf("exit %d: %v", ExitCode(err), err)
				}
				if len(h.boxes) != boxes || h.of("shop") != before {
					t.Errorf("left %d containers, not %d, and\n%s", len(h.boxes), boxes, h.of("shop"))
				}
			})
		})
	}
}
