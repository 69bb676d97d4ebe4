package swap

import (
	"context"
	"fmt"
	"strconv"
	"strings"
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
		site, err := j.site(c)
		if err != nil {
			return err
		}
		to := nginx.Target{Service: j.service(), Profile: s.Profile, Release: release(c)}
		if err := j.point(ctx, to, site); err != nil {
			return err
		}
		if !j.healthyAt.IsZero() {
			j.switchMS = time.Since(j.healthyAt).Milliseconds()
		}
		ref := &ReleaseRef{Release: to.Release, Profile: to.Profile, Image: c.Labels[LabelImage], ImageID: c.ImageID}
		return j.confirmed(ctx, to, ref)
	})
}

// point writes site and include in one tested move, reloads, and proves that nginx took it.
func (j *job) point(ctx context.Context, to nginx.Target, site string) error {
	if err := j.proveLock(ctx); err != nil {
		return err
	}
	if !nginx.HasGroup(site, nginx.Group(to.Service, to.Profile)) {
		return fmt.Errorf("the site file has no upstream group %s", nginx.Group(to.Service, to.Profile))
	}
	j.remember()
	state := j.obs.State
	state.Intent = &Intent{Run: j.run, Kind: j.Command, From: state.Confirmed, To: &ReleaseRef{Release: to.Release, Profile: to.Profile}}
	change := nginx.Change{
		Test: true, Reload: true,
		First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}},
		Files: []nginx.File{
			{Path: nginx.IncludePath(j.service()), Text: nginx.Include(to)},
			{Path: nginx.SitePath(j.service()), Text: site},
		},
	}
	return j.reload(ctx, change, &to)
}

// reload applies a change and confirms it. From the moment the change is applied the switch counts as
// written, so that an undo puts back what was there.
func (j *job) reload(ctx context.Context, change nginx.Change, want *nginx.Target) error {
	before, err := j.w.Workers(ctx, place{j})
	if err != nil {
		return fmt.Errorf("list nginx's workers: %w", err)
	}
	was := j.switched
	j.switched = max(j.switched, switchWritten)
	if err := j.apply(ctx, change); err != nil {
		if refused(err) {
			j.switched = was
		}
		return err
	}
	return j.w.Confirm(ctx, place{j}, nginx.Confirmation{
		Listener: j.listener(&j.obs),
		Before:   before, Want: want, Deadline: confirmTime,
	})
}

// apply makes a change in nginx's files. Once begun it is seen to its end: the script goes on inside the container
// when the client leaves, and an undo must not meet it there. Each has a candidate folder of its own.
func (j *job) apply(ctx context.Context, c nginx.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTime)
	defer cancel()
	j.applied++
	c.Run = fmt.Sprintf("%s-%d", j.run, j.applied)
	return j.w.Apply(sure, place{j}, c)
}

// remember keeps the files as they were before this run's first change.
func (j *job) remember() {
	if j.before != nil {
		return
	}
	for _, path := range []string{nginx.IncludePath(j.service()), nginx.SitePath(j.service())} {
		j.before = append(j.before, rawFile{path, j.obs.Files[path]})
	}
	j.liveBefore = j.obs.Include
}

// confirmed records the swap: state and history in one command, the intent cleared.
func (j *job) confirmed(ctx context.Context, to nginx.Target, ref *ReleaseRef) error {
	state := j.obs.State
	j.stateBefore = state
	from := state.Confirmed
	if from != nil && from.Release != ref.Release {
		state.Previous = from
	}
	state.Confirmed, state.Intent, state.LastLive = ref, nil, max(state.LastLive, ref.Release)
	state.Settings = &j.Service.Settings
	outcome := Swapped
	if j.Command == Rollback {
		outcome = RolledBack
	}
	r := j.newRecord(outcome, ref, nil)
	if from != nil {
		r.From = from.Release
	}
	if err := j.write(ctx, state, r); err != nil {
		return err
	}
	j.obs.State, j.obs.Include, j.switched = state, &to, switchConfirmed
	return nil
}

// write writes the state with one line of history, without touching what nginx reads.
func (j *job) write(ctx context.Context, state State, r Record) error {
	err := j.apply(ctx, nginx.Change{
		First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}},
		Lines: []nginx.Line{r.line(j.service())},
	})
	if err != nil {
		return fmt.Errorf("record the result: %w", err)
	}
	return nil
}

// site is the service's site file with both profiles where they are. The container, if any, is in its
// profile's place by now.
func (j *job) site(now *docker.Container) (string, error) {
	c, s := nginx.SiteConfig{
		Service: j.service(), ServerNames: j.Service.Settings.ServerNames, Keepalive: j.Service.Settings.Keepalive,
		KeepaliveTimeout: j.Service.Settings.KeepaliveTimeout, MaxBody: j.Service.Settings.MaxBody, ProxyTimeout: j.Service.Settings.ProxyTimeout,
	}, j.Service.Settings
	for _, p := range j.obs.Places {
		up, at := nginx.Upstream{Profile: p.Profile.Name, Port: containerPort(s, p.Profile)}, p.Container
		if now != nil && now.Labels[LabelProfile] == p.Profile.Name {
			at = now
		}
		switch {
		case at != nil && at.Labels[LabelAddress] != "":
			// A release that is already there stays reachable where it was made to listen.
			up.Address = at.Labels[LabelAddress]
			up.Port, _ = strconv.Atoi(at.Labels[LabelContainerPort])
		case j.obs.Network == nil:
			return "", fmt.Errorf("network %s is gone", j.names.network)
		default:
			var err error
			if up.Address, err = j.obs.Network.Address(p.Profile.Port); err != nil {
				return "", err
			}
		}
		c.Upstreams = append(c.Upstreams, up)
	}
	return nginx.Site(c), nil
}

