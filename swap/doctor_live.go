package swap

import (
	"context"
	"fmt"
	"time"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// stuckWarning is how long a retired worker may go on before it is worth a word: longer than a request usually is.
const stuckWarning = 30 * time.Second

// workers finds nginx workers that do not end. A swap into the profile that they can reach waits for them.
func (d *doctor) workers(ctx context.Context) ([]Check, error) {
	if !d.obs.NginxRuns() {
		return nil, skip("nginx does not run")
	}
	list, err := d.w.Ages(ctx, d.obs.Nginx.ID)
	if err != nil {
		return nil, err
	}
	aged := make([]nginx.AgedProcess, len(list))
	for i, p := range list {
		aged[i] = nginx.AgedProcess{Process: nginx.Process{PID: p.PID, Title: p.Title}, Age: p.Age}
	}
	return d.stuck(nginx.RetiredFor(aged)), nil
}

// stuck is one finding for all the workers of a level.
func (d *doctor) stuck(retired []nginx.Retired) (found []Check) {
	limit, err := time.ParseDuration(d.obs.Host.ShutdownTimeout)
	if err != nil {
		limit = 0
	}
	var long, over []int
	var longest, longestOver time.Duration
	for _, r := range retired {
		switch {
		case limit > 0 && r.For > limit:
			over, longestOver = append(over, r.PID), max(longestOver, r.For)
		case r.For > stuckWarning:
			long, longest = append(long, r.PID), max(longest, r.For)
		}
	}
	if len(over) > 0 {
		found = append(found, problem(fmt.Sprintf("nginx workers (pid %s) have been shutting down for up to %v, longer than shutdown_timeout (%v): nginx does not end them", pids(over), longestOver, limit),
			fmt.Sprintf("See that %s has `worker_shutdown_timeout %ds;`. On the Docker host, this ends them, and cuts what they still carry: kill %s", d.conf(), int(limit.Seconds()), pids(over))))
	}
	if len(long) > 0 {
		found = append(found, warning(fmt.Sprintf("nginx workers (pid %s) have been shutting down for up to %v: requests, streams or websockets of the release before are still open", pids(long), longest),
			fmt.Sprintf("The next swap waits for them (x-bluegreen.drain); nginx cuts them after shutdown_timeout (%v). On the Docker host, this cuts them now: kill %s", limit, pids(long))))
	}
	return found
}

func pids(list []int) string {
	text := fmt.Sprint(list)
	return text[1 : len(text)-1]
}

// askedThroughNginx is why a profile that runs is not asked.
const askedThroughNginx = "it is asked through nginx, which does not run"

// liveIsUp finds a live profile that is down.
func (d *doctor) liveIsUp(ctx context.Context) ([]Check, error) {
	if err := d.underWay(); err != nil {
		return nil, err
	}
	live, ok := d.obs.Live()
	c := live.Container
	down := func(format string, args ...any) ([]Check, error) {
		return []Check{problem(fmt.Sprintf("the live profile %s is down: ", live.Profile.Name)+fmt.Sprintf(format, args...), d.upAgain(live))}, nil
	}
	switch {
	case !ok:
		return nil, skip("the service is not live")
	case c == nil:
		return down("container %s is gone", containerName(d.service(), live.Profile.Name))
	case !c.Running():
		return down("container %s is %s, exit code %d", c.Name, c.State, c.ExitCode)
	case d.mute():
		return nil, skip("the container runs; " + askedThroughNginx)
	case d.obs.Healthy:
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.patience(d.Service.Settings))
	defer cancel()
	_, err := d.w.Probe(ctx, d.probe(live.Profile, c, d.obs.State.LastLive))
	if err == nil {
		return nil, nil // it was slow, twice, and is not now
	}
	return down("%v", err)
}

// upAgain is the shortest way back to a service that answers.
func (d *doctor) upAgain(live Place) string {
	logs := ""
	if live.Container != nil {
		logs = fmt.Sprintf(" docker logs %s shows why.", live.Container.Name)
	}
	if p := d.obs.State.Previous; d.obs.wayBack() {
		return fmt.Sprintf("%s brings release %d in %s up.", d.bluegreen("rollback"), p.Release, p.Profile) + logs
	}
	return d.bluegreen("deploy") + " replaces it." + logs
}

// rollback finds an idle profile that is no way back.
func (d *doctor) rollback(context.Context) ([]Check, error) {
	live, ok := d.obs.Live()
	idle, p := d.obs.Idle().Container, d.obs.State.Previous
	switch {
	case !ok:
		return nil, skip("the service is not live")
	case p != nil && !d.obs.wayBack():
		return nil, skip("release %d in %s, which a rollback would go to, is gone", p.Release, p.Profile)
	case p == nil:
		return nil, skip("there is no release to roll back to")
	case live.Container == nil || release(idle) != p.Release:
		return nil, nil // it was put aside, and comes back
	case idle.ImageID != live.Container.ImageID || idle.Labels[LabelConfigHash] != live.Container.Labels[LabelConfigHash]:
		return nil, nil
	}
	return []Check{warning(fmt.Sprintf("releases %d (live) and %d (idle) are the same image and configuration: a rollback would change nothing", release(live.Container), p.Release),
		"The release before is gone. To go back further: bluegreen deploy "+d.service()+" --image IMAGE")}, nil
}

// Watching an idle connection: how much longer than nginx the app must keep it, and how long is watched at most.
const (
	idleMargin  = 500 * time.Millisecond
	longestIdle = 30 * time.Second
)

// idleConnections measures whether the app closes idle connections before nginx does: nginx may be sending a request
// at that very moment, and answers a POST with 502 then.
func (d *doctor) idleConnections(ctx context.Context) ([]Check, error) {
	live, err := d.answering()
	if err != nil {
		return nil, err
	}
	nginxKeeps := d.Service.Settings.KeepaliveTimeout
	if s := d.obs.State.Settings; s != nil {
		nginxKeeps = max(nginxKeeps, s.KeepaliveTimeout)
	}
	watch := min(nginxKeeps+idleMargin, longestIdle)
	bounded, cancel := context.WithTimeout(ctx, watch+10*time.Second)
	defer cancel()
	idle, err := d.w.WatchIdle(bounded, d.probe(live.Profile, live.Container, d.obs.State.LastLive), watch)
	switch {
	case err != nil:
		return nil, err
	case idle.Announced:
		return []Check{warning(live.Container.Name+" closes each connection after its answer (Connection: close): nginx opens one for every request",
			"Let the app keep connections open (HTTP keep-alive).")}, nil
	case idle.Closed:
		return []Check{d.closesFirst(live.Container, idle.After, nginxKeeps)}, nil
	case watch < nginxKeeps:
		return nil, skip("%s keeps an idle connection for %v; nginx keeps it for %v, which was not waited for", live.Container.Name, watch, nginxKeeps)
	}
	return nil, nil
}

func (d *doctor) closesFirst(c *docker.Container, after, nginxKeeps time.Duration) Check {
	return problem(fmt.Sprintf("%s closed an idle connection after %v, and nginx keeps it for %v: a request that meets the closing is answered 502", c.Name, after.Round(time.Millisecond), nginxKeeps),
		fmt.Sprintf("Let the app keep idle connections for more than %v, or set x-bluegreen.upstream.keepalive_timeout below %v and deploy.", nginxKeeps+idleMargin, after.Round(10*time.Millisecond)))
}
