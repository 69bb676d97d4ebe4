package swap

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"bluegreen/health"
	"bluegreen/nginx"
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

// ask asks until enough says so; several failures in a row, or the container's end, are an error. What nginx itself is to
// blame for says nothing of the release.
func (j *job) ask(ctx context.Context, s Step, enough func(good int) bool) error {
	name := containerName(j.service(), s.Profile)
	probe := j.publicProbe(ctx, s.Profile)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended, exit := j.watchExit(ctx, name, cancel)
	good, bad := 0, 0
	began, _ := j.nginxStarted(ctx)
	for {
		err := j.askOnce(ctx, probe)
		if err != nil {
			blame, e := j.nginxToBlame(ctx, began)
			if e != nil {
				return cmp.Or(engineLost(ctx), e)
			}
			if blame {
				bad, began = 0, j.obs.Nginx.StartedAt
			} else if bad++; bad >= failuresInARow {
				return fmt.Errorf("%d times in a row through nginx: %w", bad, err)
			}
			j.emit(Event{Kind: Progress, Step: &s, Text: "through nginx: " + err.Error()})
		} else if good, bad = good+1, 0; enough(good) {
			return nil
		}
		select {
		case <-ended:
			return j.ended(ctx, name, exit())
		case <-ctx.Done():
			return cmp.Or(engineLost(ctx), ctx.Err())
		case <-time.After(watchInterval):
		}
	}
}

func (j *job) askOnce(ctx context.Context, probe health.Probe) error {
	ctx, done := context.WithTimeout(ctx, j.patience(j.Service.Settings))
	defer done()
	_, err := j.w.Probe(ctx, probe)
	return err
}

// nginxToBlame says whether a failure is nginx's: it has ended since it was seen to have started, and comes back, or
// somebody took it off the network, and it is attached again. An nginx that does not come back is an error.
func (j *job) nginxToBlame(ctx context.Context, began time.Time) (bool, error) {
	now, err := j.nginxStarted(ctx)
	if err != nil {
		return false, nil // the release's own word counts
	}
	if now.IsZero() || !now.Equal(began) {
		_, err := j.workers(ctx)
		return true, err
	}
	did, err := j.attachNginx(ctx)
	return did && err == nil, nil
}

// publicProbe asks for a profile through nginx, by the name it serves the service under.
func (j *job) publicProbe(ctx context.Context, profile string) health.Probe {
	settings := j.Service.Settings
	if j.release <= j.stateBefore.LastLive { // an older release, which proves itself as it did when it was new
		if c, err := j.w.Container(ctx, containerName(j.service(), profile)); err == nil {
			settings = j.settingsFor(&c, j.release)
		}
	}
	at := j.obs.Place(profile).Profile
	if j.adopted() || !j.publicly(settings.Health.Path) || j.web().Private() { // we may not be let in there
		return j.probeLive(at, settings)
	}
	return j.probePublic(at, settings)
}

// publicly says whether nginx's public port leads to this service for a page, under all its names: with paths of its own, or
// another service's, it may not. nginx itself then asks the live profile.
func (j *job) publicly(page string) bool {
	page, _, _ = strings.Cut(page, "?")
	longest := func(all []nginx.Claim) (n int) {
		for _, c := range all {
			if c.Path == "/" || page == c.Path || strings.HasPrefix(page, c.Path+"/") {
				n = max(n, len(c.Path))
			}
		}
		return n
	}
	ours := longest(claims(j.Service.Settings))
	for _, other := range nginx.OwnSites(j.obs.Files) {
		if other != j.service() && longest(nginx.Claims(j.obs.Files, other)) > max(ours, len("/")) {
			return false
		}
	}
	return ours > 0
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
