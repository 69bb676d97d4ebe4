package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// confirmTime is how long nginx may take to serve a new configuration with new workers only. nginx
// itself needs 100 ms of it.
const confirmTime = 10 * time.Second

// applyTime bounds one command beside nginx; it takes a tenth of a second.
const applyTime = 30 * time.Second

// switchState is how far the swap of this run has come.
type switchState int

const (
	switchNone      switchState = iota // nothing of it is in nginx's files
	switchWritten                      // it may be in the files and in running workers
	switchConfirmed                    // proved and recorded
)

// rawFile is a file of the tree as it was; Text nil when it was absent.
type rawFile struct {
	path string
	text []byte
}

// goLive makes a profile live: write, test, reload, confirm and record, under the host's lock.
func (j *job) goLive(ctx context.Context, s Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		c, err := j.find(ctx, containerName(j.service(), s.Profile))
		if err != nil {
			return err
		}
		if c == nil {
			return fmt.Errorf("container %s is gone", containerName(j.service(), s.Profile))
		}
		if err := j.sendFiles(ctx); err != nil {
			return err
		}
		site, err := j.site(c)
		if err != nil {
			return err
		}
		ref := refOf(c, s.Profile, release(c))
		if err := j.point(ctx, Intent{Run: j.run, Kind: j.Command, From: j.obs.State.Confirmed, To: ref}, site); err != nil {
			return err
		}
		if !j.healthyAt.IsZero() {
			j.switchMS = time.Since(j.healthyAt).Milliseconds()
		}
		if err := j.confirmed(ctx, ref); err != nil {
			return err
		}
		j.warnSeen(ctx)
		return nil
	})
}

// refOf names a release in a profile, with what its container knows of it.
func refOf(c *docker.Container, profile string, release int) *ReleaseRef {
	r := &ReleaseRef{Release: release, Profile: profile}
	if c != nil {
		r.Image, r.ImageID, r.Digest = c.Labels[LabelImage], c.ImageID, c.Labels[LabelDigest]
	}
	return r
}

// target is what nginx is to be told of a release.
func (j *job) target(r *ReleaseRef) nginx.Target {
	return nginx.Target{Service: j.service(), Profile: r.Profile, Release: r.Release}
}

// point writes intent, site and include in one tested move, reloads, and proves that nginx took it.
func (j *job) point(ctx context.Context, i Intent, site []nginx.File) error {
	to := j.target(i.To)
	if err := j.proveLock(ctx); err != nil {
		return err
	}
	if !hasGroup(site, to.Service, nginx.Group(to.Service, to.Profile)) {
		return fmt.Errorf("the site file has no upstream group %s", nginx.Group(to.Service, to.Profile))
	}
	if err := j.proveNames(ctx, site); err != nil {
		return err
	}
	main, err := j.mainChange()
	if err != nil {
		return err
	}
	include := nginx.File{Path: nginx.IncludePath(j.service()), Text: nginx.Include(to)}
	files := slices.Concat(main, []nginx.File{include}, nginx.SiteChange(j.obs.Files, j.service(), site))
	j.pointed = append(slices.Clone(site), include)
	j.remember(files)
	if i.Settings == nil {
		i.Settings = &j.Service.Settings
	}
	state := j.obs.State
	state.Intent = &i
	change := nginx.Change{
		Test: true, Reload: true, First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}, Files: files,
		Own: j.ownConfig(nginx.SitePath(j.service()), include.Path),
	}
	err = j.reload(ctx, change, &to)
	var unread *nginx.NotReadError
	if errors.As(err, &unread) {
		return j.notRead(unread)
	}
	return err
}

// reload applies a change and confirms it. From the moment the change is applied the switch counts as
// written, so that an undo puts back what was there.
func (j *job) reload(ctx context.Context, change nginx.Change, want *nginx.Target) error {
	var err error
	if j.older, err = j.workers(ctx); err != nil {
		return err
	}
	lost, err := j.lost(ctx)
	if err != nil {
		return err
	}
	was := j.switched
	j.switched = max(j.switched, switchWritten)
	if err := j.applyWith(ctx, change, lost); err != nil {
		if untouched(err) {
			j.switched = was
		}
		return err
	}
	return j.w.Confirm(ctx, place{j}, nginx.Confirmation{
		Listener: j.listener(&j.obs),
		Before:   j.older, Want: want, Deadline: confirmTime,
	})
}

// applyWith makes a change, and others' files good with it unless nginx refuses those.
func (j *job) applyWith(ctx context.Context, change nginx.Change, others []nginx.File) error {
	if len(others) > 0 {
		with := change
		with.Files = append(slices.Clone(change.Files), others...)
		err := j.applyMended(ctx, with)
		var refused *nginx.TestError
		if !errors.As(err, &refused) {
			return err
		}
	}
	return j.applyMended(ctx, change)
}

