package swap

import (
	"fmt"
	"slices"
	"strings"

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
	StepVerify  Kind = "verify"  // ask through nginx's public port
	StepWatch   Kind = "watch"   // go on asking for a while
	StepFinish  Kind = "finish"  // remove -prev
	StepRest    Kind = "rest"    // keep_old false: drain and stop the old profile
	StepOut     Kind = "out"     // take the service out of nginx
	StepRemove  Kind = "remove"  // remove the service's containers
	StepHost    Kind = "host"    // remove nginx and the network: nobody needs them any more
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
	Command Command
	Service *config.Service
	Image   docker.Image
	Hash    string
	Force   bool
	Switch  bool // health: and go live
	Volumes bool // down: history too
	Site    string
	// Networks are the compose networks that the service belongs on and that are there; Missing those that
	// compose would only make for its own services.
	Networks, Missing []string
	Alone             bool // down: no other service is on this network
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
	case Down:
		return planDown(o, w), nil
	}
	return Plan{}, fmt.Errorf("plan %q: no such command", w.Command)
}

func planDeploy(o Observation, w Wanted) Plan {
	p := Plan{Command: Deploy}
	live, isLive := o.Live()
	if isLive && !w.Force && o.Healthy && same(live.Container, w) {
		return planSite(o, w)
	}
	if isLive && !o.Healthy && o.State.Previous != nil && runs(o.Idle()) {
		p.Notes = append(p.Notes, fmt.Sprintf("the live profile %s does not answer; `bluegreen rollback` brings release %d back at once", live.Profile.Name, o.State.Previous.Release))
	}
	p.newRelease(o, w)
	p.goLive(o, w)
	return p
}

// planSite is a deploy that replaces no container: at most the site file changes.
func planSite(o Observation, w Wanted) Plan {
	p := Plan{Command: Deploy, Release: o.Include.Release}
	if !o.NginxRuns() {
		p.host(o)
	}
	if w.Site != string(o.Files[nginx.SitePath(w.Service.Settings.Service)]) {
		p.add(Step{Kind: StepSite, Profile: o.Include.Profile, Text: "change the site in nginx", Undo: "put the old site file back"})
	}
	if idle := o.Idle(); !w.Service.Settings.KeepOld && runs(idle) && !o.waiting(idle) {
		p.rest(idle)
	}
	if p.Unchanged() {
		p.Why = fmt.Sprintf("release %d already runs this image and configuration in %s", o.Include.Release, o.Include.Profile)
	}
	return p
}

func planStart(o Observation, w Wanted) Plan {
	idle := o.Idle()
	if o.waiting(idle) && !w.Force && same(idle.Container, w) {
		return Plan{Command: Start, Release: release(idle.Container), Why: fmt.Sprintf("release %d already waits in %s", release(idle.Container), idle.Profile.Name)}
	}
	p := Plan{Command: Start}
	p.newRelease(o, w)
	return p
}

// newRelease adds the steps that put a new release into the idle profile.
func (p *Plan) newRelease(o Observation, w Wanted) {
	p.Release = o.Highest + 1
	if rest := others(w.Service); len(rest) > 0 {
		for _, n := range w.Missing {
			p.Notes = append(p.Notes, fmt.Sprintf("compose network %s does not exist: %s will not be found; start them first with docker compose up -d", n, strings.Join(rest, ", ")))
		}
	}
	p.host(o)
	idle := o.Idle()
	name := idle.Profile.Name
	if runs(idle) || o.State.LastLive > 0 {
		p.drain(name) // also when nothing runs there now: old workers would reach the new release before it is healthy
	}
	if idle.Container != nil {
		p.add(Step{Kind: StepRetire, Profile: name, Text: "stop " + idle.Container.Name + " and keep it aside", Undo: "start " + idle.Container.Name + " again in its place"})
	}
	p.add(Step{
		Kind: StepCreate, Profile: name, Text: fmt.Sprintf("start release %d (%s) in %s", p.Release, w.Image.Ref, name),
		Undo: fmt.Sprintf("stop release %d and keep it as %s", p.Release, failedName(w.Service.Settings.Service, name)),
	})
}

