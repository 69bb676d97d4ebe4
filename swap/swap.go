// Package swap is the heart of bluegreen: it finds out what is, plans what leads from there to what is
// wanted, and runs that plan so that a service never stops answering.
//
// Run is the whole algorithm. The planner (plan.go) is pure; the steps it names are carried out by
// the actions in steps.go, each with its undo; everything outside the process is reached through World.
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

// Command is what a person asked for.
type Command string

// The commands that change something on the Docker host.
const (
	Deploy   Command = "deploy"
	Rollback Command = "rollback"
	Down     Command = "down"
	Stop     Command = "stop"
	Start    Command = "start"
	Health   Command = "health"
	Switch   Command = "switch"
	// Promote makes a release live that a paused deploy left waiting, Abort takes it away.
	Promote Command = "promote"
	Abort   Command = "abort"
	// Reload brings certificates and other files of a site, and what else of it changed, into nginx without a release.
	Reload Command = "reload"
	// MaintenanceOn and MaintenanceOff say whether nginx answers for the service with 503.
	MaintenanceOn  Command = "maintenance on"
	MaintenanceOff Command = "maintenance off"
	// Recreate makes nginx anew with the project's host keys.
	Recreate Command = "nginx recreate"
)

// needsImage says whether the command creates a container from the wanted image.
func (c Command) needsImage() bool { return c == Deploy || c == Start }

// maintains says whether the command turns maintenance on or off, and changes nothing else.
func (c Command) maintains() bool { return c == MaintenanceOn || c == MaintenanceOff }

// NeedsSite says whether the request brings the site, as the compose file has it, into nginx: the files that it names have to be
// read, and a compose file that cannot be is no reason to go by what the host remembers.
func (r Request) NeedsSite() bool {
	switch r.Command {
	case Deploy, Start, Reload, Recreate, Switch:
		return true
	case Health:
		return r.Switch
	}
	return false
}

// Request is one command with everything it needs to know.
type Request struct {
	Command Command
	// Service is the configuration. A request from a machine without the compose file has only
	// Service.Settings.Service and Service.Host.Network set; the rest is what the host remembers.
	Service *config.Service
	Force   bool          // deploy although nothing changed
	Volumes bool          // down: history too
	Switch  bool          // health: and go live
	DryRun  bool          // plan only
	Wait    time.Duration // for the lock
	Pause   bool          // deploy: stop before the switch
	// PromoteAfter is when the caller of a deploy that pauses is going to promote it, for others to know; 0: it is not.
	PromoteAfter time.Duration
	// Awaited is the pause that a promote is to end, and no other; nil: whatever waits.
	Awaited *Pause
	NoHooks bool     // run none of the service's hooks
	HookEnv []string // K=V, beside what hooks on this machine are told
	// Approve is asked, under the lock, before a plan that changes something is run; nil: nobody is. Its error ends the run.
	Approve func(context.Context) error
	Actor   Actor
	Emit    func(Event)
}

// Result is how a run ended, and what is true now.
type Result struct {
	Outcome  Outcome
	Service  string
	Seen     bool   // the Docker host could be looked at: what follows is true
	Live     string // profile
	Idle     string
	Release  int // live
	Image    string
	Opens    []string // addresses under which people open the service
	Why      string   // unchanged: the reason
	Started  int      // number of the release this run started or made live, 0: none
	Waiting  *Pause   // the release that a paused deploy left waiting; nil: none
	Preview  []string // URLs at which that is to be seen
	Anywhere string   // how any machine names its service: SERVICE, with --network where that is needed
	SwitchMS int64    // from healthy to confirmed
	Duration time.Duration
}

// Run carries the request out: lock, settle, pull, observe, plan, run the plan. The error is nil when
// done or nothing to do; otherwise ExitCode tells what it means.
func Run(ctx context.Context, w World, r Request) (Result, error) {
	j := newJob(w, r)
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ctx, j.lose = context.WithCancelCause(ctx)
	defer j.lose(nil)
	j.life = life
	if r.DryRun {
		return j.dryRun(ctx)
	}
	if err := j.takeLock(ctx); err != nil {
		_ = j.observe(ctx) // only to say what is live; the lock's error says more than its own
		return j.result(err), err
	}
	defer j.releaseLock(ctx)
	if err := j.giveWay(ctx); err != nil {
		_ = j.observe(ctx) // as above
		return j.result(err), err
	}
	err := j.locked(ctx)
	j.onFailure(ctx, err)
	if errors.Is(err, ErrLockLost) {
		_ = j.observe(context.WithoutCancel(ctx)) // what is live now may be another run's doing
	}
	j.recordEnd(ctx, err)
	return j.result(err), err
}

// locked is what happens under the service's lock.
func (j *job) locked(ctx context.Context) error {
	if err := j.observe(ctx); err != nil {
		return err
	}
	if err := j.checkOwn(ctx); err != nil {
		return err
	}
	if err := j.checkAsking(ctx); err != nil {
		return err
	}
	if err := j.settle(ctx); err != nil {
		return err
	}
	if err := j.pull(ctx); err != nil {
		return err
	}
	plan, err := j.plan(ctx)
	if err != nil {
		return err
	}
	j.planned, j.wasLive = plan, j.obs.State.Confirmed
	j.emit(Event{Kind: Planned, Plan: &plan})
	if j.Approve != nil && !plan.Unchanged() {
		if err := j.Approve(ctx); err != nil {
			return &DeclinedError{Err: err}
		}
	}
	if err := j.trySite(ctx, plan); err != nil {
		return err
	}
	if err := j.perform(ctx, plan); err != nil {
		return err
	}
	j.sweepFiles(ctx)
	return nil
}

