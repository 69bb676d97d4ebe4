package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

func TestExitCode(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("look at the Docker host: %w", err) }
	unreachable := &docker.UnreachableError{Host: "unix:///nowhere", Err: errFault}
	for _, x := range []struct {
		err  error
		want int
	}{
		{nil, ExitDone},
		{errFault, ExitFailed},
		{&StepError{Step: Step{Text: "switch"}, Err: &nginx.TestError{}}, ExitFailed},
		{&NothingToRollBackError{}, ExitFailed},
		{&EndedError{}, ExitFailed},
		{context.DeadlineExceeded, ExitFailed},
		{ErrLockLost, ExitFailed},
		{&config.Error{Where: "x-bluegreen"}, ExitUsage},
		{wrapped(&UnknownServiceError{}), ExitUsage},
		{&LockedError{}, ExitLocked},
		{&StepError{Err: wrapped(&LockedError{})}, ExitLocked},
		{&SwitchedBackError{Err: &StepError{Err: errFault}}, ExitSwitchedBack},
		{&SwitchedBackError{Err: errors.Join(errFault, unreachable)}, ExitSwitchedBack},
		{unreachable, ExitUnreachable},
		{wrapped(unreachable), ExitUnreachable},
		{&StepError{Err: wrapped(ErrNginxDown)}, ExitUnreachable},
		{&InterruptedError{}, ExitInterrupted},
		{wrapped(context.Canceled), ExitInterrupted},
		{errors.Join(&InterruptedError{}, unreachable), ExitInterrupted},
	} {
		if got := ExitCode(x.err); got != x.want {
			t.Errorf("%T %v: got %d, want %d", x.err, x.err, got, x.want)
		}
	}
}

// TestErrorsSayWhatAPersonNeeds, in words that are part of the interface.
func TestErrorsSayWhatAPersonNeeds(t *testing.T) {
	for want, err := range map[string]error{
		"container shop-real1 exited with code 1; it logged nothing":                                          &EndedError{Container: "shop-real1", Exit: docker.Exit{Code: 1}},
		"container x exited with code 137 (out of memory); its last lines:\n    a\n    b":                     &EndedError{Container: "x", Exit: docker.Exit{Code: 137, OOMKilled: true}, Log: "a\nb\n"},
		`service "shop" has never been deployed here (network "bluegreen"), and no compose file describes it`: &UnknownServiceError{"shop", "bluegreen"},
		"nothing to roll back to: because. Do this.":                                                          &NothingToRollBackError{"because", "Do this."},
		"interrupted: all is undone":                                                                          &InterruptedError{"all is undone"},
		"start release 3: " + errFault.Error():                                                                &SwitchedBackError{&StepError{Step{Text: "start release 3"}, errFault}},
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestResults(t *testing.T) {
	for _, x := range []struct {
		name    string
		set     func(*testing.T, *host)
		request Request
		want    string
	}{
		{"first deploy", nil, deploy("v1"), "swapped, live real1, idle real2, release 1 (v1), started 1"},
		{"deploy", deployed("v1"), deploy("v2"), "swapped, live real2, idle real1, release 2 (v2), started 2"},
		{"unchanged", deployed("v1", "v2"), deploy("v2"), "unchanged, live real2, idle real1, release 2 (v2), started 2"},
		{"release header", deployed("v1", "v2"), Request{Command: Deploy, Service: shop("v2", withHeader)}, "done, live real2, idle real1, release 2 (v2), started 2"},
		{"site", deployed("v1", "v2"), Request{Command: Deploy, Service: shop("v2", named)}, "done, live real2, idle real1, release 2 (v2), started 2"},
		{"rollback", deployed("v1", "v2"), command(Rollback), "rolled_back, live real1, idle real2, release 1 (v1), started 1"},
		{"nothing to roll back to", deployed("v1"), command(Rollback), "failed, live real1, idle real2, release 1 (v1), started 0"},
		{"stop", deployed("v1", "v2"), command(Stop), "done, live real2, idle real1, release 2 (v2), started 0"},
		{"stop again", stopped, command(Stop), "unchanged, live real2, idle real1, release 2 (v2), started 0"},
		{"start", deployed("v1", "v2"), start("v3"), "done, live real2, idle real1, release 2 (v2), started 3"},
		{"health", waiting, command(Health), "done, live real2, idle real1, release 2 (v2), started 3"},
		{"switch", waiting, command(Switch), "swapped, live real1, idle real2, release 3 (v3), started 3"},
		{"switch again", deployed("v1", "v2"), command(Switch), "unchanged, live real2, idle real1, release 2 (v2), started 2"},
		{"down", deployed("v1", "v2"), command(Down), "done, live , idle real1, release 0 (), started 0"},
		{"down again", nil, command(Down), "unchanged, live , idle real1, release 0 (), started 0"},
		{"unknown image", deployed("v1"), Request{Command: Deploy, Service: shop("gone", func(s *config.Service) { s.Compose.PullPolicy = "never" })}, "failed, live real1, idle real2, release 1 (v1), started 0"},
		{"dry run", deployed("v1", "v2"), Request{Command: Deploy, Service: shop("v3"), DryRun: true}, "planned, live real2, idle real1, release 2 (v2), started 3"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				if x.set != nil {
					x.set(t, h)
				}
				r, err := h.process(fault{}).run(x.request)
				got := fmt.Sprintf("%s, live %s, idle %s, release %d (%s), started %d", r.Outcome, r.Live, r.Idle, r.Release, r.Image, r.Started)
				if got != x.want || r.Service != "shop" || (err != nil) != (r.Outcome == Failed) {
					t.Errorf("got  %s, %v\nwant %s", got, err, x.want)
				}
				if (r.Outcome == Unchanged && !x.request.DryRun) != (r.Why != "") {
					t.Errorf("%s because %q", r.Outcome, r.Why)
				}
				if r.Outcome == Swapped && (r.SwitchMS < 100 || r.SwitchMS > 200) {
					t.Errorf("switched in %d ms", r.SwitchMS)
				}
			})
		})
	}
}

