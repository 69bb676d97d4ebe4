package swap

import "fmt"

// planPause is a deploy that stops before the switch.
func planPause(o Observation, w Wanted) Plan {
	p, idle := Plan{Command: Deploy}, o.Idle()
	live, isLive := o.Live()
	switch {
	case isLive && !w.Force && o.Healthy && same(live.Container, w):
		p.Release = o.Include.Release
		p.Why = fmt.Sprintf("release %d already runs this image and configuration in %s: there is nothing to pause before", p.Release, o.Include.Profile)
		if siteDiffers(o, w) {
			p.Why += "; its site has changed: `bluegreen reload` brings that into nginx"
		}
		return p
	case !w.Force && o.waiting(idle) && same(idle.Container, w) && o.State.Paused != nil && !w.WillPromote:
		p.Release, p.Why = release(idle.Container), o.State.Paused.String()
		return p
	case !w.Force && o.waiting(idle) && same(idle.Container, w): // it is waited for now, or a run was killed before it said that it paused
		p.Release = release(idle.Container)
	default:
		p.newRelease(o, w)
	}
	p.health(idle)
	p.add(Step{Kind: StepPause, Profile: idle.Profile.Name, Text: "pause before the switch to " + idle.Profile.Name, Undo: "put the old site file back"})
	return p
}

// planPromote makes the release that waits live. Like a stage, it may be tried again.
func planPromote(o Observation, w Wanted) (Plan, error) {
	if a := w.Awaited; a != nil && !o.wasPromoted(*a) && (o.State.Paused == nil || o.State.Paused.Release != a.Release) {
		return Plan{Command: Promote}, &GoneError{Release: a.Release, Profile: a.Profile}
	}
	p := planSwitch(o, w)
	p.Command = Promote
	if !p.Unchanged() {
		return p, nil
	}
	if o.Lost != nil { // a job that promotes must not take this for success
		return p, fmt.Errorf("there is nothing to promote: %v, and is not there any more; deploy it again", o.Lost)
	}
	p.Why = nothingWaits(o, "promote")
	return p, nil
}

// planAbort takes the release that waits away, and brings back what it replaced.
func planAbort(o Observation) Plan {
	p, idle := Plan{Command: Abort}, o.Idle()
	if !o.fresh(idle) {
		p.Why = nothingWaits(o, "abort")
		return p
	}
	p.Release = release(idle.Container)
	p.add(Step{
		Kind: StepDiscard, Profile: idle.Profile.Name, Text: fmt.Sprintf("stop release %d in %s and remove it", p.Release, idle.Profile.Name),
		Undo: "start what is left in " + idle.Profile.Name,
	})
	if idle.Prev != nil {
		p.add(Step{Kind: StepRestore, Profile: idle.Profile.Name, Text: fmt.Sprintf("bring release %d back into %s", release(idle.Prev), idle.Profile.Name)})
	}
	return p
}

func nothingWaits(o Observation, verb string) string {
	why := fmt.Sprintf("nothing to %s: no new release waits in %s", verb, o.Idle().Profile.Name)
	if o.Include != nil {
		why += fmt.Sprintf("; release %d is live in %s", o.Include.Release, o.Include.Profile)
	}
	return why
}

// replacesPaused says that the new release takes the place of one that waits for a promote.
func (p *Plan) replacesPaused(o Observation) {
	if m := o.State.Paused; m != nil {
		p.Notes = append(p.Notes, m.String()+": it gives way to the new one")
	}
}
