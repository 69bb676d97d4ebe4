package swap

import (
	"fmt"
	"time"

	"bluegreen/config"
)

// maintenance is the service's maintenance as the site is to have it; nil: off.
func (j *job) maintenance() *Maintenance {
	now := j.obs.State.Maintenance
	switch {
	case !j.Command.maintains():
		return now
	case j.Command == MaintenanceOff:
		return nil
	case now != nil:
		return now
	}
	return &Maintenance{Since: j.began.UTC().Truncate(time.Second), Who: j.Actor.Who}
}

// planMaintain turns maintenance on or off.
func planMaintain(o Observation, w Wanted) (Plan, error) {
	if o.Include == nil {
		return Plan{}, &NotLiveError{Service: w.Service.Settings.Service}
	}
	if o.adopted() {
		return Plan{}, &config.Error{
			Where: "container " + o.Host.Container, What: "is your own nginx: bluegreen cannot let it answer with 503",
			Do: "Write `return 503;` into its server block and reload it.",
		}
	}
	on := w.Command == MaintenanceOn
	p := Plan{Command: w.Command, Release: o.Include.Release}
	p.hostUp(o)
	if !siteDiffers(o, w) && on == (o.State.Maintenance != nil) {
		if p.Why = "maintenance is off already"; on {
			p.Why = "already " + o.State.Maintenance.String()
		}
		return p, nil
	}
	text, undo := "let nginx pass requests on again", "answer with 503 again"
	if on {
		text, undo = "let nginx answer every request with 503", "pass requests on again"
	}
	p.add(Step{Kind: StepSite, Profile: o.Include.Profile, Text: text, Undo: undo})
	return p, nil
}

// String says since when, and by whom, where that is known.
func (m *Maintenance) String() string {
	if m.Since.IsZero() {
		return "in maintenance"
	}
	return fmt.Sprintf("in maintenance since %s, by %s", Moment(m.Since), m.Who)
}

// inMaintenance is what a person should know of a service that answers nobody.
func inMaintenance(m *Maintenance, service string) string {
	return fmt.Sprintf("%v: users get 503 until `bluegreen maintenance off %s`", m, service)
}
