package swap

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bluegreen/health"
)

// Verify and watch: how often nginx is asked, and how many failures in a row mean that the new release
// does not work behind it. One failure never does.
const (
	watchInterval  = 250 * time.Millisecond
	failuresInARow = 3
)

// verify asks through nginx's public port until the new profile answers.
func (j *job) verify(ctx context.Context, s Step) error {
	return j.ask(ctx, s, func(good int) bool { return good > 0 })
}

// watch goes on asking for a while. It ends early when the container ends.
func (j *job) watch(ctx context.Context, s Step) error {
	end := time.Now().Add(j.Service.Settings.Watch)
	return j.ask(ctx, s, func(int) bool { return !time.Now().Before(end) })
}

// ask asks until enough says so; several failures in a row, or the container's end, are an error. Failures of an nginx that
// ended and comes back are not the release's.
func (j *job) ask(ctx context.Context, s Step, enough func(good int) bool) error {
	name := containerName(j.service(), s.Profile)
	probe := j.publicProbe(ctx, s.Profile)
	wctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended, exit := j.watchExit(wctx, name)
	good, bad := 0, 0
	began, _ := j.nginxStarted(ctx)
	for {
		tctx, done := context.WithTimeout(ctx, j.Service.Settings.Health.Timeout)
		_, err := j.w.Probe(tctx, probe)
		done()
		if err == nil {
			good, bad = good+1, 0
		} else if now, e := j.nginxStarted(ctx); e == nil && !now.Equal(began) {
			if _, err := j.workers(ctx); err != nil {
				return err
			}
			bad, began = 0, j.obs.Nginx.StartedAt
		} else if did, e := j.attachNginx(ctx); did && e == nil {
			bad = 0 // somebody had taken it off the network: no word on the release either
		} else if bad++; bad >= failuresInARow {
			return fmt.Errorf("%d times in a row through nginx: %w", bad, err)
		} else {
			j.emit(Event{Kind: Progress, Step: &s, Text: "through nginx: " + err.Error()})
		}
		if bad == 0 && enough(good) {
			return nil
		}
		select {
		case <-ended:
			return j.ended(ctx, name, exit())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchInterval):
		}
	}
}

// publicProbe asks for a profile through nginx, by the name it serves the service under.
func (j *job) publicProbe(ctx context.Context, profile string) health.Probe {
	settings := j.Service.Settings
	if j.release <= j.stateBefore.LastLive { // an older release, which proves itself as it did when it was new
		if c, err := j.w.Container(ctx, containerName(j.service(), profile)); err == nil {
			settings = j.settingsFor(&c, j.release)
		}
	}
	p := ProbeFor(settings, j.obs.Place(profile).Profile, j.obs.Host.HTTP)
	if p.Host == "" {
		p.Host = PublicName(j.Service.Settings.ServerNames)
	}
	return p
}

// PublicName is a host name under which nginx serves a service with these server names; "" when any does.
func PublicName(serverNames []string) string {
	for _, n := range serverNames {
		if !strings.Contains(n, "*") {
			return n
		}
	}
	if len(serverNames) == 0 {
		return ""
	}
	// Only wildcards: any label in the star's place is served.
	return strings.Replace(serverNames[0], "*", "bluegreen", 1)
}
