package swap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
)

// elsewhere is a request from a machine that has no compose file.
func elsewhere(c Command) Request {
	s := &config.Service{Host: config.Host{Network: "bluegreen"}}
	s.Settings.Service = "shop"
	return Request{Command: c, Service: s}
}

func TestAPausedReleaseIsPromotedFromAnotherMachineAsItWasConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		r := Request{Command: Deploy, Pause: true, Service: shop("v3", named)}
		r.Actor.Who = "ann"
		res := h.mustRun(t, r)
		if res.Outcome != Paused || res.Live != "real2" || res.Waiting == nil || res.Waiting.Release != 3 || res.Waiting.Who != "ann" {
			t.Fatalf("%+v, waiting %+v", res, res.Waiting)
		}
		if got := h.state(t); got.Confirmed.Release != 2 || got.LastLive != 2 || got.Paused == nil {
			t.Errorf("state %+v", got)
		}
		checkLive(t, h)
		res = h.mustRun(t, elsewhere(Promote))
		if res.Outcome != Swapped || res.Release != 3 || res.Waiting != nil {
			t.Errorf("%+v", res)
		}
		st := h.state(t)
		if st.Paused != nil || st.Confirmed.Release != 3 || len(st.Settings.ServerNames) != 1 {
			t.Errorf("state %+v, settings %+v", st, st.Settings)
		}
		site := h.tree()[nginx.SitePath("shop")]
		if !strings.Contains(site, "shop.example.com") {
			t.Errorf("the site lacks the name that came with the release:\n%s", site)
		}
		checkLive(t, h)
		if res = h.mustRun(t, elsewhere(Promote)); res.Outcome != Unchanged || res.Release != 3 {
			t.Errorf("promoted again: %+v", res)
		}
	})
}

func TestTheFirstReleaseIsPausedAndPromotedFromAnotherMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		if res := h.mustRun(t, pause("v1")); res.Outcome != Paused || res.Live != "" {
			t.Errorf("%+v", res)
		}
		if res := h.mustRun(t, elsewhere(Promote)); res.Outcome != Swapped || res.Release != 1 {
			t.Errorf("%+v", res)
		}
		checkLive(t, h)
	})
}

func TestAnAbortBringsBackWhatARollbackGoesTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		before := h.summary()
		h.mustRun(t, pause("v3"))
		res := h.mustRun(t, elsewhere(Abort))
		if res.Outcome != Done || res.Started != 3 || h.summary() != before || h.state(t).Paused != nil {
			t.Errorf("%+v\n%s", res, h.summary())
		}
		if res = h.mustRun(t, elsewhere(Abort)); res.Outcome != Unchanged {
			t.Errorf("aborted again: %+v", res)
		}
		if res = h.mustRun(t, command(Rollback)); res.Release != 1 {
			t.Errorf("rolled back to %+v", res)
		}
		if res = h.mustRun(t, deploy("v4")); res.Release != 4 {
			t.Errorf("a number was given out twice: %+v", res)
		}
	})
}

// TestASwitchBackForgetsThePause: the release was live, and is not promoted a second time.
func TestASwitchBackForgetsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, pause("v3"))
		p := h.process(fault{call{"Confirm", 1}, failBefore})
		if _, err := p.run(command(Promote)); err == nil {
			t.Fatal("it did not fail")
		}
		if h.state(t).Paused == nil {
			t.Error("a promote that failed before users saw the release forgot it")
		}
		soon()
		h.mustRun(t, command(Promote))
		checkLive(t, h)
	})
}

func TestARunThatWasKilledBeforeItSaidSoLeavesAReleaseThatCanBePromoted(t *testing.T) {
	for _, c := range []Command{Promote, Abort} {
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			_, _ = h.process(fault{call{"SetRestartPolicy", 2}, killAfter}).run(pause("v3"))
			soon()
			if h.state(t).Paused != nil {
				t.Fatal("it had said so")
			}
			res := h.mustRun(t, elsewhere(c))
			if want := map[Command]int{Promote: 3, Abort: 2}[c]; res.Release != want {
				t.Errorf("%s: %+v", c, res)
			}
			checkSettled(t, h)
		})
	}
}

func TestAReleaseWithHooksIsNotPromotedWithoutThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, Request{Command: Deploy, Pause: true, Service: shop("v3", withHooks)})
		_, err := h.process(fault{}).run(elsewhere(Promote))
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "--no-hooks") {
			t.Errorf("got %v", err)
		}
		checkLive(t, h)
		r := elsewhere(Promote)
		r.NoHooks = true
		if res := h.mustRun(t, r); res.Release != 3 {
			t.Errorf("%+v", res)
		}
	})
}

