package swap

import (
	"context"
	"errors"
	"fmt"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// settleIntent finishes a swap that was begun, if what the include names is healthy, or takes it back.
func (j *job) settleIntent(ctx context.Context) (changed bool, err error) {
	if j.obs.State.Intent == nil {
		return false, nil
	}
	open := j.obs.State.Intent.String()
	if j.obs.Nginx == nil {
		j.note(open + ", and nginx is gone: nothing is changed")
		return false, nil
	}
	if !j.obs.NginxRuns() {
		j.note(open + ", and nginx does not run: starting it first")
		if err := j.startNginx(ctx, Step{}); err != nil {
			return false, err
		}
		live, ok := j.obs.Live() // now it can be asked
		j.obs.Healthy = ok && j.answers(ctx, live, j.obs.State.LastLive)
	}
	if j.obs.Include == nil {
		return true, j.clearIntent(ctx)
	}
	back := j.obs.State.Confirmed
	canGoBack := back != nil && j.answers(ctx, j.obs.Place(back.Profile), j.obs.State.LastLive)
	if canGoBack && j.Command == Rollback && j.obs.State.Intent.Kind != Rollback {
		j.wentBack = true // what a rollback is to do: users do not pass through the release that was being made live
		return true, j.finishIntent(ctx, back.Profile, back.Release)
	}
	if j.obs.Healthy {
		previous := j.obs.State.Previous
		j.wentBack = previous != nil && previous.Release == j.obs.Include.Release
		return true, j.finishIntent(ctx, j.obs.Include.Profile, j.obs.Include.Release)
	}
	if !canGoBack {
		j.note(open + ", and no profile answers: nothing is changed")
		return false, nil
	}
	j.note(fmt.Sprintf("%s: %s does not answer, going back to %s", open, j.obs.Include.Profile, back.Profile))
	return true, j.finishIntent(ctx, back.Profile, back.Release)
}

// finishIntent makes nginx serve a release, proves it and records it, in the name of the run that left the intent open.
func (j *job) finishIntent(ctx context.Context, profile string, release int) error {
	j.note(fmt.Sprintf("%v: confirming release %d in %s", j.obs.State.Intent, release, profile))
	return j.underHostLock(ctx, func(ctx context.Context) error {
		c := j.obs.Place(profile).Container
		if c == nil {
			return fmt.Errorf("container %s is gone", containerName(j.service(), profile))
		}
		intent, to := *j.obs.State.Intent, refOf(c, profile, release)
		record := j.recordOfIntent(intent, to)
		intent.Run, intent.To, intent.Back = record.Run, to, record.Outcome != Swapped
		site, err := j.siteOfIntent(&intent, c)
		if err != nil {
			return err
		}
		if err := j.point(ctx, intent, site); err != nil {
			return err
		}
		err = j.confirmedAs(ctx, to, intent.Settings, record)
		j.switched, j.before, j.recorded = switchNone, nil, Record{}
		return err
	})
}

// siteOfIntent is the site with which an open intent is settled, and leaves its settings in the intent: those that came with
// it, whatever of their files a kill let through, and those of before when its release is given up.
func (j *job) siteOfIntent(i *Intent, c *docker.Container) ([]nginx.File, error) {
	left := j.obs.State.Intent
	came, forward := left.Settings != nil, left.To != nil && left.To.Release == i.To.Release // an older bluegreen wrote none
	if !came || !forward {
		i.Settings = j.obs.State.Settings
	}
	if i.Settings == nil {
		i.Settings = &j.Service.Settings
	}
	if !came || len(j.missing(i.Settings.Web)) > 0 {
		return j.siteFor(c)
	}
	return j.siteOf(*i.Settings, j.obs.State.Maintenance, c)
}

// recordOfIntent is the line of history of the run that left an intent open, now that it is settled by going to ref.
func (j *job) recordOfIntent(i Intent, ref *ReleaseRef) Record {
	r := j.newRecord(Swapped, ref, nil)
	r.Run, r.Command, r.MS, r.SwitchMS, r.Steps = i.Run, i.Kind, 0, 0, []Timing{}
	if i.Run == "" { // no run's: include and state.json differed
		r.Run, r.Error = newRunID(), "somebody wrote into nginx's include or into state.json"
		return r
	}
	lock := j.deadLock(i.Run)
	r.Who, r.Where = lock[LabelLockWho], lock[LabelLockWhere]
	switch {
	case i.To == nil || i.To.Release != ref.Release:
		r.Outcome, r.Error = Interrupted, "the run was killed, and a later one took its swap back"
	case i.Back:
		r.Outcome, r.Error = RolledBack, "the run was killed while it switched back, and a later one finished that"
	case i.Kind == Rollback:
		r.Outcome, r.Error = RolledBack, "the run was killed, and a later one finished its swap"
	default:
		r.Error = "the run was killed, and a later one finished its swap"
	}
	return r
}

// clearIntent forgets a swap of which nothing is in nginx's files, and makes sure that nothing of it is in
// the running workers either.
func (j *job) clearIntent(ctx context.Context) error {
	state := State{LastLive: j.obs.State.LastLive, Settings: j.obs.State.Settings, Paused: j.obs.State.Paused}
	j.note(fmt.Sprintf("%v, and nothing of it is left: forgetting it", j.obs.State.Intent))
	return j.underHostLock(ctx, func(ctx context.Context) error {
		err := j.reload(ctx, nginx.Change{Test: true, Reload: true}, nil)
		j.switched = switchNone
		if err != nil {
			return err
		}
		return j.apply(ctx, nginx.Change{First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}})
	})
}

// followInclude makes nginx serve what the include names, when its workers serve something else although no swap is open: a plan
// that goes by the include would take the container away that users are sent to. An include whose profile does not
// answer is written anew instead.
func (j *job) followInclude(ctx context.Context) (changed bool, err error) {
	if j.obs.Include == nil || !j.obs.NginxRuns() || j.obs.State.Intent != nil {
		return false, nil
	}
	to := *j.obs.Include
	got, err := j.w.Ask(ctx, j.listener(&j.obs), j.service())
	at := j.obs.Place(got.Profile)
	if err != nil || got == to || at.Profile.Name == "" {
		return false, nil // nginx cannot be asked from here, or agrees, or serves what is not ours to judge
	}
	if !j.obs.Healthy && j.answers(ctx, at, j.obs.State.LastLive) {
		to = got
	}
	j.note(fmt.Sprintf("nginx serves %v, and its include names %v: making both %v", got, *j.obs.Include, to))
	return true, j.underHostLock(ctx, func(ctx context.Context) error {
		c := j.obs.Place(to.Profile).Container
		site, err := j.siteFor(c)
		if err != nil {
			return err
		}
		ref := refOf(c, to.Profile, to.Release)
		if err := j.point(ctx, Intent{Run: j.run, Kind: j.Command, From: j.obs.State.Confirmed, To: ref, Settings: j.obs.State.Settings}, site); err != nil {
			return err
		}
		j.switched, j.before = switchNone, nil
		state := j.obs.State
		state.Confirmed = ref
		return j.apply(ctx, nginx.Change{First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}})
	})
}

// untouched says whether nginx was left as it was: it refused the candidate, or the disk was full.
func untouched(err error) bool {
	var refused *nginx.TestError
	var unchanged *nginx.UnchangedError
	var unread *nginx.NotReadError
	return errors.As(err, &refused) || errors.As(err, &unchanged) || errors.As(err, &unread)
}
