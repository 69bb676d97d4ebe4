package swap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/nginx"
)

// TestEveryRunHasOneLineOfHistory: with its outcome and every step it took, whatever became of it.
func TestEveryRunHasOneLineOfHistory(t *testing.T) {
	onEveryScene(t, func(t *testing.T, r reference) {
		synctest.Test(t, func(t *testing.T) {
			h := r.open()
			before := len(h.records())
			p := h.process(fault{})
			res, err := p.run(r.request())
			if err != nil {
				t.Fatal(err)
			}
			if r.request().Command == Down {
				return
			}
			var plan *Plan
			for _, e := range p.events {
				if e.Kind == Planned {
					plan = e.Plan
				}
			}
			list := h.records()
			switch {
			case (plan.Unchanged() || plan.has(StepReload)) && r.was.Intent == nil:
				if len(list) != before {
					t.Errorf("nothing was done, and there are %d more lines", len(list)-before)
				}
				return
			case len(list) == before:
				t.Fatal("no line")
			}
			last := list[len(list)-1]
			if last.Outcome != res.Outcome || last.Command != r.request().Command || last.Release != res.Started {
				t.Errorf("%+v of %+v", last, res)
			}
			checkSteps(t, last, *plan)
			soon()
			checkWhole(t, h)
		})
	})
}

// checkSteps makes sure that a line has the plan's steps; a rollback's is written at its swap.
func checkSteps(t *testing.T, r Record, p Plan) {
	t.Helper()
	var want, got []string
	for _, s := range p.Steps {
		if p.Command == Rollback && s.Kind == StepVerify && !p.has(StepPostSwitch) {
			continue
		}
		want = append(want, s.Name())
	}
	for _, s := range r.Steps {
		got = append(got, s.Step)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("steps %v, want %v", got, want)
	}
}

// TestAKilledRunHasALineOfHistory: the next one writes it, whenever it was killed.
func TestAKilledRunHasALineOfHistory(t *testing.T) {
	onEveryScene(t, func(t *testing.T, r reference) {
		if r.request().Command == Down || !r.served {
			t.Skip("its history may go with it, or has no place yet")
		}
		r.each(t, fine, killAfter, func(t *testing.T, f fault) {
			h := r.open()
			p := h.process(f)
			_, _ = p.run(r.request())
			if !p.dead {
				t.Fatal("it was not killed")
			}
			run := ""
			for id, x := range h.runs {
				if x == p {
					run = id
				}
			}
			if run == "" {
				return // it was killed before it had the lock
			}
			soon()
			if _, err := h.process(fault{}).run(deploy("v4")); err != nil && !errors.Is(err, ErrNginxDown) {
				t.Fatal(err)
			}
			for _, line := range h.records() {
				if line.Run == run {
					return
				}
			}
			if slices.ContainsFunc(p.events, func(e Event) bool { return e.Kind == Planned && (e.Plan.Unchanged() || e.Plan.has(StepReload)) }) {
				return // it had nothing to do, or nothing to change
			}
			t.Errorf("run %s has no line: %q", run, h.volumes["bluegreen-nginx"][nginx.HistoryPath("shop")])
		})
	})
}

// TestARunWhoseSettlerIsKilledHasALineOfHistory: the run that settles it is killed in the middle of that.
func TestARunWhoseSettlerIsKilledHasALineOfHistory(t *testing.T) {
	for _, at := range []call{{"rename", 1}, {"signal", 1}, {"Confirm", 1}} {
		t.Run(at.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				first := h.process(fault{call{"Confirm", 1}, killAfter})
				_, _ = first.run(deploy("v3"))
				_, _ = h.process(fault{at, killAfter}).run(deploy("v4"))
				soon()
				h.mustRun(t, deploy("v4"))
				for _, r := range h.records() {
					if h.runs[r.Run] == first && r.Release == 3 && r.Outcome == Swapped && r.Error != "" {
						return
					}
				}
				t.Errorf("history %q", h.history())
			})
		})
	}
}

// TestARunThatFailsAfterAKilledOneHasItsOwnLine: it wrote one for the other, too.
func TestARunThatFailsAfterAKilledOneHasItsOwnLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		_, _ = h.process(fault{call{"SetRestartPolicy", 2}, killBefore}).run(deploy("v3"))
		h.apps["sha256:v4"] = app{exits: true}
		if _, err := h.process(fault{}).run(deploy("v4")); err == nil {
			t.Fatal("it did not fail")
		}
		soon()
		if got, want := h.history()[2:], []string{" interrupted 3", "deploy failed 4"}; !slices.Equal(got, want) {
			t.Errorf("history %q", got)
		}
		checkWhole(t, h)
	})
}

// TestARunKilledAfterItsSwapIsTold: its own line says that it swapped, and nothing of its end.
func TestARunKilledAfterItsSwapIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		_, _ = h.process(fault{call{"Probe", 6}, killBefore}).run(deploy("v3"))
		soon()
		h.mustRun(t, deploy("v4"))
		r := h.records()[2]
		if r.Outcome != Swapped || r.Release != 3 || !strings.Contains(r.Error, "killed after its swap") || r.Started.IsZero() || r.Started.After(r.Time) {
			t.Errorf("%+v", r)
		}
	})
}

// TestARollbackTakesBackWhatWasLeftOpen: the release that was being made live never gets a request of it.
func TestARollbackTakesBackWhatWasLeftOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		_, _ = h.process(fault{call{"rename", 2}, killAfter}).run(deploy("v3"))
		soon()
		res := h.mustRun(t, command(Rollback))
		if res.Outcome != Unchanged || res.Live != "real2" || res.Release != 2 {
			t.Errorf("%+v", res)
		}
		soon()
		if got := h.history(); got[len(got)-1] != "deploy interrupted 2" {
			t.Errorf("history %q", got)
		}
		checkSettled(t, h)
	})
}