// TestAwaitPromoteEndsWithThePause in every way in which a pause can end.
func TestAwaitPromoteEndsWithThePause(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(*testing.T, *host)
		says      string // "": it is time
		early     bool
	}{
		"nothing happens":                {meanwhile: func(*testing.T, *host) {}},
		"somebody promotes it":           {meanwhile: func(t *testing.T, h *host) { h.mustRun(t, command(Promote)) }, early: true},
		"somebody aborts it":             {meanwhile: func(t *testing.T, h *host) { h.mustRun(t, command(Abort)) }, says: "no longer waits", early: true},
		"another takes its place":        {meanwhile: func(t *testing.T, h *host) { h.mustRun(t, pause("v4")) }, says: "no longer waits", early: true},
		"another goes live in its place": {meanwhile: func(t *testing.T, h *host) { h.mustRun(t, deploy("v4")) }, says: "no longer waits", early: true},
		"somebody promotes it, and another goes live after it": {meanwhile: func(t *testing.T, h *host) {
			h.mustRun(t, command(Promote))
			h.mustRun(t, deploy("v4"))
		}, early: true},
		"it ends": {meanwhile: func(t *testing.T, h *host) {
			defer h.lock()()
			b, _ := h.find("shop-real1")
			h.halt(b, 1)
		}, says: "ended while its release was paused", early: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				r := pause("v3")
				r.PromoteAfter = 10 * time.Minute
				res := h.mustRun(t, r)
				start := time.Now()
				go func() {
					time.Sleep(time.Minute)
					test.meanwhile(t, h)
				}()
				_, err := awaitPromote(t.Context(), h.process(fault{}).world(), r, *res.Waiting)
				if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
					t.Errorf("got %v", err)
				}
				if early := time.Since(start) < 5*time.Minute; early != test.early {
					t.Errorf("after %v", time.Since(start))
				}
				time.Sleep(time.Hour) // for the other one to end
			})
		})
	}
}

func TestAPromoteThatIsDueIsDoneWhenSomebodyPromotedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		due := command(Promote)
		due.Awaited = h.mustRun(t, pause("v3")).Waiting
		h.mustRun(t, command(Promote))
		h.mustRun(t, deploy("v4"))
		if res := h.mustRun(t, due); res.Outcome != Unchanged {
			t.Errorf("%+v", res)
		}
	})
}

// TestAPromoteThatIsDueMakesNoOtherReleaseLive: what it waits for may give way while another command has the lock.
func TestAPromoteThatIsDueMakesNoOtherReleaseLive(t *testing.T) {
	for name, instead := range map[string]Request{"pauses": pause("v4"), "goes live": deploy("v4")} {
		t.Run("another "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				r := pause("v3")
				r.PromoteAfter = 10 * time.Minute
				res := h.mustRun(t, r)
				go func() {
					time.Sleep(r.PromoteAfter - time.Minute)
					instead.Approve = func(context.Context) error {
						time.Sleep(2 * time.Minute)
						return nil
					}
					h.mustRun(t, instead)
				}()
				_, asked, err := PromoteLater(t.Context(), h.process(fault{}).world(), r, *res.Waiting)
				if gone := new(GoneError); !errors.As(err, &gone) || gone.Release != res.Waiting.Release || asked.Command != Promote {
					t.Errorf("%v of %v", err, asked.Command)
				}
				time.Sleep(time.Hour) // for the other one to end
				if now := h.state(t); instead.Pause && (now.Paused == nil || now.LastLive != 2) || !instead.Pause && now.LastLive != 4 {
					t.Errorf("%+v", now)
				}
			})
		})
	}
}

func TestAnInterruptedWaitLeavesThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		r := pause("v3")
		r.PromoteAfter = 10 * time.Minute
		res := h.mustRun(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		got, err := awaitPromote(ctx, h.process(fault{}).world(), r, *res.Waiting)
		var interrupted *InterruptedError
		if !errors.As(err, &interrupted) || !strings.Contains(err.Error(), "bluegreen promote") || got.Live != "real2" || got.Outcome != Interrupted {
			t.Errorf("%+v, %v", got, err)
		}
		if h.state(t).Paused == nil {
			t.Error("the pause is over")
		}
	})
}