// containerPort is where a profile's app listens.
func containerPort(s config.Settings, p config.Profile) int {
	if s.ContainerPort != 0 {
		return s.ContainerPort
	}
	return p.Port
}

// changeSite changes the site file of a service whose release stays.
func (j *job) changeSite(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		site, err := j.site(nil)
		if err != nil {
			return err
		}
		to := *j.obs.Include
		if err := j.point(ctx, to, site); err != nil {
			return err
		}
		state := j.obs.State
		state.Intent, state.Settings = nil, &j.Service.Settings
		return j.write(ctx, state, j.newRecord(Done, state.Confirmed, nil))
	})
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
			state.LastLive = j.obs.State.LastLive
			if state.Previous != nil && state.Previous.Release == j.release {
				state.Previous = nil // it failed in front of users: nothing to go back to
			}
		}
		state.Intent = &Intent{Run: j.run, Kind: j.Command, From: j.obs.State.Confirmed, To: state.Confirmed}
		change := nginx.Change{Test: true, Reload: true, First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}}}
		for _, f := range j.before {
			change.Files = append(change.Files, nginx.File{Path: f.path, Text: string(f.text), Remove: f.text == nil})
		}
		if err := j.reload(ctx, change, j.liveBefore); err != nil {
			return err
		}
		state.Intent, j.switchedBack = nil, true
		j.obs.State, j.obs.Include = state, j.liveBefore
		r := j.newRecord(RolledBack, state.Confirmed, j.cause)
		r.From = j.release
		return j.write(ctx, state, r)
	})
}

// takeOut takes the service's site out of nginx; history and state stay, with nothing live, unless they are
// to go too.
func (j *job) takeOut(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		site, include := nginx.SitePath(j.service()), nginx.IncludePath(j.service())
		state := j.obs.State
		state.Intent = &Intent{Run: j.run, Kind: Down, From: state.Confirmed}
		change := nginx.Change{
			Test: true, Reload: j.obs.NginxRuns(),
			First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}},
			Files: []nginx.File{{Path: site, Remove: true}, {Path: include, Remove: true}},
		}
		apply := func() error { return j.reload(ctx, change, nil) }
		if !j.obs.NginxRuns() {
			apply = func() error { return j.apply(ctx, change) }
		}
		if err := apply(); err != nil {
			return err
		}
		record := j.newRecord(Done, state.Confirmed, nil)
		state = State{LastLive: state.LastLive, Settings: state.Settings}
		j.obs.State, j.obs.Include = state, nil
		if j.Volumes {
			return j.apply(ctx, nginx.Change{Files: []nginx.File{{Path: nginx.ServiceDir(j.service()), Remove: true}}})
		}
		return j.write(ctx, state, record)
	})
}

// newRecord is a line of history for this run as far as it has come.
func (j *job) newRecord(o Outcome, ref *ReleaseRef, err error) Record {
	r := Record{
		Time: time.Now().UTC().Truncate(time.Millisecond), Run: j.run, Command: j.Command, Outcome: o, Who: j.Actor.Who, Where: j.Actor.Where,
		SwitchMS: j.switchMS, MS: time.Since(j.began).Milliseconds(), Steps: j.timings,
	}
	if ref != nil {
		r.Release, r.Profile, r.Image, r.ImageID = ref.Release, ref.Profile, ref.Image, ref.ImageID
	}
	if err != nil {
		r.Error = clip(err.Error(), keptError)
	}
	return r
}

// keptError is how much of an error the history keeps, in bytes: a container's last lines may be long.
const keptError = 4 << 10

// clip shortens a text to a number of bytes, without half a character at its end.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// recordFailure writes a failed run into the history. What cannot be written is only said: the run
// failed already, for a reason that matters more.
func (j *job) recordFailure(ctx context.Context, err error) {
	if err == nil || !j.obs.Volume || j.obs.Nginx == nil || j.switched == switchConfirmed || ExitCode(err) == ExitUsage {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	ref := &ReleaseRef{Release: j.release, Profile: j.obs.Idle().Profile.Name, Image: j.Service.Image, ImageID: j.image.ID}
	if c := j.obs.Idle().Container; c != nil && !j.Command.needsImage() {
		ref.Image, ref.ImageID = c.Labels[LabelImage], c.ImageID
	}
	change := nginx.Change{Lines: []nginx.Line{j.newRecord(j.outcomeOf(err), ref, err).line(j.service())}}
	e := j.underHostLock(ctx, func(ctx context.Context) error { return j.apply(ctx, change) })
	if e != nil {
		j.note("warning: the failure could not be written into the history: " + e.Error())
	}
}