// others are the services of the project that are compose's own business.
func others(s *config.Service) []string {
	var names []string
	if s.ProjectDef != nil {
		for name, other := range s.ProjectDef.Services {
			if _, ours := other.Extensions["x-bluegreen"]; !ours && name != s.Compose.Name {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// goLive adds the steps that make the idle profile live.
func (p *Plan) goLive(o Observation, w Wanted) {
	idle := o.Idle()
	p.health(idle)
	p.swap(o)
	if w.Service.Settings.Watch > 0 {
		p.add(Step{Kind: StepWatch, Profile: idle.Profile.Name, Text: fmt.Sprintf("watch it through nginx for %v", w.Service.Settings.Watch)})
	}
	if containers := []*docker.Container{idle.Container, idle.Prev, idle.Failed}; slices.ContainsFunc(containers, exists) {
		p.add(Step{Kind: StepFinish, Profile: idle.Profile.Name, Text: "remove what the new release replaced"})
	}
	if old, ok := o.Live(); ok && !w.Service.Settings.KeepOld {
		p.rest(old)
	}
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
		p.Notes = append(p.Notes, warnings(o.Nginx.Labels[LabelNginxVersion])...)
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

func planRollback(o Observation, w Wanted) (Plan, error) {
	p := Plan{Command: Rollback}
	live, isLive := o.Live()
	deploy := "Deploy the release you want: bluegreen deploy " + w.Service.Settings.Service + " --image IMAGE."
	if !isLive {
		return p, &NothingToRollBackError{Why: "the service is not live", Do: deploy}
	}
	back := o.State.Previous
	if back == nil || back.Profile == live.Profile.Name {
		return p, &NothingToRollBackError{Why: fmt.Sprintf("release %d in %s is the only one that was confirmed", o.Include.Release, live.Profile.Name), Do: deploy}
	}
	p.Release = back.Release
	p.hostUp(o)
	at := o.Place(back.Profile)
	switch {
	case release(at.Container) == back.Release && runs(at):
	case release(at.Container) == back.Release:
		p.add(Step{Kind: StepStart, Profile: back.Profile, Text: fmt.Sprintf("start release %d in %s", back.Release, back.Profile), Undo: "stop it again"})
	case release(at.Prev) == back.Release:
		if runs(at) && !o.waiting(at) {
			p.drain(back.Profile) // what is removed for it was live, if only until it was switched back from
		}
		p.add(Step{Kind: StepRestore, Profile: back.Profile, Text: fmt.Sprintf("bring release %d back into %s", back.Release, back.Profile)})
	default:
		return p, &NothingToRollBackError{Why: fmt.Sprintf("release %d (%s) is no longer in %s", back.Release, back.Image, back.Profile), Do: deploy}
	}
	p.health(at)
	p.swap(o)
	return p, nil
}

// hostUp adds the start of an nginx that is down.
func (p *Plan) hostUp(o Observation) {
	if !o.NginxRuns() {
		p.host(o)
	}
}

func planStop(o Observation, w Wanted) Plan {
	p, idle := Plan{Command: Stop}, o.Idle()
	if !runs(idle) {
		p.Why = "nothing runs in " + idle.Profile.Name
		return p
	}
	p.drain(idle.Profile.Name)
	p.add(Step{Kind: StepStop, Profile: idle.Profile.Name, Text: "stop " + idle.Container.Name, Undo: "start it again"})
	return p
}

func planHealth(o Observation, w Wanted) (Plan, error) {
	p, idle := Plan{Command: Health, Release: release(o.Idle().Container)}, o.Idle()
	if w.Switch {
		p = planSwitch(o, w)
		p.Command = Health
		if !p.Unchanged() || o.Include != nil {
			return p, nil
		}
	}
	if idle.Container == nil {
		return p, fmt.Errorf("nothing was started in %s: run `bluegreen start` first", idle.Profile.Name)
	}
	p.Why = ""
	p.health(idle)
	return p, nil
}

// planSwitch goes live only with a release that has not been live before, so that a hook which is
// tried again never flips back.
func planSwitch(o Observation, w Wanted) Plan {
	p, idle := Plan{Command: Switch}, o.Idle()
	if !o.fresh(idle) { // one that waits and has ended is no success: the health step says so
		p.Why = "nothing to switch: no new release waits in " + idle.Profile.Name
		if o.Include != nil {
			p.Release, p.Why = o.Include.Release, fmt.Sprintf("%s; release %d is live in %s", p.Why, o.Include.Release, o.Include.Profile)
		}
		return p
	}
	p.Release = release(idle.Container)
	p.hostUp(o)
	p.goLive(o, w)
	return p
}

func planDown(o Observation, w Wanted) Plan {
	p, service := Plan{Command: Down}, w.Service.Settings.Service
	names := containers(o)
	if o.Include != nil || len(o.Files[nginx.SitePath(service)]) > 0 || w.Volumes && !w.Alone && remembered(o, service) {
		p.add(Step{Kind: StepOut, Text: "take " + service + " out of nginx"})
	}
	if o.NginxRuns() && (len(p.Steps) > 0 || len(names) > 0) {
		p.add(Step{Kind: StepDrain, Text: "wait for the connections that are still open"})
	}
	if len(names) > 0 {
		p.add(Step{Kind: StepRemove, Text: "remove " + strings.Join(names, ", ")})
	}
	if w.Alone && (o.Nginx != nil || o.Network != nil || o.Volume && w.Volumes) {
		text := "remove nginx and the network: no other service needs them"
		if w.Volumes {
			text += "; the history too"
		}
		p.add(Step{Kind: StepHost, Text: text})
	}
	if p.Unchanged() {
		p.Why = "nothing of it is here"
	}
	return p
}

// remembered says whether nginx's volume has files of the service.
func remembered(o Observation, service string) bool {
	for path := range o.Files {
		if strings.HasPrefix(path, nginx.ServiceDir(service)+"/") {
			return true
		}
	}
	return false
}

// containers names every container of the service.
func containers(o Observation) []string {
	var names []string
	for _, p := range o.Places {
		for _, c := range []*docker.Container{p.Container, p.Prev, p.Failed} {
			if c != nil {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// same says whether a container runs the wanted image with the wanted configuration.
func same(c *docker.Container, w Wanted) bool {
	if c == nil || !c.Running() || w.Image.ID == "" || c.ImageID != w.Image.ID || c.Labels[LabelConfigHash] != w.Hash {
		return false
	}
	for _, n := range w.Networks {
		if _, on := c.Networks[n]; !on {
			return false // it was started before the network was there
		}
	}
	return true
}

func runs(p Place) bool { return p.Container != nil && p.Container.Running() }