// apply makes a change in nginx's files. Once begun it is seen to its end: the script goes on inside the container
// when the client leaves, and an undo must not meet it there. Each has a candidate folder of its own.
func (j *job) apply(ctx context.Context, c nginx.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTime)
	defer cancel()
	if c.Own == nil {
		c.Own = j.ownConfig()
	}
	for again := false; ; again = true {
		began, unknown := j.nginxStarted(sure)
		j.applied++
		c.Run, c.Owner, c.Fence = fmt.Sprintf("%s-%d", j.run, j.applied), j.run, nginx.RevokedPath(j.service())
		err := j.w.Apply(sure, place{j}, c)
		if again && untouched(err) {
			return fmt.Errorf("some files may be changed already: %v", err) // by the first try
		}
		if err == nil || untouched(err) || errors.Is(err, nginx.ErrFenced) || sure.Err() != nil || unknown != nil {
			return err
		}
		if !j.nginxEnded(sure, began) {
			return err
		}
		// nginx ended, and the script with it. A change made twice is a change made once.
		j.note("nginx ended in the middle of a change of its files: making it again")
		if c.Reload {
			var e error
			if j.older, e = j.workers(sure); e != nil { // it came back with the files as they were, or with some of the new ones
				return errors.Join(err, e)
			}
		}
	}
}

// remember keeps the service's files that a change concerns as they were before this run's first one. (nginx.conf does not go
// back to what it was: other services may have come to need it.)
func (j *job) remember(changed []nginx.File) {
	if j.before == nil {
		j.liveBefore = j.obs.Include
	}
	for _, f := range changed {
		if f.Path != nginx.MainPath && !slices.ContainsFunc(j.before, func(b rawFile) bool { return b.path == f.Path }) {
			j.before = append(j.before, rawFile{f.Path, j.obs.Files[f.Path]})
		}
	}
}

// filesBefore are site and include as they were observed; none: the service was not live.
func (j *job) filesBefore() []nginx.File {
	if j.liveBefore == nil {
		return nil
	}
	path := nginx.IncludePath(j.service())
	return append(nginx.SiteFiles(j.obs.Files, j.service()), nginx.File{Path: path, Text: string(j.obs.Files[path])})
}

// confirmed records this run's swap.
func (j *job) confirmed(ctx context.Context, ref *ReleaseRef) error {
	outcome := Swapped
	if j.Command == Rollback {
		outcome = RolledBack
	}
	return j.confirmedAs(ctx, ref, &j.Service.Settings, j.newRecord(outcome, ref, nil))
}

// confirmedAs records a swap, and the settings of the site that came with it: state and history in one command, the intent
// cleared.
func (j *job) confirmedAs(ctx context.Context, ref *ReleaseRef, s *config.Settings, r Record) error {
	state := j.obs.State
	j.stateBefore = state
	if from := state.Confirmed; from != nil {
		r.From = from.Release
		if from.Release != ref.Release {
			state.Previous = from
		}
	}
	state.Confirmed, state.Intent, state.LastLive = ref, nil, max(state.LastLive, ref.Release)
	state.Settings = s
	if j.Service.File != "" {
		state.Hooked = len(j.Service.Hooks.PostSwitch) > 0
	}
	if p := state.Paused; p != nil && (p.Release == ref.Release || j.Command == Rollback) { // which removes what waited
		state.Paused = nil
	}
	if err := j.write(ctx, state, r, nginx.ConfirmedCopy(j.service(), j.pointed)); err != nil {
		return err
	}
	to := j.target(ref)
	j.obs.State, j.obs.Include, j.switched = state, &to, switchConfirmed
	return nil
}

// switchBack undoes a switch: the files as they were, reloaded and confirmed. A service that was not
// live before is taken out again.
func (j *job) switchBack(ctx context.Context, s Step) error {
	if j.switched == switchNone {
		return nil
	}
	return j.underHostLock(ctx, func(ctx context.Context) error {
		state := j.obs.State
		if j.switched == switchConfirmed {
			state = j.stateBefore
			state.LastLive, state.Paused = j.obs.State.LastLive, j.obs.State.Paused
			if state.Previous != nil && state.Previous.Release == j.release {
				state.Previous = nil // it failed in front of users: nothing to go back to
			}
		}
		state.Intent = &Intent{Run: j.run, Kind: j.Command, From: j.obs.State.Confirmed, To: state.Confirmed, Back: true}
		change := nginx.Change{Test: true, Reload: true, First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}}
		for _, f := range j.before {
			change.Files = append(change.Files, nginx.File{Path: f.path, Text: string(f.text), Remove: f.text == nil})
		}
		if err := j.reload(ctx, change, j.liveBefore); err != nil {
			return err
		}
		state.Intent, j.switchedBack = nil, true
		j.obs.State, j.obs.Include = state, j.liveBefore
		r := j.wordOf(j.cause) // of a release that never was live
		if j.switched == switchConfirmed {
			r = j.newRecord(RolledBack, state.Confirmed, j.cause)
			r.From = j.release
		}
		return j.write(ctx, state, r, nginx.ConfirmedCopy(j.service(), j.filesBefore()))
	})
}