// TestDryRunChangesNothing: it takes no lock, and asks only.
func TestDryRunChangesNothing(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := s.start(t)
				before, state := h.summary(), h.state(t)
				r := s.request()
				r.DryRun = true
				p := h.process(fault{})
				if _, err := p.run(r); err != nil {
					t.Error(err)
				}
				for _, c := range p.calls {
					if !slices.Contains(reads, c.op) {
						t.Errorf("it made the call %v", c)
					}
				}
				if h.summary() != before || h.state(t).text() != state.text() {
					t.Errorf("there is\n%s\nnot\n%s", h.summary(), before)
				}
				if !slices.ContainsFunc(p.events, func(e Event) bool { return e.Kind == Planned }) {
					t.Error("no plan was shown")
				}
			})
		})
	}
}

func TestDryRunOfAnImageThatIsNotHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		p := h.process(fault{})
		if _, err := p.run(Request{Command: Deploy, Service: shop("v9"), DryRun: true}); err != nil || h.images["v9"].ID != "" {
			t.Errorf("%v", err)
		}
		h.mustRun(t, deploy("v9"))
	})
}

// TestThePlanThatIsShownIsTheOneThatRuns, step by step and in its order.
func TestThePlanThatIsShownIsTheOneThatRuns(t *testing.T) {
	for _, s := range scenes {
		synctest.Test(t, func(t *testing.T) {
			p := s.start(t).process(fault{})
			if _, err := p.run(s.request()); err != nil {
				t.Fatal(err)
			}
			var planned, started, done []string
			for _, e := range p.events {
				switch e.Kind {
				case Planned:
					for _, x := range e.Plan.Steps {
						planned = append(planned, x.Name())
					}
				case StepStarted:
					started = append(started, e.Step.Name())
				case StepDone:
					done = append(done, e.Step.Name())
				}
				if e.Time.IsZero() {
					t.Errorf("%s has no time", e.Kind)
				}
			}
			if !slices.Equal(planned, started) || !slices.Equal(planned, done) {
				t.Errorf("%s: planned %v, started %v, done %v", s.name, planned, started, done)
			}
		})
	}
}

func TestHistoryTellsWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.image("v3", app{exits: true})
		if _, err := h.process(fault{}).run(deploy("v3")); err == nil {
			t.Fatal("v3 came up")
		}
		h.mustRun(t, command(Rollback))
		h.mustRun(t, command(Down))
		list, err := History(t.Context(), h.process(fault{}).world(), shop(""))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %d %s %s", r.Command, r.Outcome, r.Release, r.Profile, r.Image)))
		}
		want := []string{"deploy swapped 1 real1 v1", "deploy swapped 2 real2 v2", "deploy failed 3 real1 v3", "rollback rolled_back 1 real1 v1", "down done 1 real1 v1"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if failed := list[2]; !strings.Contains(failed.Error, "exited with code 1") || len(failed.Steps) == 0 {
			t.Errorf("%+v", failed)
		}
		if list[1].From != 1 || list[3].From != 2 {
			t.Errorf("from %d and %d", list[1].From, list[3].From)
		}
	})
}

