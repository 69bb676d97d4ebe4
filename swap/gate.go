package swap

import (
	"context"
	"fmt"
	"slices"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// Pause says that a deploy stopped before its switch: a release runs in the idle profile and waits for promote or abort.
type Pause struct {
	Release int       `json:"release"`
	Profile string    `json:"profile"`
	Since   time.Time `json:"since"`
	Who     string    `json:"who"`
	// PromoteAt is when the deploy that paused is going to promote it, if it still runs then.
	PromoteAt *time.Time `json:"promote_at,omitempty"`
	// Hooked: its compose file has hooks for the switch, which a machine without that file cannot run.
	Hooked bool `json:"hooked,omitempty"`
	// Hooks is a sum of those hooks: a promote is to run these and no others.
	Hooks string `json:"hooks,omitempty"`
	// Settings are those that the release comes with: any machine can promote it.
	Settings *config.Settings `json:"settings,omitempty"`
}

// String says what waits, and since when.
func (p *Pause) String() string {
	text := fmt.Sprintf("release %d is paused in %s since %s, by %s", p.Release, p.Profile, Moment(p.Since), p.Who)
	if p.PromoteAt != nil && time.Now().Before(*p.PromoteAt) {
		text += ", to be promoted at " + Moment(*p.PromoteAt) + " if the deploy that paused it still runs then"
	}
	return text
}

// agreeOnPause forgets a pause whose release is no longer where it was, or has been live since.
func (o *Observation) agreeOnPause(own []docker.Container) {
	p := o.State.Paused
	if p != nil && (p.Settings == nil || p.Release <= o.State.LastLive || !slices.ContainsFunc(own, func(c docker.Container) bool {
		return c.Labels[LabelProfile] == p.Profile && release(&c) == p.Release && c.Name == containerName(c.Labels[LabelService], p.Profile)
	})) {
		if p.Release > o.State.LastLive {
			o.Lost = p
		}
		o.State.Paused = nil
	}
}

// pause remembers that the release waits, with all that a later promote needs to know.
func (j *job) pause(ctx context.Context, s Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		if err := j.sendFiles(ctx); err != nil {
			return err
		}
		c, err := j.find(ctx, containerName(j.service(), s.Profile))
		if err != nil {
			return err
		}
		if c == nil {
			return fmt.Errorf("container %s is gone", containerName(j.service(), s.Profile))
		}
		state, kept, err := j.showPreview(ctx, c)
		if err != nil {
			return err
		}
		state.Paused = j.pauseOf(c)
		if err := j.write(ctx, state, j.newRecord(Paused, refOf(c, s.Profile, release(c)), nil), kept...); err != nil {
			return err
		}
		j.obs.State, j.switched = state, switchNone
		for _, f := range j.pointed {
			j.obs.Files[f.Path] = []byte(f.Text)
		}
		return nil
	})
}

// pauseOf is what the host is to know of a release that waits.
func (j *job) pauseOf(c *docker.Container) *Pause {
	p := &Pause{
		Release: release(c), Profile: c.Labels[LabelProfile], Since: time.Now().UTC().Truncate(time.Second), Who: j.Actor.Who,
		Settings: &j.Service.Settings,
	}
	if j.Service.Hooks.AtSwitch() && !j.NoHooks {
		p.Hooked, p.Hooks = true, hooksHash(j.Service.Hooks)
	}
	if j.PromoteAfter > 0 {
		at := p.Since.Add(j.PromoteAfter)
		p.PromoteAt = &at
	}
	return p
}

// showPreview brings the preview that comes with the release into nginx, and nothing else of its site: that is for the promote.
// It returns the state to write, and what is to be kept with it.
func (j *job) showPreview(ctx context.Context, c *docker.Container) (state State, kept []nginx.File, err error) {
	state = j.obs.State
	wanted := j.Service.Settings.Web.Preview
	if wanted == nil || j.obs.Include == nil || state.Settings == nil || !j.obs.NginxRuns() {
		return state, nil, nil
	}
	if t := state.Settings.Web.TLS; t != nil {
		text := j.obs.Files[nginx.FilePath(j.service(), t.Certificate.Name)]
		if live, err := config.ParseCertificate(text); err != nil || len(live.Missing(wanted.ServerNames)) > 0 {
			j.note("the certificate that nginx has is not for the preview's names: they come with the one of this release, by `bluegreen reload` or at the promote")
			return state, nil, nil
		}
	}
	settings := *state.Settings
	settings.Web.Preview = wanted.GuardedAs(j.Service.Settings.Web) // not as what is live: that may be open to all
	site, err := j.siteOf(settings, state.Maintenance, c)
	if err != nil || len(nginx.SiteChange(j.obs.Files, j.service(), site)) == 0 {
		return state, nil, err
	}
	live := refOf(nil, j.obs.Include.Profile, j.obs.Include.Release)
	if err := j.point(ctx, Intent{Run: j.run, Kind: j.Command, From: state.Confirmed, To: live, Settings: &settings}, site); err != nil {
		return state, nil, err
	}
	state.Settings = &settings
	return state, []nginx.File{nginx.ConfirmedCopy(j.service(), j.pointed)}, nil
}

// discard takes the release that waits away.
func (j *job) discard(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil || c == nil {
		return err
	}
	if c.Running() {
		if err := j.halt(ctx, c); err != nil {
			return err
		}
	}
	if err := j.w.Remove(ctx, c.ID); err != nil {
		return err
	}
	if j.obs.State.Paused == nil || j.obs.Nginx == nil {
		return nil
	}
	return j.underHostLock(ctx, func(ctx context.Context) error {
		state := j.obs.State
		state.Paused = nil
		if err := j.write(ctx, state, j.newRecord(Done, refOf(c, s.Profile, release(c)), nil)); err != nil {
			return err
		}
		j.obs.State = state
		return nil
	})
}

