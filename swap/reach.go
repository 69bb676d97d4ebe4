package swap

import (
	"context"
	"net"
	"strconv"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// This file is the one place that says from where a run asks its questions, and at which addresses: on this machine's
// loopback, where the engine publishes the profiles' ports, or from inside the nginx container, which reaches what nginx
// itself reaches. A profile then needs no port that this machine can reach.

// wayTime is what a connection from inside a container may take, the way to the engine included: over ssh each is a login.
const wayTime = 10 * time.Second

// Inside says whether questions are asked from inside the nginx container: as x-bluegreen.probe says, else when the engine's
// loopback is not this machine's.
func Inside(h config.Host, local bool) bool {
	if h.Probe != "" {
		return h.Probe == config.ProbeContainer
	}
	return !local
}

func (j *job) inside() bool { return Inside(j.Service.Host, j.w.Local()) }

// via is the way of this run's questions; nil: this machine's own network.
func (j *job) via() *health.Via {
	if !j.inside() {
		return nil
	}
	return &health.Via{Name: j.names.nginx, Dial: j.dial}
}

func (j *job) dial(ctx context.Context, address string) (net.Conn, error) {
	return j.w.Dial(ctx, j.names.nginx, address)
}

// asking gives a probe its way there.
func (j *job) asking(p health.Probe) health.Probe {
	if p.Via = j.via(); p.Via != nil {
		p.Timeout = j.Service.Settings.Health.Timeout
	}
	return p
}

// patience is how long one question may take whose answer may take so long.
func (j *job) patience(answer time.Duration) time.Duration {
	if j.inside() {
		return answer + wayTime
	}
	return answer
}

// profileAt is where the app in a profile's container is asked.
func (j *job) profileAt(p config.Profile, c *docker.Container) string {
	port, err := strconv.Atoi(c.Labels[LabelPort])
	if err != nil {
		port = p.Port
	}
	address, inner := c.Labels[LabelAddress], c.Labels[LabelContainerPort]
	if !j.inside() || address == "" || inner == "" || j.nginxOnHost() {
		return onLoopback(port)
	}
	return net.JoinHostPort(address, inner)
}

// nginxOnHost says whether nginx has the host's network: its loopback is the host's.
func (j *job) nginxOnHost() bool { return j.obs.Nginx != nil && j.obs.Nginx.NetworkMode == "host" }

// publicAt is where nginx is asked as its clients ask it.
func (j *job) publicAt() string {
	if !j.inside() || j.nginxOnHost() {
		return j.obs.Host.public()
	}
	return onLoopback(docker.NginxHTTP)
}

// statusAt is where nginx's status listener is asked.
func (j *job) statusAt(o *Observation) string {
	if !j.inside() || o.Nginx != nil && o.Nginx.NetworkMode == "host" {
		return onLoopback(o.Host.Status)
	}
	return onLoopback(docker.NginxStatus)
}

// listener is nginx's status listener.
func (j *job) listener(o *Observation) nginx.StatusListener {
	l := nginx.StatusListener{URL: "http://" + j.statusAt(o)}
	if j.inside() {
		l.Dial = j.dial
	}
	return l
}

// liveAnswers says whether the live profile is healthy now. While the nginx through which it would be asked does not run, its
// container's own word has to do: nothing goes live by it.
func (j *job) liveAnswers(ctx context.Context) bool {
	live, ok := j.obs.Live()
	if ok && j.inside() && !j.obs.NginxRuns() {
		return runs(live) && live.Container.Health != "unhealthy"
	}
	return ok && j.answers(ctx, live, j.obs.State.LastLive)
}
