package swap

import (
	"fmt"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// Kind is what a step does; steps.go has the action for each.
type Kind string

// The kinds of steps, in the order in which they come in a first deploy and after it.
const (
	StepNetwork Kind = "network" // create the network
	StepNginx   Kind = "nginx"   // create and start nginx, or start it again
	StepDrain   Kind = "drain"   // wait until no worker of an older generation is left
	StepRetire  Kind = "retire"  // stop the idle container and keep it as -prev
	StepStop    Kind = "stop"    // stop the idle container where it is
	StepRestore Kind = "restore" // bring -prev back into its place
	StepCreate  Kind = "create"  // create and start the new release
	StepStart   Kind = "start"   // start the stopped container of an old release
	StepHealth  Kind = "health"  // wait until it answers as itself
	StepSwitch  Kind = "switch"  // make it live and prove it
	StepSite    Kind = "site"    // change the site file alone
	StepReload  Kind = "reload"  // test, reload and confirm what is there
	// StepRecreate makes nginx anew with other host keys: an outage.
	StepRecreate Kind = "recreate"
	StepVerify   Kind = "verify"  // ask through nginx's public port
	StepWatch    Kind = "watch"   // go on asking for a while
	StepPause    Kind = "pause"   // remember that the release waits for promote or abort
	StepDiscard  Kind = "discard" // take a release away that waits
	// What a team has run around a swap.
	StepPreDeploy  Kind = "pre_deploy"
	StepPreSwitch  Kind = "pre_switch"
	StepPostSwitch Kind = "post_switch"
	StepOnFailure  Kind = "on_failure"
	StepFinish     Kind = "finish" // remove -prev
	StepRest       Kind = "rest"   // keep_old false: drain and stop the old profile
	StepOut        Kind = "out"    // take the service out of nginx
	StepRemove     Kind = "remove" // remove the service's containers
	StepHost       Kind = "host"   // remove nginx and the network: nobody needs them any more
)

// Step is one action of a plan.
type Step struct {
	Kind    Kind
	Profile string // the profile it is about; "" when it concerns the host
	Text    string // for a person, what it does
	Undo    string // for a person, what undoes it; "" when nothing has to be undone
}

// Name is the step's name in events: unique in its plan.
func (s Step) Name() string { return string(s.Kind) }

// Plan is the ordered list that leads from what is to what is wanted.
type Plan struct {
	Command Command
	Release int    // number of the release that is started or made live; 0: none
	Why     string // when there is nothing to do: the reason
	Steps   []Step
	Notes   []string // what a person should know before it runs
}

// Unchanged says that there is nothing to do.
func (p Plan) Unchanged() bool { return len(p.Steps) == 0 }

// Wanted is what a command asks for, as far as the planner needs it.
type Wanted struct {
	Command     Command
	Service     *config.Service
	Image       docker.Image
	Hash        string
	Force       bool
	Switch      bool         // health: and go live
	Pause       bool         // deploy: stop before the switch
	WillPromote bool         // and the caller waits to promote it
	Awaited     *Pause       // promote: this, and no other
	NoHooks     bool         // run none of the service's hooks
	Volumes     bool         // down: history too
	Site        []nginx.File // the site files as they have to be; nil: not known
	// Networks are the compose networks that the service belongs on and that are there; Missing those that
	// compose would only make for its own services.
	Networks, Missing []string
	Alone             bool     // down: no other service is on this network
	Send              bool     // the host lacks files of the site
	FromFile          bool     // reload: the compose file said what the site is
	Keys              HostKeys // nginx recreate: those that nginx is to have
	NginxVersion      string   // nginx recreate: of the image that nginx is to have; "": not asked
}

// MakePlan is the planner: from what is and what is wanted to the steps in between. It is pure: the
// same input gives the same plan, and nothing is touched.
func MakePlan(o Observation, w Wanted) (Plan, error) {
	switch w.Command {
	case Deploy:
		return planDeploy(o, w), nil
	case Rollback:
		return planRollback(o, w)
	case Stop:
		return planStop(o, w), nil
	case Start:
		return planStart(o, w), nil
	case Health:
		return planHealth(o, w)
	case Switch:
		return planSwitch(o, w), nil
	case Promote:
		return planPromote(o, w)
	case Abort:
		return planAbort(o), nil
	case Down:
		return planDown(o, w), nil
	case Reload:
		return planReload(o, w)
	case Recreate:
		return planRecreate(o, w)
	case MaintenanceOn, MaintenanceOff:
		return planMaintain(o, w)
	}
	return Plan{}, fmt.Errorf("plan %q: no such command", w.Command)
}

func (p *Plan) rest(old Place) {
	p.add(Step{Kind: StepRest, Profile: old.Profile.Name, Text: "wait for the old connections, then stop " + old.Profile.Name + " (keep_old: false)"})
}

func (p *Plan) health(at Place) {
	p.add(Step{Kind: StepHealth, Profile: at.Profile.Name, Text: "wait until " + at.Profile.Name + " answers as itself"})
}

func exists(c *docker.Container) bool { return c != nil }

func (p *Plan) drain(profile string) {
	p.add(Step{Kind: StepDrain, Profile: profile, Text: "wait until no old nginx worker can reach " + profile})
}

// swap adds switch and verify.
func (p *Plan) swap(o Observation) {
	if o.Nginx != nil {
		p.Notes = append(p.Notes, o.warnings()...)
	}
	idle, undo := o.Idle().Profile.Name, "take the service out of nginx again"
	if live, ok := o.Live(); ok {
		undo = "switch back to " + live.Profile.Name
	}
	p.add(Step{Kind: StepSwitch, Profile: idle, Text: "switch nginx to " + idle + " and confirm it", Undo: undo})
	p.add(Step{Kind: StepVerify, Profile: idle, Text: "ask for " + idle + " through nginx"})
}

// warnings are what a person should know about an nginx of that version before it is reloaded.
func warnings(version string) []string {
	if nginx.SupportsKeepaliveMinTimeout(version) {
		return nil
	}
	return []string{"nginx " + version + " resets busy keep-alive connections at each reload: a swap loses requests. Use nginx 1.27.4 or later, which has keepalive_min_timeout."}
}

// warnings are those of the nginx that there is.
func (o *Observation) warnings() []string {
	if o.keepalive == no {
		return []string{unkept(o.Nginx.Name)}
	}
	return warnings(o.version())
}

// host adds what the host lacks.
func (p *Plan) host(o Observation) {
	if o.Network == nil {
		p.add(Step{Kind: StepNetwork, Text: "create the network", Undo: "remove the network"})
	}
	switch {
	case o.Nginx == nil:
		p.add(Step{Kind: StepNginx, Text: "create and start nginx", Undo: "remove nginx"})
	case !o.NginxRuns():
		p.add(Step{Kind: StepNginx, Text: "start nginx, which is " + o.Nginx.State})
	}
}

func (p *Plan) add(s Step) { p.Steps = append(p.Steps, s) }

// hostUp adds the start of an nginx that is down.
func (p *Plan) hostUp(o Observation) {
	if !o.NginxRuns() {
		p.host(o)
	}
}

func runs(p Place) bool { return p.Container != nil && p.Container.Running() }
