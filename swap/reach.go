package swap

import (
	"cmp"
	"context"
	"errors"
	"net"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// How questions go to profiles and to nginx: from this machine to the ports that are published on the Docker host's loopback,
// where that is this machine's own; else from inside the nginx container, over the service's network, as its requests go.

// ByContainer says whether questions go through the nginx container: as the configuration says, else where the Docker host's
// loopback is not this machine's.
func ByContainer(h config.Host, sharesLoopback func() bool) bool {
	switch h.Probe {
	case config.ProbeHost:
		return false
	case config.ProbeContainer:
		return true
	}
	return !sharesLoopback()
}

func (j *job) byContainer() bool { return ByContainer(j.Service.Host, j.w.SharesLoopback) }

// through lets a probe's connection start in the nginx container, and its answer take as long as the settings say.
func (j *job) through(q health.Probe, s config.Settings) health.Probe {
	q.Dial, q.Through, q.Timeout = j.dialFromNginx, "container "+j.names.nginx, s.Health.Timeout
	return q
}

// wayTime is what a connection from inside the nginx container may take, the way to the engine included: over ssh, say, a login.
const wayTime = 10 * time.Second

// patience is how long one health question may take in all.
func (j *job) patience(s config.Settings) time.Duration {
	if j.byContainer() {
		return wayTime + s.Health.Timeout
	}
	return s.Health.Timeout
}

// liveAnswers says whether the live profile is healthy now. While the nginx that it would be asked through does not run, its
// container's own word has to do: nothing goes live by it.
func (j *job) liveAnswers(ctx context.Context) bool {
	live, ok := j.obs.Live()
	if ok && j.mute() {
		return runs(live) && live.Container.Health != unhealthy
	}
	return ok && j.answers(ctx, live, j.obs.State.LastLive)
}

// unhealthy is Docker's word for a container whose own health check fails.
const unhealthy = "unhealthy"

// mute says whether nobody can be asked, as the nginx that it would be done through does not run.
func (j *job) mute() bool { return j.byContainer() && !j.obs.NginxRuns() }

func (j *job) dialFromNginx(ctx context.Context, _, address string) (net.Conn, error) {
	return j.w.Dial(ctx, j.names.nginx, address)
}

// unaskedError says that no question can be put, because of what it has to go through: that says nothing of the release.
type unaskedError struct{ error }

func (e unaskedError) Unwrap() error { return e.error }

// unlessNobodyAsks ends a wait for good answers, through lose, when its questions go through an nginx that does not run, or has
// no program to ask with.
func (j *job) unlessNobodyAsks(get health.Getter, lose context.CancelCauseFunc) health.Getter {
	if !j.byContainer() {
		return get
	}
	return func(ctx context.Context) (string, error) {
		detail, err := get(ctx)
		if err == nil || ctx.Err() != nil {
			return detail, err
		}
		if e := j.canAsk(context.WithoutCancel(ctx), err); e != nil {
			lose(unaskedError{e})
		}
		return detail, err
	}
}

// canAsk is why a question through the nginx container could not be put; nil when it could. An nginx that comes back by its
// restart policy is waited for.
func (j *job) canAsk(ctx context.Context, err error) error {
	var none *docker.NoDialerError
	if errors.As(err, &none) {
		return none
	}
	if began, e := j.nginxStarted(ctx); e != nil || !began.IsZero() {
		return e
	}
	_, e := j.workers(ctx)
	return e
}

// nobodyAsked is why a context ended: no question could be put; nil otherwise.
func nobodyAsked(ctx context.Context) error {
	var unasked unaskedError
	if errors.As(context.Cause(ctx), &unasked) {
		return unasked.error
	}
	return nil
}

// checkAsking makes sure, before anything is touched, that questions which go through the nginx container can be put there.
func (j *job) checkAsking(ctx context.Context) error {
	at, inside := j.statusAt(&j.obs)
	if !inside || !j.obs.NginxRuns() || j.Command == Down {
		return nil
	}
	conn, err := j.w.Dial(ctx, j.names.nginx, at)
	var none *docker.NoDialerError
	if errors.As(err, &none) {
		return none
	}
	if err == nil {
		_ = conn.Close() // whether it is answered is another question
	}
	return nil
}

// probeProfile asks a profile's container itself.
func (j *job) probeProfile(p config.Profile, c *docker.Container, s config.Settings) health.Probe {
	port := cmp.Or(published(c), p.Port)
	if !j.byContainer() {
		return ProbeFor(s, p, onLoopback(port))
	}
	if onHost(j.obs.Nginx) { // its loopback is the Docker host's
		return j.through(ProbeFor(s, p, onLoopback(port)), s)
	}
	return j.through(ProbeFor(s, p, net.JoinHostPort(c.Labels[LabelAddress], c.Labels[LabelContainerPort])), s)
}

// statusAt is where the status listener is asked, and whether that is inside the nginx container.
func (j *job) statusAt(o *Observation) (address string, inside bool) {
	switch {
	case o.adopted() && onHost(o.Nginx):
		return onLoopback(o.Host.Status), j.byContainer()
	case o.adopted(): // its port is published by nobody
		return onLoopback(o.Host.Status), true
	case j.byContainer():
		return onLoopback(nginx.StatusPort), true
	}
	return onLoopback(o.Host.Status), false
}

// listener is nginx's status listener.
func (j *job) listener(o *Observation) nginx.StatusListener {
	at, inside := j.statusAt(o)
	l := nginx.StatusListener{URL: "http://" + at}
	if inside {
		l.Dial = j.dialFromNginx
	}
	return l
}

// probeLive asks the live profile through nginx's status listener.
func (j *job) probeLive(p config.Profile, s config.Settings) health.Probe {
	at, inside := j.statusAt(&j.obs)
	q := ProbeFor(s, p, at)
	q.Host = nginx.LiveHost(j.service())
	if inside {
		return j.through(q, s)
	}
	return q
}

// probePublic asks for a profile at nginx's public port.
func (j *job) probePublic(p config.Profile, s config.Settings) health.Probe {
	q := ProbeFor(s, p, j.obs.Host.public())
	if j.byContainer() {
		q = j.through(ProbeFor(s, p, onLoopback(nginx.HTTPPort)), s)
	}
	q.Host = cmp.Or(q.Host, PublicName(j.Service.Settings.ServerNames))
	if j.Service.Settings.Web.TLS != nil { // plain HTTP may be a redirect
		q.URL = "https://" + j.httpsAt() + s.Health.Path
		q.TLSName = PublicName(j.Service.Settings.ServerNames)
	}
	return q
}

// httpsAt is where nginx's public port for TLS is asked.
func (j *job) httpsAt() string {
	if j.byContainer() {
		return onLoopback(nginx.HTTPSPort)
	}
	return j.obs.Host.published(j.obs.Host.HTTPS)
}
