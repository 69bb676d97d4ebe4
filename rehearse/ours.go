package rehearse

import (
	"context"
	"fmt"
	"time"

	"bluegreen/config"
	"bluegreen/swap"
)

// way is one way of swapping.
type way interface {
	// first brings up nginx and the first release, and says which it is and in which profile.
	first(ctx context.Context, image string) (release int, profile string, err error)
	// swap makes a release of an image live.
	swap(ctx context.Context, image string, m *meter) error
	// nginx is the nginx container.
	nginx() string
}

// ours is bluegreen's own way: the very runs that deploy to production.
type ours struct {
	w     swap.World
	copy  *config.Service
	actor swap.Actor
	note  func(string)
	live  int // release

	verbose bool // note each step
}

func (o *ours) nginx() string { return swap.NginxName(o.copy.Host.Network) }

func (o *ours) first(ctx context.Context, image string) (int, string, error) {
	result, err := swap.Run(ctx, o.w, o.deploy(image, nil))
	if err != nil {
		return 0, "", fmt.Errorf("deploy the first release: %w", err)
	}
	o.live = result.Release
	return result.Release, result.Live, nil
}

func (o *ours) swap(ctx context.Context, image string, m *meter) error {
	result, err := swap.Run(ctx, o.w, o.deploy(image, m))
	o.live = result.Release
	return err
}

// deploy is one deploy, whose events go to the meter.
func (o *ours) deploy(image string, m *meter) swap.Request {
	return swap.Request{
		Command: swap.Deploy, Service: withImage(o.copy, image), Force: true, Actor: o.actor,
		Emit: func(e swap.Event) {
			switch {
			case e.Kind == swap.Progress && e.Step == nil && e.Layer == nil:
				o.note(e.Text)
			case m != nil:
				o.event(e, m)
			}
		},
	}
}

// event tells the meter what the run does: it judges answers by that.
func (o *ours) event(e swap.Event, m *meter) {
	now := time.Now()
	if e.Kind == swap.StepStarted {
		m.begun(e.Doing())
	}
	switch {
	case e.Kind == swap.Planned:
		m.planned(o.live, e.Plan.Release, switched(e.Plan))
	case e.Undo:
	case e.Kind == swap.StepStarted && e.Step.Kind == swap.StepRetire:
		m.retiring(now, e.Step.Profile)
	case e.Kind == swap.StepStarted && e.Step.Kind == swap.StepSwitch:
		m.switching(now)
	case e.Kind == swap.StepDone || e.Kind == swap.StepFailed:
		if e.Step.Kind == swap.StepSwitch && e.Err == nil {
			m.confirmed(now)
		}
		m.step(e.Step.Name(), e.Duration)
		if o.verbose {
			o.note(fmt.Sprintf("%s (%v)", e.Step.Text, e.Duration.Round(time.Millisecond)))
		}
	}
}

// switched is the profile that a plan makes live.
func switched(p *swap.Plan) string {
	for _, s := range p.Steps {
		if s.Kind == swap.StepSwitch {
			return s.Profile
		}
	}
	return ""
}
