package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/hook"
)

// failing lets the hooks of an event fail.
func failing(event Kind) func(*config.Service) {
	return func(s *config.Service) {
		withHooks(s)
		bad := []config.Hook{{Script: "fail s3cr3t", In: config.InHost, Timeout: config.DefaultHookTimeout}}
		switch event {
		case StepPreDeploy:
			s.Hooks.PreDeploy = bad
		case StepPreSwitch:
			bad[0].In = config.InContainer
			s.Hooks.PreSwitch = append(s.Hooks.PreSwitch, bad...)
		case StepPostSwitch:
			s.Hooks.PostSwitch = bad
		case StepOnFailure:
			s.Hooks.OnFailure = bad
		}
	}
}

func TestHooksRunInOrderAndAreToldWhatTheyNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{})
		if _, err := p.run(Request{Command: Deploy, Service: shop("v3", withHooks)}); err != nil {
			t.Fatal(err)
		}
		if got, want := h.hookEvents(), []string{"pre_deploy here", "pre_switch here", "pre_switch there", "post_switch here"}; !slices.Equal(got, want) {
			t.Errorf("hooks %q, want %q", got, want)
		}
		for _, x := range []struct {
			at        int
			name, say string
		}{
			{0, "BLUEGREEN_COMMAND", "deploy"}, {0, "BLUEGREEN_SERVICE", "shop"}, {0, "BLUEGREEN_NEW_URL", ""},
			{0, "BLUEGREEN_NEW_RELEASE", "3"}, {0, "BLUEGREEN_NEW_PROFILE", "real1"}, {0, "BLUEGREEN_NEW_IMAGE", "v3"},
			{1, "BLUEGREEN_OLD_RELEASE", "2"}, {1, "BLUEGREEN_OLD_PROFILE", "real2"}, {1, "BLUEGREEN_OLD_IMAGE", "v2"},
			{1, "BLUEGREEN_NEW_URL", "http://127.0.0.1:8081"}, {2, "BLUEGREEN_NEW_URL", "http://shop-real1:8081"}, {2, "PROFILE", "real1"},
			{3, "BLUEGREEN_OLD_RELEASE", "2"}, {3, "BLUEGREEN_NEW_URL", "http://127.0.0.1:8081"}, {3, "BLUEGREEN_ERROR", ""},
		} {
			if got := h.hooks[x.at].env[x.name]; got != x.say {
				t.Errorf("hook %d: %s=%q, want %q", x.at, x.name, got, x.say)
			}
		}
		if !slices.ContainsFunc(p.events, func(e Event) bool { return e.Output && e.Text == "this is pre_switch" && e.Step.Kind == StepPreSwitch }) {
			t.Error("the output of a hook was not shown")
		}
	})
}

// TestAHookThatFailsStopsBeforeTrafficMoves, or is a warning where it has moved.
func TestAHookThatFailsStopsBeforeTrafficMoves(t *testing.T) {
	for event, want := range map[Kind]struct {
		fails bool
		runs  string
	}{
		StepPreDeploy:  {true, "pre_deploy, on_failure"},
		StepPreSwitch:  {true, "pre_deploy, pre_switch, pre_switch, pre_switch, on_failure"},
		StepPostSwitch: {false, "pre_deploy, pre_switch, pre_switch, post_switch"},
	} {
		t.Run(string(event), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				before := h.summary()
				p := h.process(fault{})
				_, err := p.run(Request{Command: Deploy, Service: shop("v3", failing(event))})
				var events []string
				for _, r := range h.hooks {
					events = append(events, r.env["BLUEGREEN_HOOK"])
				}
				if got := strings.Join(events, ", "); got != want.runs {
					t.Errorf("ran %s, want %s", got, want.runs)
				}
				said := fmt.Sprint(err)
				for _, e := range p.events {
					said += fmt.Sprint(e.Text, e.Err, e.Step)
				}
				if !strings.Contains(said, string(event)) || !strings.Contains(said, "exited with code 7") || strings.Contains(said, "s3cr3t") {
					t.Errorf("said %s", said)
				}
				var failed *HookError
				if want.fails != errors.As(err, &failed) || want.fails && ExitCode(err) != ExitFailed {
					t.Fatalf("got %v", err)
				}
				if want.fails && (without(h.summary(), "-failed") != before || h.state(t).Confirmed.Release != 2) {
					t.Errorf("there is\n%s\nnot\n%s", h.summary(), before)
				}
				checkSettled(t, h)
			})
		})
	}
}