// undiscard undoes discard as far as that is possible: once the release is gone, what it had replaced comes back all the same.
func (j *job) undiscard(ctx context.Context, s Step) error {
	c, err := j.find(ctx, containerName(j.service(), s.Profile))
	if err != nil {
		return err
	}
	if was := j.obs.Place(s.Profile).Container; c != nil && was != nil && c.ID == was.ID {
		return j.startAgain(ctx, s)
	}
	return j.unretire(ctx, Step{Kind: StepRestore, Profile: s.Profile})
}

// checkPromote refuses to promote a release without the hooks that it is to have, and under names that others took meanwhile.
func (j *job) checkPromote() error {
	p := j.obs.State.Paused
	if j.Command != Promote || p == nil {
		return nil
	}
	if err := j.obs.checkNames(*p.Settings); err != nil { // before hooks that change something run
		return err
	}
	if j.NoHooks || !p.Hooked {
		return nil
	}
	if j.Service.File != "" {
		if p.Hooks == "" || p.Hooks == hooksHash(j.Service.Hooks) { // an older version kept none
			return nil
		}
		return &config.Error{
			Where: j.Service.File, What: fmt.Sprintf("its hooks are not those that release %d was deployed with: another file, or other variables in it", p.Release),
			Do: "Name the file that the deploy was given (-f), deploy again, or leave the hooks out with --no-hooks.",
		}
	}
	return &config.Error{
		Where: "service " + j.service(), What: fmt.Sprintf("release %d has hooks for its switch, which stand in a compose file that is not here", p.Release),
		Do: "Run `bluegreen promote` where that file is, or leave them out with --no-hooks.",
	}
}

// anywhere is the name of this service with what a machine without its compose file has to say besides.
func (j *job) anywhere() string {
	if j.names.network == config.DefaultNetwork {
		return j.service()
	}
	return j.service() + " --network " + j.names.network
}

// preview are the URLs at which an idle profile is to be seen: the last is on the Docker host itself.
func (j *job) preview(profile string) []string {
	return append(j.previewURLs(), "http://"+onLoopback(j.obs.Place(profile).Profile.Port))
}

// promoteWait is how long a promote that is due waits for a command that holds the lock.
const promoteWait = 5 * time.Minute

// PromoteLater waits until it is time to promote the release that the deploy r paused before, and does; nothing when somebody
// did before. It returns what it asked for beside the result: r still, when it did not come to that.
func PromoteLater(ctx context.Context, w World, r Request, p Pause) (Result, Request, error) {
	if res, err := awaitPromote(ctx, w, r, p); err != nil {
		return res, r, err
	}
	r.Command, r.Pause, r.Awaited, r.Wait = Promote, false, &p, promoteWait
	res, err := Run(ctx, w, r)
	return res, r, err
}

// awaitPause is how often awaitPromote looks whether the release still waits.
const awaitPause = 2 * time.Second

// awaitPromote waits, without a lock, until it is time to promote the release that a deploy paused before (PromoteAt), or until
// somebody did. An error when it is gone or has ended, and an *InterruptedError when ctx ends: it stays paused then.
func awaitPromote(ctx context.Context, w World, r Request, p Pause) (Result, error) {
	j := newJob(w, r)
	j.planned.Release = p.Release
	failed := func(err error) (Result, error) {
		j.wasLive = j.obs.State.Confirmed
		j.onFailure(ctx, err)
		return j.result(err), err
	}
	for time.Now().Before(*p.PromoteAt) {
		select {
		case <-ctx.Done():
			_ = j.observe(context.WithoutCancel(ctx)) // only to say what is live
			return failed(interrupted(ctx, fmt.Sprintf("release %d stays paused in %s: `bluegreen promote %s` makes it live, `bluegreen abort %[3]s` takes it away", p.Release, p.Profile, j.anywhere())))
		case <-time.After(min(awaitPause, time.Until(*p.PromoteAt))):
		}
		err := j.observe(ctx)
		if err != nil {
			continue // an engine that is away for a moment; the promote says so otherwise
		}
		if j.obs.wasPromoted(p) {
			break
		}
		if err := j.stillWaits(ctx, p); err != nil {
			return failed(err)
		}
	}
	return j.result(nil), nil
}

// wasPromoted says whether the release of a pause went live, which a later one may have gone, too.
func (o *Observation) wasPromoted(p Pause) bool {
	return o.State.LastLive == p.Release || o.State.LastLive > p.Release && slices.ContainsFunc(o.own, func(c docker.Container) bool {
		return c.Labels[LabelProfile] == p.Profile && release(&c) == p.Release
	})
}

// GoneError: somebody took a release away that waited to be promoted.
type GoneError struct {
	Release int
	Profile string
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("release %d no longer waits in %s: it was aborted, or another deploy took its place; `bluegreen history` says by whom", e.Release, e.Profile)
}

func (j *job) stillWaits(ctx context.Context, p Pause) error {
	now := j.obs.State.Paused
	if now == nil || now.Release != p.Release {
		return &GoneError{Release: p.Release, Profile: p.Profile}
	}
	if c := j.obs.Place(p.Profile).Container; !c.Running() {
		return fmt.Errorf("container %s ended while its release was paused\n%s", c.Name, j.tail(ctx, c.Name))
	}
	return nil
}
