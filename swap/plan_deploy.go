package swap

import (
	"fmt"
	"slices"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
)

func planDeploy(o Observation, w Wanted) Plan {
	p := deployPlan(o, w)
	p.Notes = append(p.Notes, w.Service.Warnings...)
	if m := o.State.Maintenance; m != nil {
		p.Notes = append(p.Notes, inMaintenance(m, w.Service.Settings.Service))
	}
	return p
}

func deployPlan(o Observation, w Wanted) Plan {
	p := Plan{Command: Deploy}
	if w.Pause {
		return planPause(o, w)
	}
	live, isLive := o.Live()
	if isLive && !w.Force && o.Healthy && same(live.Container, w) {
		return planSite(o, w)
	}
	if isLive && !o.Healthy && o.State.Previous != nil && runs(o.Idle()) {
		p.Notes = append(p.Notes, fmt.Sprintf("the live profile %s does not answer; `bluegreen rollback` brings release %d back at once", live.Profile.Name, o.State.Previous.Release))
	}
	p.noteSite(o, w)
	p.newRelease(o, w)
	p.goLive(o, w)
	return p
}

// planSite is a deploy that replaces no container: at most the site file changes.
func planSite(o Observation, w Wanted) Plan {
	p := Plan{Command: Deploy, Release: o.Include.Release}
	p.noteSite(o, w)
	if !o.NginxRuns() {
		p.host(o)
	}
	if siteDiffers(o, w) {
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

// newRelease adds the steps that put a new release into the idle profile.
func (p *Plan) newRelease(o Observation, w Wanted) {
	p.Release = o.Highest + 1
	if rest := others(w.Service); len(rest) > 0 {
		for _, n := range w.Missing {
			p.Notes = append(p.Notes, fmt.Sprintf("compose network %s does not exist: %s will not be found; start them first with docker compose up -d", n, strings.Join(rest, ", ")))
		}
	}
	p.replacesPaused(o)
	p.hook(w, StepPreDeploy, o.Idle().Profile.Name)
	if o.Nginx == nil && !o.adopted() {
		p.Notes = append(p.Notes, w.Keys.publishes(w.Service.Settings))
	}
	p.host(o)
	idle := o.Idle()
	name := idle.Profile.Name
	if runs(idle) || o.State.LastLive > 0 {
		p.drain(name) // also when nothing runs there now: old workers would reach the new release before it is healthy
	}
	switch {
	case idle.Container != nil && idle.Prev != nil: // what that replaced is what there is to go back to
		p.add(Step{
			Kind: StepRetire, Profile: name, Text: fmt.Sprintf("stop release %d in %s and remove it", release(idle.Container), name),
			Undo: fmt.Sprintf("bring release %d back into %s", release(idle.Prev), name),
		})
	case idle.Container != nil:
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
	p.hook(w, StepPreSwitch, idle.Profile.Name)
	p.swap(o)
	if w.Service.Settings.Watch > 0 {
		p.add(Step{Kind: StepWatch, Profile: idle.Profile.Name, Text: fmt.Sprintf("watch it through nginx for %v", w.Service.Settings.Watch)})
	}
	p.hook(w, StepPostSwitch, idle.Profile.Name)
	if containers := []*docker.Container{idle.Container, idle.Prev, idle.Failed}; slices.ContainsFunc(containers, exists) {
		p.add(Step{Kind: StepFinish, Profile: idle.Profile.Name, Text: "remove what the new release replaced"})
	}
	if old, ok := o.Live(); ok && !w.Service.Settings.KeepOld {
		p.rest(old)
	}
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
