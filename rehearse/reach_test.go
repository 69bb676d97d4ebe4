package rehearse

import (
	"slices"
	"testing"

	"bluegreen/config"
)

// What a container publishes is not free, wherever the engine is.
func TestPortsThatAreHeldAreNotTaken(t *testing.T) {
	held := []int{}
	p, err := freePorts([2]int{20000, 20099}, func(port int) bool {
		if port < 20050 {
			held = append(held, port)
			return false
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []int{p.http, p.status, p.profiles[0], p.profiles[1]} {
		if slices.Contains(held, port) || port < 20050 {
			t.Errorf("port %d is held", port)
		}
	}
}

// The load begins inside the copy's nginx container exactly when the rehearsal is distant, and the report says so.
func TestALoadGoesThroughNginxWhenItsPortsAreElsewhere(t *testing.T) {
	for _, distant := range []bool{false, true} {
		s := &stage{distant: distant, ports: ports{http: 20004}, Config: Config{Service: &config.Service{}, Load: Load{Connections: 8}}}
		s.copy = s.Service
		to := s.target("rehearsal-nginx")
		want := "127.0.0.1:20004"
		if distant {
			want = "127.0.0.1:80"
		}
		if to.Addr != want || (to.Dial != nil) != distant {
			t.Errorf("distant %v: to %s, its own dial %v", distant, to.Addr, to.Dial != nil)
		}
		if notes := s.wayNotes(); (len(notes) > 0) != distant {
			t.Errorf("distant %v: notes %q", distant, notes)
		}
		if most := s.traffic("rehearsal-nginx").connections; (most == 16) != distant {
			t.Errorf("distant %v: %d connections at most", distant, most)
		}
	}
}