// TestAPauseShowsItsReleaseUnderAPreviewThatIsNew, and brings nothing else of its site.
func TestAPauseShowsItsReleaseUnderAPreviewThatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, shopNamed("v1"))
		h.mustRun(t, shopNamed("v2"))
		res := h.mustRun(t, Request{Command: Deploy, Pause: true, Service: shop("v3", named, previewed(next), func(s *config.Service) {
			s.ServerNames = append(s.ServerNames, "new.example.com")
		})})
		if len(res.Preview) != 2 || res.Preview[0] != "http://"+next+"/" || res.Preview[1] != "http://127.0.0.1:8081" {
			t.Errorf("preview %q", res.Preview)
		}
		for name, want := range map[string]string{"shop.example.com": "shop-real2", next: "shop-real1", "new.example.com": "nobody"} {
			if got := h.gets(name, "/"); got != want {
				t.Errorf("%s answers %s, want %s", name, got, want)
			}
		}
		if st := h.state(t); st.Settings.Web.Preview == nil || len(st.Settings.ServerNames) != 1 {
			t.Errorf("remembered %+v", st.Settings)
		}
		h.mustRun(t, elsewhere(Promote))
		for name, want := range map[string]string{"shop.example.com": "shop-real1", next: "shop-real2", "new.example.com": "shop-real1"} {
			if got := h.gets(name, "/"); got != want {
				t.Errorf("promoted, %s answers %s, want %s", name, got, want)
			}
		}
		checkSettled(t, h)
	})
}

// TestWhatWasAtRestIsNotStartedByAnAbort: with keep_old false its jobs are not to run a second time.
func TestWhatWasAtRestIsNotStartedByAnAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", dropOld)})
		h.mustRun(t, Request{Command: Deploy, Service: shop("v2", dropOld)})
		before := h.summary()
		h.mustRun(t, Request{Command: Deploy, Pause: true, Service: shop("v3", dropOld)})
		h.mustRun(t, elsewhere(Abort))
		if h.summary() != before {
			t.Errorf("there is\n%s\nnot\n%s", h.summary(), before)
		}
		if res := h.mustRun(t, elsewhere(Rollback)); res.Release != 1 {
			t.Errorf("rolled back to %+v", res)
		}
		checkSettled(t, h)
	})
}

// TestAPreviewIsShownWithTheGuardsOfItsOwnRelease also while that waits beside a live one that is open to everybody.
func TestAPreviewIsShownWithTheGuardsOfItsOwnRelease(t *testing.T) {
	guard := &config.BasicAuth{File: config.File{Path: "staff", Name: "01.htpasswd"}, Realm: "staff"}
	for name, edit := range map[string]func(*config.Service){
		"the service's": func(s *config.Service) { s.Web.BasicAuth, s.Web.Allow = guard, []string{"10.9.9.9/32"} },
		"the preview's": func(s *config.Service) { s.Web.Preview.BasicAuth, s.Web.Preview.Allow = guard, []string{"10.9.9.9/32"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, shopNamed("v1"))
				r := deployPreviewed("v2", edit, func(s *config.Service) {
					s.Contents = map[string]config.Content{"01.htpasswd": {Text: []byte("ann:$2y$01"), Shared: true}}
				})
				r.Pause = true
				h.mustRun(t, r)
				file := func(path string) string { return string(h.volumes["bluegreen-nginx"][path]) }
				if open := file(nginx.ProxyPath("shop")); open == "" || strings.Contains(open, "auth_basic") || strings.Contains(open, "10.9.9.9") {
					t.Errorf("what is live changed:\n%s", open)
				}
				if guarded := file(nginx.PreviewPath("shop")); !strings.Contains(guarded, "auth_basic_user_file") || !strings.Contains(guarded, "10.9.9.9") {
					t.Errorf("the preview is open:\n%s", guarded)
				}
				h.mustRun(t, elsewhere(Promote))
			})
		})
	}
}

// TestStatusSaysWhatBecameOfWhatWaits.
func TestStatusSaysWhatBecameOfWhatWaits(t *testing.T) {
	for want, change := range map[string]func(*testing.T, *host, *box){
		"`bluegreen promote shop` makes it live":              func(*testing.T, *host, *box) {},
		"and has ended: `bluegreen abort shop` takes it away": func(_ *testing.T, h *host, b *box) { h.halt(b, 1) },
		"release 3 is paused in real1 since":                  func(*testing.T, *host, *box) {},
		"by ann, and is not there any more: deploy it again":  func(_ *testing.T, h *host, b *box) { delete(h.boxes, b.ID) },
	} {
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			r := pause("v3")
			r.Actor.Who = "ann"
			h.mustRun(t, r)
			func() {
				defer h.lock()()
				b, err := h.find("shop-real1")
				if err != nil {
					t.Fatal(err)
				}
				change(t, h, b)
			}()
			s, err := ReadStatus(t.Context(), h.process(fault{}).world(), nameOnly("shop"))
			if notes := strings.Join(s.Notes, "\n"); err != nil || !strings.Contains(notes, want) {
				t.Errorf("%v, %q is not in\n%s", err, want, notes)
			}
		})
	}
}

// TestAPauseIsOverAfterARollback, which takes away what waited.
func TestAPauseIsOverAfterARollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, pause("v3"))
		h.mustRun(t, command(Rollback))
		if res := h.mustRun(t, elsewhere(Promote)); res.Outcome != Unchanged {
			t.Errorf("%+v", res)
		}
	})
}