// dryRun plans without a lock and without changing anything.
func (j *job) dryRun(ctx context.Context) (Result, error) {
	if err := j.observe(ctx); err != nil {
		return j.result(err), err
	}
	if err := j.checkOwn(ctx); err != nil {
		return j.result(err), err
	}
	if err := j.findImages(ctx); err != nil {
		return j.result(err), err
	}
	plan, err := j.plan(ctx)
	if err == nil {
		plan.Notes = append(j.comesFirst(ctx), plan.Notes...)
		if j.planned, j.outcome = plan, Unchanged; !plan.Unchanged() {
			j.outcome = OnlyPlanned
		}
		j.emit(Event{Kind: Planned, Plan: &plan})
	}
	return j.result(err), err
}

// comesFirst is what a run would do, or meet, before its plan.
func (j *job) comesFirst(ctx context.Context) (notes []string) {
	if lock, err := j.lockStatus(ctx); err == nil && lock != nil && lock.Gone {
		notes = append(notes, fmt.Sprintf("first, the lock of %s on %s would be broken (%s), and what that run left would be settled", lock.Owner, lock.Host, lock.Why))
	} else if lock != nil {
		notes = append(notes, fmt.Sprintf("locked now by %s on %s: a run would end with exit 3, or wait (--wait)", lock.Owner, lock.Host))
	}
	aside := slices.ContainsFunc(j.obs.Places[:], func(p Place) bool { return p.Container == nil && p.Prev != nil })
	if i := j.obs.State.Intent; i != nil {
		notes = append(notes, i.String()+", which would be settled first")
	} else if aside || len(j.obs.HalfMade) > 0 {
		notes = append(notes, "an interrupted run left containers, which would be settled first")
	}
	return notes
}

// job is one run of one request.
type job struct {
	Request
	w     World  // changes are made only while the locks are held
	raw   World  // the locks themselves
	run   string // unique to the run
	began time.Time
	names names
	own   HostKeys // of an adopted nginx; zero: it is one of ours

	ownConf, ownPrefix string // what it was started with

	lock, hostLock heldLock                // the service's, and the host's while this run has it
	life           context.Context         // ends when Run returns, not with a signal
	lose           context.CancelCauseFunc // ends the run
	dead           []map[string]string     // labels of the locks that this run broke

	wentBack bool // settle did what a rollback is to do: it finished an interrupted one, or took a swap back

	unreleased []string // ids of host locks that could not be removed yet

	seen       bool // obs is what the Docker host said
	obs        Observation
	image      docker.Image // wanted; zero for commands that need none
	imageNotes []string     // for the plan
	hash       string       // wanted configuration
	nginx      docker.Image // image for a new nginx; zero when there is one already
	release    int          // number of the release that this run starts or makes live

	planned     Plan
	made        made
	before      []rawFile     // the files that this run's switch changes, as they were
	pointed     []nginx.File  // site and include that it makes
	liveBefore  *nginx.Target // what was live
	stateBefore State         // and the state
	switched    switchState
	applied     int           // changes of nginx's files
	older       nginx.Workers // as they were before the reload under way
	// switchedBack: nginx serves again what it served before this run's switch.
	switchedBack bool
	switchMS     int64
	healthyAt    time.Time
	timings      []Timing
	current      string      // the step under way
	currentBegan time.Time   // when it began
	recorded     Record      // this run's line of history as it is; none: Run ""
	wasLive      *ReleaseRef // when this run began
	failure      error       // how the run ended, for its on_failure hooks
	cause        error       // what the undos are for
	tallied      *tally      // what the history counts; nil: not looked at since the last observation
	outcome      Outcome
}

// made is what this run created, for its undo.
type made struct{ network, volume, nginx bool }

func newJob(w World, r Request) *job {
	j := &job{Request: r, raw: w, run: newRunID(), began: time.Now(), names: namesFor(r.Service.Host.Network)}
	j.w = j.proving(w)
	if j.Emit == nil {
		j.Emit = func(Event) {}
	}
	return j
}

func (j *job) emit(e Event) {
	e.Time = time.Now()
	j.Emit(e)
}

func (j *job) note(text string) { j.emit(Event{Kind: Progress, Text: text}) }

// service is the name of the service.
func (j *job) service() string { return j.Service.Settings.Service }

// result says what is true at the end of the run.
func (j *job) result(err error) Result {
	r := Result{
		Outcome: j.outcomeOf(err), Service: j.service(), SwitchMS: j.switchMS, Duration: time.Since(j.began),
	}
	r.Seen, r.Why, r.Started = j.seen, j.planned.Why, j.planned.Release
	if live := j.obs.Include; live != nil {
		r.Live, r.Release = live.Profile, live.Release
		if c := j.obs.State.Confirmed; c != nil && c.Release == live.Release {
			r.Image = c.Image
		} else if at := j.obs.Place(live.Profile).Container; release(at) == live.Release && at != nil {
			r.Image = at.Labels[LabelImage]
		}
	}
	r.Idle, r.Opens = j.obs.Idle().Profile.Name, j.opens()
	if r.Waiting = j.obs.State.Paused; r.Waiting != nil {
		r.Preview, r.Anywhere = j.preview(r.Waiting.Profile), j.anywhere()
	}
	return r
}
