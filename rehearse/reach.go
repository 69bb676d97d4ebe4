package rehearse

import (
	"context"
	"fmt"
	"net"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/rehearse/load"
	"bluegreen/swap"
)

// Defaults of a rehearsal that goes through the nginx container of an engine elsewhere: there each connection is a program
// in that container, and to open one takes about 50 ms of the engine's time, over ssh a login besides.
const (
	DefaultDistantRate        = 100 // requests a second
	DefaultDistantConnections = 8
)

// Distant says whether the load of a rehearsal goes through the nginx container: this machine's loopback is not the engine's,
// or the configuration asks for it.
func Distant(c *docker.Client, cfg Config) bool {
	host := cfg.Host
	if cfg.Service != nil && host.Probe == "" {
		host = cfg.Service.Host
	}
	return swap.Inside(host, c.SharesLoopback())
}

// through dials from inside a container.
func (s *stage) through(container string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) {
		return s.client.Dial(ctx, container, address)
	}
}

// reach turns the load's target to the inside of an nginx container, where that is the way.
func (s *stage) reach(to load.Target, nginx string) load.Target {
	if s.distant {
		to.Addr, to.Dial = fmt.Sprintf("%s:%d", loopback, docker.NginxHTTP), s.through(nginx)
	}
	return to
}

// probe is the recipe's question, to a port of this machine's loopback, or to an address that its nginx reaches.
func (r *recipe) probe(port int, inside string) health.Probe {
	at, check := fmt.Sprintf("%s:%d", loopback, port), r.copy.Settings.Health
	p := health.Probe{Host: check.Host}
	if r.distant {
		at, p.Via = inside, &health.Via{Name: r.nginx(), Dial: r.through(r.nginx())}
	}
	p.URL = "http://" + at + check.Path
	return p
}

// insideOf is where the recipe's nginx reaches a profile.
func (r *recipe) insideOf(at int) string {
	profile := r.copy.Settings.Profiles[at]
	address, err := r.network.Address(profile.Port)
	if err != nil {
		return "" // it was made at this very address
	}
	return fmt.Sprintf("%s:%d", address, r.copy.AppPort(profile))
}

// wayNotes say what a distant engine does to the figures.
func (s *stage) wayNotes() []string {
	if !s.distant {
		return nil
	}
	return []string{"the load goes through the nginx container: every time and gap includes the way to the engine, and a new connection takes as long as starting a program there"}
}

// freeThere says whether no container of the engine publishes a port. What else listens on its host, its start finds out.
func (s *stage) freeThere(ctx context.Context) func(int) bool {
	return func(port int) bool {
		_, held, err := s.world.PortHolder(ctx, port)
		return err == nil && !held
	}
}

// freeFor chooses who is asked for free ports.
func (s *stage) freeFor(ctx context.Context) func(int) bool {
	if s.client.SharesLoopback() {
		return free
	}
	return s.freeThere(ctx)
}
