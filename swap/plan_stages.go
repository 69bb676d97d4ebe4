package swap

import (
	"fmt"
)

func planStart(o Observation, w Wanted) Plan {
	idle := o.Idle()
	if o.waiting(idle) && !w.Force && same(idle.Container, w) {
		return Plan{Command: Start, Release: release(idle.Container), Why: fmt.Sprintf("release %d already waits in %s", release(idle.Container), idle.Profile.Name)}
	}
	p := Plan{Command: Start}
	p.newRelease(o, w)
	return p
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
