package swap

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"bluegreen/docker"
)

// anySight draws a host in any state, also those that no run of ours would leave.
func anySight(t *rapid.T) *sight {
	s := bare()
	if rapid.Bool().Draw(t, "network") {
		s.Network = &docker.Network{ID: "net"}
	}
	if state := rapid.SampledFrom([]string{"", "running", "running", "exited", "created"}).Draw(t, "nginx"); state != "" {
		s.nginx(state)
	}
	for i := range s.Places {
		p := &s.Places[i]
		name := p.Profile.Name
		p.Container, p.Prev, p.Failed = anyContainer(t, name), anyContainer(t, name+"-prev"), anyContainer(t, name+"-failed")
	}
	if rapid.Bool().Draw(t, "is live") {
		s.live(anyProfile(t, "live"), anyNumber(t, "live release"))
		s.Healthy = rapid.Bool().Draw(t, "healthy")
	}
	if rapid.Bool().Draw(t, "has previous") {
		s.was(anyProfile(t, "previous"), anyNumber(t, "previous release"))
	}
	s.State.LastLive = anyNumber(t, "last live")
	s.Highest = rapid.IntRange(5, 9).Draw(t, "highest")
	return s
}

func anyContainer(t *rapid.T, name string) *docker.Container {
	state := rapid.SampledFrom([]string{"", "running", "running", "exited", "created", "paused", "restarting"}).Draw(t, name)
	if state == "" {
		return nil
	}
	return containerOf("shop-"+name, state, anyNumber(t, name+" release"))
}

func anyProfile(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"real1", "real2"}).Draw(t, label)
}

func anyNumber(t *rapid.T, label string) int { return rapid.IntRange(1, 5).Draw(t, label) }

func anyWanted(t *rapid.T, commands ...Command) Wanted {
	w := want(rapid.SampledFrom(commands).Draw(t, "command"), image(anyNumber(t, "image")))
	for _, edit := range []func(*Wanted){forced, switching, alone, volumes, otherSite, otherConfig, drops, unwatched, pausing, hooked, unhooked} {
		if rapid.Bool().Draw(t, "edit") {
			edit(&w)
		}
	}
	return w
}

// TestNoPlanTouchesTheLiveProfile: whatever is seen, what nginx sends requests to is neither stopped nor replaced,
// what ends was drained before, and what goes live was asked before.
func TestNoPlanTouchesTheLiveProfile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySight(t)
		w := anyWanted(t, Deploy, Rollback, Stop, Start, Health, Switch, Promote, Abort)
		p, err := MakePlan(s.Observation, w)
		if err != nil {
			if !p.Unchanged() && w.Command != Rollback {
				t.Fatalf("a plan and an error: %s, %v", p.steps(), err)
			}
			return
		}
		follow(t, s, p)
		if p.has(StepCreate) && p.Release != s.Highest+1 {
			t.Fatalf("release %d after %d", p.Release, s.Highest)
		}
	})
}

// follow walks through a plan with what is true after each step.
func follow(t *rapid.T, s *sight, p Plan) {
	live, drained, healthy := "", false, ""
	if s.Include != nil {
		live = s.Include.Profile
	}
	names := map[string]bool{}
	for _, step := range p.Steps {
		if names[step.Name()] {
			t.Fatalf("%s comes twice: %s", step.Name(), p.steps())
		}
		names[step.Name()] = true
		switch step.Kind {
		case StepDrain:
			drained = true
		case StepRetire, StepStop, StepRestore, StepCreate, StepStart, StepDiscard:
			if step.Profile == live {
				t.Fatalf("%s of the live profile: %s", step.Kind, p.steps())
			}
			if ends(s, step) && !drained {
				t.Fatalf("%s without a drain: %s", step.Kind, p.steps())
			}
			healthy = ""
		case StepHealth:
			healthy = step.Profile
		case StepSwitch:
			if step.Profile != healthy || step.Profile == live {
				t.Fatalf("switch to %s, live is %q, healthy %q: %s", step.Profile, live, healthy, p.steps())
			}
			live = step.Profile
		case StepRest:
			if step.Profile == live {
				t.Fatalf("rest of the live profile: %s", p.steps())
			}
		case StepOut, StepRemove, StepHost:
			t.Fatalf("%s is for down: %s", step.Kind, p.steps())
		}
	}
}

// ends says whether a step ends a container that old workers may still use.
func ends(s *sight, step Step) bool {
	at := s.Place(step.Profile)
	switch step.Kind {
	case StepRetire, StepStop:
		return runs(at)
	case StepRestore:
		return runs(at) && !s.waiting(at)
	}
	return false
}

// TestEveryPlanOfDownEndsWhatItBegan: the service is out of nginx before its containers go.
func TestEveryPlanOfDownEndsWhatItBegan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySight(t)
		p, err := MakePlan(s.Observation, anyWanted(t, Down))
		if err != nil {
			t.Fatal(err)
		}
		order := map[Kind]int{StepOut: 1, StepDrain: 2, StepRemove: 3, StepHost: 4}
		last := 0
		for _, step := range p.Steps {
			if order[step.Kind] <= last {
				t.Fatalf("out of order: %s", p.steps())
			}
			last = order[step.Kind]
		}
		if s.Include != nil && !p.has(StepOut) || len(containers(s.Observation)) > 0 && !p.has(StepRemove) {
			t.Fatalf("something stays: %s", p.steps())
		}
		if s.NginxRuns() && p.has(StepRemove) && !p.has(StepDrain) {
			t.Fatalf("removed without a drain: %s", p.steps())
		}
	})
}

// TestAPlanIsPure: the same sight gives the same plan, and is not changed by it.
func TestAPlanIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := anySight(t), anyWanted(t, Deploy, Rollback, Stop, Start, Health, Switch, Down)
		before := fmt.Sprintf("%+v", s.Observation)
		first, err1 := MakePlan(s.Observation, w)
		second, err2 := MakePlan(s.Observation, w)
		if fmt.Sprint(first, err1) != fmt.Sprint(second, err2) || before != fmt.Sprintf("%+v", s.Observation) {
			t.Fatalf("%v, %v; then %v, %v", first, err1, second, err2)
		}
	})
}