// TestNumbersAreNeverUsedTwice, not even after a release that failed, or after down.
func TestNumbersAreNeverUsedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		h.image("v2", app{exits: true})
		_, _ = h.process(fault{}).run(deploy("v2"))
		if r := h.mustRun(t, deploy("v3")); r.Release != 3 {
			t.Errorf("release %d after a failed one", r.Release)
		}
		h.mustRun(t, command(Down))
		if r := h.mustRun(t, deploy("v4")); r.Release != 4 || r.Live != "real1" {
			t.Errorf("%+v after down", r)
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		read := func() Status {
			t.Helper()
			st, err := ReadStatus(t.Context(), h.process(fault{}).world(), shop(""))
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		if st := read(); st.Live != "" || st.Nginx != nil || st.Lock != nil || len(st.Profiles) != 2 {
			t.Errorf("bare: %+v", st)
		}
		deployed("v1", "v2")(t, h)
		st := read()
		if st.Live != "real2" || st.Release != 2 || !st.Serving || st.Nginx.State != "running" || st.Nginx.Workers != 2 || !st.Nginx.KeepaliveMinTimeout || len(st.Notes) > 0 {
			t.Errorf("%+v, %+v", st, st.Nginx)
		}
		if p := st.Profiles[1]; p.Name != "real2" || p.Port != 8082 || p.Container != "shop-real2" || p.Image != "v2" || p.Health != "ok" || !p.Live || p.StartedAt == nil || p.Address == "" {
			t.Errorf("%+v", p)
		}
		if p := st.Profiles[0]; p.Release != 1 || p.Live || p.State != "running" {
			t.Errorf("%+v", p)
		}
		if got, err := Services(t.Context(), h.process(fault{}).world(), "bluegreen"); err != nil || !slices.Equal(got, []string{"shop"}) {
			t.Errorf("services %q, %v", got, err)
		}
		h.image("v3", app{exits: true})
		_, _ = h.process(fault{}).run(deploy("v3"))
		h.halt(h.must(t, "shop-real2"), 1)
		_, _ = h.takeLock(h.process(fault{}), "shop-lock", map[string]string{LabelRole: RoleLock, LabelLockWho: "ann", LabelLockWhere: "ci-7"})
		st = read()
		notes := strings.Join(st.Notes, "; ")
		if st.Serving || st.Lock == nil || st.Lock.Owner != "ann" || st.Lock.Gone || !strings.Contains(notes, "real2 does not answer; `bluegreen rollback`") || !strings.Contains(notes, "shop-real1-failed (release 3, which failed) is kept") {
			t.Errorf("%+v, notes %q", st.Lock, notes)
		}
	})
}

// TestAnEventForEveryUndo: a person sees what is taken back, and in reverse.
func TestAnEventForEveryUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"Confirm", 1}, failBefore})
		_, err := p.run(deploy("v3"))
		var failed *StepError
		if !errors.As(err, &failed) || failed.Step.Kind != StepSwitch {
			t.Errorf("%v", err)
		}
		var undone []Kind
		for _, e := range p.events {
			if e.Undo && e.Kind == StepDone {
				undone = append(undone, e.Step.Kind)
			}
		}
		if !slices.Equal(undone, []Kind{StepSwitch, StepCreate, StepRetire}) {
			t.Errorf("undone: %v", undone)
		}
	})
}

// TestErrorsOfUndosAreJoined to the first one, which stays the first.
func TestErrorsOfUndosAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"Confirm", 1}, failBefore})
		p.second = fault{call{"Rename", 2}, failBefore}
		_, err := p.run(deploy("v3"))
		if text := fmt.Sprint(err); !strings.HasPrefix(text, "switch nginx to real1 and confirm it: Confirm") || !strings.Contains(text, `undo "start release 3 (v3) in real1": Rename`) {
			t.Errorf("%v", err)
		}
	})
}

// TestParseHistoryLeavesOutWhatItCannotRead: history is evidence, never a reason to fail.
func TestParseHistoryLeavesOutWhatItCannotRead(t *testing.T) {
	list := ParseHistory([]byte("{\"release\":1}\nhalf a li\n{\"release\":2}\n"))
	if len(list) != 2 || list[1].Release != 2 {
		t.Errorf("got %+v", list)
	}
	if _, err := parseState([]byte("half")); err == nil {
		t.Error("half a state is no state")
	}
}

// TestDownLeavesANetworkThatWasThereBefore: it is whoever's made it.
func TestDownLeavesANetworkThatWasThereBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.createNetwork("bluegreen", "10.77.0.0/20", nil)
		deployed("v1")(t, h)
		h.mustRun(t, command(Down))
		if _, there := h.networks["bluegreen"]; !there {
			t.Error("it was removed")
		}
	})
}