func TestOnFailureIsToldWhatFailedAndChangesNothingOfIt(t *testing.T) {
	for _, bad := range []Kind{"", StepOnFailure} {
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			p := h.process(fault{call{"Confirm", 1}, failBefore})
			_, err := p.run(Request{Command: Deploy, Service: shop("v3", failing(bad))})
			if ExitCode(err) != ExitFailed {
				t.Fatal(err)
			}
			last := h.hooks[len(h.hooks)-1].env
			if last["BLUEGREEN_HOOK"] != "on_failure" || last["BLUEGREEN_OUTCOME"] != "failed" || !strings.Contains(last["BLUEGREEN_ERROR"], "bad moment") || last["BLUEGREEN_LIVE_RELEASE"] != "2" {
				t.Errorf("told %v", last)
			}
			if p.warned() != (bad == StepOnFailure) {
				t.Errorf("warned: %v", p.warned())
			}
			checkSettled(t, h)
		})
	}
}

func TestWhatIsNotAFailureOfARunHasNoHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		for _, r := range []Request{
			{Command: Deploy, Service: shop("v2", withHooks)},                                                  // unchanged
			{Command: Deploy, Service: shop("v3", withHooks, func(s *config.Service) { s.Project = "other" })}, // refused
			{Command: Deploy, Service: shop("v3", failing(StepPreDeploy)), NoHooks: true},                      // left out
			{Command: MaintenanceOn, Service: shop("", withHooks)}, {Command: Deploy, DryRun: true, Service: shop("v4", withHooks)},
		} {
			_, _ = h.process(fault{}).run(r)
			soon()
		}
		if len(h.hooks) > 0 {
			t.Errorf("ran %v", h.hookEvents())
		}
	})
}

// TestAHooksContainerOfAKilledRunGoes with the next command.
func TestAHooksContainerOfAKilledRunGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"RunTask, created", 1}, killAfter})
		if _, err := p.run(Request{Command: Deploy, Service: shop("v3", withHooks)}); err == nil || !p.hit {
			t.Fatal("it was not killed in its hook")
		}
		soon()
		h.mustRun(t, command(Health))
		checkWhole(t, h)
	})
}

// TestAMigrationIsNoPartOfTheSwitchsTime: users do not wait for it.
func TestAMigrationIsNoPartOfTheSwitchsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{})
		w := p.world()
		run := w.RunHook
		w.RunHook = func(ctx context.Context, c hook.Command) error {
			time.Sleep(20 * time.Second)
			return run(ctx, c)
		}
		res, err := Run(p.ctx, w, Request{Command: Deploy, Service: shop("v3", withHooks)})
		if err != nil || res.Duration < time.Minute || res.SwitchMS > 5000 {
			t.Errorf("switched in %d ms, %v in all: %v", res.SwitchMS, res.Duration, err)
		}
	})
}

func TestARollbackSaysThatItsHooksAreNotHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		h.mustRun(t, Request{Command: Deploy, Service: shop("v2", withHooks)})
		said := func(r Request) bool {
			p := h.process(fault{})
			if _, err := p.run(r); err != nil {
				t.Fatal(err)
			}
			soon()
			return slices.ContainsFunc(p.events, func(e Event) bool {
				return e.Plan != nil && strings.Contains(strings.Join(e.Plan.Notes, " "), "post_switch hooks stand in a compose file that is not here")
			})
		}
		if !said(elsewhere(Rollback)) {
			t.Error("they were left out in silence")
		}
		if said(Request{Command: Rollback, Service: shop("", withHooks)}) {
			t.Error("they are here")
		}
	})
}

// TestACtrlCEndsAnOnFailureHook, unless it is about that very Ctrl-C.
func TestACtrlCEndsAnOnFailureHook(t *testing.T) {
	for name, early := range map[string]bool{"in it": false, "before it": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				ctx, interrupt := context.WithCancel(t.Context())
				w, ended := h.process(fault{}).world(), time.Duration(0)
				w.RunHook = func(ctx context.Context, c hook.Command) error {
					if !slices.Contains(c.Env, "BLUEGREEN_HOOK=on_failure") {
						if early {
							interrupt()
						}
						return &hook.ExitError{Code: 1}
					}
					start := time.Now()
					time.AfterFunc(time.Second, interrupt)
					select {
					case <-ctx.Done():
					case <-time.After(30 * time.Second):
					}
					ended = time.Since(start)
					return nil
				}
				if _, err := Run(ctx, w, Request{Command: Deploy, Service: shop("v3", withHooks)}); err == nil {
					t.Error("it did not fail")
				}
				if want := map[bool]time.Duration{false: time.Second, true: 30 * time.Second}[early]; ended != want {
					t.Errorf("it ended after %v, want %v", ended, want)
				}
			})
		})
	}
}