// TestAPromoteRunsTheHooksOfTheDeployAndNoOthers: those of another file in the folder would let pass what its own refused.
func TestAPromoteRunsTheHooksOfTheDeployAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, Request{Command: Deploy, Pause: true, Service: shop("v3", withHooks)})
		for name, edit := range map[string]func(*config.Service){
			"another script": func(s *config.Service) { s.Hooks.PreSwitch = s.Hooks.PreSwitch[:1] },
			"elsewhere":      func(s *config.Service) { s.Hooks.PreSwitch[0].In = config.InContainer },
			"at another time": func(s *config.Service) {
				s.Hooks.PreSwitch, s.Hooks.PostSwitch = slices.Concat(s.Hooks.PreSwitch, s.Hooks.PostSwitch), nil
			},
			"none": func(s *config.Service) { s.Hooks.PreSwitch, s.Hooks.PostSwitch = nil, nil },
		} {
			ran := len(h.hookEvents())
			_, err := h.process(fault{}).run(Request{Command: Promote, Service: shop("v3", withHooks, edit)})
			if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "its hooks are not those that release 3 was deployed with") || len(h.hookEvents()) != ran {
				t.Errorf("%s: %v, hooks %q", name, err, h.hookEvents()[ran:])
			}
		}
		r := Request{Command: Promote, Service: shop("v3", withHooks)}
		r.Service.Hooks.PreSwitch[0].Timeout = time.Hour // no matter
		if res := h.mustRun(t, r); res.Outcome != Swapped {
			t.Errorf("%+v", res)
		}
	})
}

// TestAPromoteUnderANameThatAnotherServiceTookIsRefusedBeforeItsHooks.
func TestAPromoteUnderANameThatAnotherServiceTookIsRefusedBeforeItsHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		r := Request{Command: Deploy, Pause: true, Service: shop("v3", named, withHooks)}
		h.mustRun(t, r)
		h.mustRun(t, neighbour("v1", func(s *config.Service) { s.Web.Preview = &config.Preview{ServerNames: []string{"shop.example.com"}} }, under("api.example.com")))
		ran := len(h.hookEvents())
		_, err := h.process(fault{}).run(Request{Command: Promote, Service: shop("v3", named, withHooks)})
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "shows its idle profile (preview)") || len(h.hookEvents()) != ran {
			t.Errorf("%v, hooks %v", err, h.hookEvents()[ran:])
		}
	})
}

func TestOnFailureIsAboutAWaitThatFailsToo(t *testing.T) {
	for name, meanwhile := range map[string]func(*testing.T, *host){
		"":        nil,
		"aborted": func(t *testing.T, h *host) { h.mustRun(t, command(Abort)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				r := pause("v3")
				withHooks(r.Service)
				r.PromoteAfter = 10 * time.Minute
				res := h.mustRun(t, r)
				ran := len(h.hookEvents())
				if meanwhile != nil {
					go func() {
						time.Sleep(time.Minute)
						meanwhile(t, h)
					}()
				}
				_, _, err := PromoteLater(t.Context(), h.process(fault{}).world(), r, *res.Waiting)
				time.Sleep(time.Hour)
				got := h.hookEvents()[ran:]
				if (err != nil) != slices.Contains(got, "on_failure here") || (err != nil) != (meanwhile != nil) {
					t.Fatalf("%v, %q", err, got)
				}
				if err == nil {
					return
				}
				for name, want := range map[string]string{"BLUEGREEN_NEW_RELEASE": "3", "BLUEGREEN_OLD_RELEASE": "2", "BLUEGREEN_OUTCOME": "failed", "BLUEGREEN_LIVE_RELEASE": "2"} {
					if got := h.hooks[len(h.hooks)-1].env[name]; got != want {
						t.Errorf("%s=%q, want %q", name, got, want)
					}
				}
			})
		})
	}
}

// TestAPromoteOfWhatSomebodyRemovedIsNoSuccess, until another run has put that right.
func TestAPromoteOfWhatSomebodyRemovedIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, pause("v3"))
		if err := h.remove("shop-real1"); err != nil {
			t.Fatal(err)
		}
		_, err := h.process(fault{}).run(elsewhere(Promote))
		if ExitCode(err) != ExitFailed || !strings.Contains(err.Error(), "release 3 is paused") {
			t.Errorf("got %v", err)
		}
		soon()
		checkLive(t, h)
		h.mustRun(t, deploy("v4"))
		if res := h.mustRun(t, elsewhere(Promote)); res.Outcome != Unchanged {
			t.Errorf("%+v", res)
		}
	})
}
