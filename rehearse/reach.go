package rehearse

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
	"bluegreen/rehearse/load"
	"bluegreen/swap"
)

// How the load and the recipe's questions reach the copy: at its ports on the Docker host's loopback, or from inside its nginx
// container, as package swap decides it for its own questions.

// Defaults of a load that goes through the nginx container: there each connection is a program in that container, and to open
// one takes about 50 ms of the engine's time, over ssh a login besides.
const (
	DefaultDistantRate        = 100 // requests a second
	DefaultDistantConnections = 8
)

// Distant says whether the load of a rehearsal goes through the nginx container.
func Distant(c *docker.Client, cfg Config) bool {
	host := cfg.Host
	if cfg.Service != nil {
		host = cfg.Service.Host
	}
	return swap.ByContainer(host, c.SharesLoopback)
}

// from dials from inside a container.
func (s *stage) from(container string) health.Dial {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return s.client.Dial(ctx, container, address)
	}
}

// insideNginx is where nginx listens in its own container.
var insideNginx = net.JoinHostPort(loopback, strconv.Itoa(nginx.HTTPPort))

// reach lets a load begin inside an nginx container, where that is the way.
func (s *stage) reach(to load.Target, nginx string) load.Target {
	if s.distant {
		to.Addr, to.Dial = insideNginx, s.from(nginx)
	}
	return to
}

// probe is the recipe's question: at a port of the Docker host's loopback, or at an address inside its nginx container.
func (r *recipe) probe(port int, inside string) health.Probe {
	at, check := net.JoinHostPort(loopback, strconv.Itoa(port)), r.copy.Settings.Health
	p := health.Probe{Host: check.Host}
	if r.distant {
		at, p.Dial, p.Through = inside, r.from(r.nginx()), "container "+r.nginx()
	}
	p.URL = "http://" + at + check.Path
	return p
}

// probeProfile asks a profile itself.
func (r *recipe) probeProfile(at int) (health.Probe, error) {
	profile := r.copy.Settings.Profiles[at]
	address, err := r.network.Address(profile.Port)
	return r.probe(profile.Port, fmt.Sprintf("%s:%d", address, r.copy.AppPort(profile))), err
}

// wayNotes say what the way through the nginx container does to the figures.
func (s *stage) wayNotes() []string {
	if !s.distant {
		return nil
	}
	return []string{"the load goes through the nginx container: every time and gap includes the way to the engine, and a new connection the start of a program there"}
}

// freePort chooses what says whether a port is free on the Docker host: to listen on it, or that no container there publishes
// it. What else listens there, the start of the copy finds out.
func (s *stage) freePort(ctx context.Context) func(int) bool {
	if s.client.SharesLoopback() {
		return free
	}
	return func(port int) bool {
		_, held, err := s.world.PortHolder(ctx, port)
		return err == nil && !held
	}
}
