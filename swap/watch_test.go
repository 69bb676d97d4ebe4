package swap

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/health"
)

// longWatch is a release with time for things to happen in its watch.
func longWatch(s *config.Service) { s.Watch = 5 * time.Second }

// watched deploys v3 on a host with v1 and v2 and lets something happen when nginx has been asked n times.
func watched(t *testing.T, n int, event func(*host)) (*host, *process, Result, error) {
	t.Helper()
	h := hostWith(t, "v1", "v2")
	p := h.process(fault{})
	p.at = map[call]func(){{"Probe", firstThroughNginx + n - 1}: func() { event(h) }}
	res, err := p.run(Request{Command: Deploy, Service: shop("v3", longWatch)})
	soon()
	return h, p, res, err
}

// firstThroughNginx is the number of the first question through nginx in such a deploy: one is for the live
// profile, and four are for the new one while it starts.
const firstThroughNginx = 6

// makeSick makes the next answers of a container errors.
func makeSick(name string, answers int) func(*host) {
	return func(h *host) {
		defer h.lock()()
		if b, err := h.find(name); err == nil {
			b.sick = answers
		}
	}
}

func TestOneFailedProbeNeverSwitchesBack(t *testing.T) {
	for _, answers := range []int{1, 2} {
		for _, at := range []int{1, 2, 3, 21} { // in verify, at the beginning of the watch, and at its end
			synctest.Test(t, func(t *testing.T) {
				h, p, res, err := watched(t, at, makeSick("shop-real1", answers))
				if err != nil || res.Outcome != Swapped || res.Live != "real1" || h.must(t, "shop-real1").sick != 0 {
					t.Errorf("%d failures at question %d: %+v, %v", answers, at, res, err)
					p.tell(t, res, err)
				}
				checkSettled(t, h)
			})
		}
	}
}

func TestSeveralFailuresInARowSwitchBack(t *testing.T) {
	for _, at := range []int{1, 2, 3, 10, 21} {
		synctest.Test(t, func(t *testing.T) {
			h, p, res, err := watched(t, at, makeSick("shop-real1", 3))
			defer p.tell(t, res, err)
			if ExitCode(err) != ExitSwitchedBack || res.Outcome != RolledBack || !strings.Contains(err.Error(), "3 times in a row through nginx") {
				t.Errorf("exit code %d, %s, %v", ExitCode(err), res.Outcome, err)
			}
			if res.Live != "real2" || res.Idle != "real1" || res.Release != 2 || res.Started != 3 {
				t.Errorf("result %+v", res)
			}
			want := `bluegreen-nginx running
network bluegreen
shop-real1 running v1 always
shop-real1-failed exited v3 no
shop-real2 running v2 always
volume bluegreen-nginx`
			if got := h.summary(); got != want {
				t.Errorf("there is\n%s", got)
			}
			st := h.state(t)
			if st.Confirmed.Release != 2 || st.Previous == nil || st.Previous.Release != 1 || st.LastLive != 3 {
				t.Errorf("state %+v", st)
			}
			if got := h.history(); !slices.Equal(got, []string{"deploy swapped 1", "deploy swapped 2", "deploy rolled_back 2"}) {
				t.Errorf("history %q", got)
			}
			checkSettled(t, h)
			checkWayBack(t, h)
		})
	}
}

func TestAContainerThatEndsInTheWatchCountsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{})
		var ended, back time.Time
		p.at = map[call]func(){
			{"Probe", firstThroughNginx + 3}: func() {
				defer h.lock()()
				h.wrongs = nil
				ended = time.Now()
				h.halt(h.must(t, "shop-real1"), 139)
			},
			{"Apply", 3}: func() { back = time.Now() },
		}
		res, err := p.run(Request{Command: Deploy, Service: shop("v3", longWatch)})
		var gone *EndedError
		if !errors.As(err, &gone) || gone.Exit.Code != 139 || !strings.Contains(err.Error(), "a line of shop-real1") || ExitCode(err) != ExitSwitchedBack {
			t.Errorf("got %v", err)
		}
		if took := back.Sub(ended); took > 50*time.Millisecond {
			t.Errorf("switched back after %v", took)
		}
		if res.Live != "real2" {
			t.Errorf("result %+v", res)
		}
		soon()
		checkLive(t, h)
	})
}

func TestAFirstReleaseThatFailsInTheWatchIsTakenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		p := h.process(fault{})
		p.at = map[call]func(){{"Probe", 7}: func() { makeSick("shop-real1", 3)(h) }}
		res, err := p.run(deploy("v1"))
		if ExitCode(err) != ExitFailed || res.Outcome != Failed || res.Live != "" {
			t.Errorf("exit code %d, %+v, %v", ExitCode(err), res, err)
		}
		soon()
		checkWhole(t, h)
		if got := h.summary(); got != "shop-real1-failed exited v1 no" {
			t.Errorf("there is\n%s", got)
		}
	})
}

func TestCtrlCInTheWatchKeepsTheNewRelease(t *testing.T) {
	for _, mode := range []string{"Ctrl-C", "--timeout"} {
		for _, at := range []int{firstThroughNginx, firstThroughNginx + 3} {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				p := h.process(fault{call{"Probe", at}, cancelBefore})
				code, outcome := ExitInterrupted, Interrupted
				if mode == "--timeout" {
					p.fault, p.limit = fault{}, 400*time.Millisecond
					// "Failed" would say that live is unchanged.
				}
				res, err := p.run(Request{Command: Deploy, Service: shop("v3", longWatch)})
				defer p.tell(t, res, err)
				if ExitCode(err) != code || res.Outcome != outcome || res.Live != "real1" || !strings.Contains(err.Error(), "release 3 is live and stays so") {
					t.Errorf("%s: exit code %d, %+v, %v", mode, ExitCode(err), res, err)
				}
				if strings.Contains(h.summary(), "-prev") {
					t.Error("what it replaced is left")
				}
				soon()
				checkSettled(t, h)
				checkWayBack(t, h)
			})
		}
	}
}

// TestARollbackThatFailsInFrontOfUsersIsNotTriedAgain: there is no way back to what was switched back from.
func TestARollbackThatFailsInFrontOfUsersIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"Probe", 4}, sickens})
		res, err := p.run(command(Rollback))
		if ExitCode(err) != ExitSwitchedBack || res.Live != "real2" || res.Outcome != RolledBack {
			t.Errorf("%+v, %v", res, err)
		}
		soon()
		checkSettled(t, h)
		var nothing *NothingToRollBackError
		if _, err := h.process(fault{}).run(command(Rollback)); !errors.As(err, &nothing) {
			t.Errorf("%v", err)
		}
	})
}

// TestASwitchBackThatFailsKeepsTheNewReleaseRunning, for nginx still sends requests to it; and it does not say that
// it was switched back.
func TestASwitchBackThatFailsKeepsTheNewReleaseRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"Probe", firstThroughNginx + 1}, sickens})
		p.second = fault{call{"Apply", 3}, failBefore}
		res, err := p.run(deploy("v3"))
		if ExitCode(err) != ExitFailed || res.Live != "real1" || res.Release != 3 {
			t.Errorf("exit code %d, %+v, %v", ExitCode(err), res, err)
		}
		checkLive(t, h)
		res = h.mustRun(t, command(Rollback))
		if res.Live != "real2" {
			t.Errorf("%+v", res)
		}
		checkSettled(t, h)
	})
}

// TestAHostLockThatCouldNotBeRemovedIsOursStill: the same run needs it again to switch back.
func TestAHostLockThatCouldNotBeRemovedIsOursStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{call{"Remove", 1}, failBefore})
		p.second = fault{call{"Probe", firstThroughNginx + 1}, sickens}
		res, err := p.run(deploy("v3"))
		if ExitCode(err) != ExitSwitchedBack || res.Live != "real2" || res.Duration > 10*time.Second {
			t.Errorf("exit code %d, %+v, %v", ExitCode(err), res, err)
			p.tell(t, res, err)
		}
		soon()
		checkSettled(t, h)
	})
}

// TestAReleaseThatDoesNotBecomeHealthyNeverReceivesTraffic: it is kept for inspection, and all else is as before.
func TestAReleaseThatDoesNotBecomeHealthyNeverReceivesTraffic(t *testing.T) {
	for name, x := range map[string]struct {
		app    app
		says   string
		atOnce bool
		docker string
	}{
		"exits at boot":  {app: app{exits: true}, says: "exited with code 1; its last lines:\n    a line of shop-real1", atOnce: true},
		"never listens":  {app: app{never: true}, says: "connection refused"},
		"another's name": {app: app{says: "real2"}, says: `answered "real2", not "real1"`},
		"not for docker": {docker: "starting", says: `docker's own health check says "starting"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				before := h.summary()
				h.image("v3", x.app)
				p := h.process(fault{})
				p.at = map[call]func(){{"Start", 1}: func() {
					b := h.must(t, "shop-real1")
					b.Healthcheck, b.Health = x.docker != "", x.docker
				}}
				began := time.Now()
				res, err := p.run(deploy("v3"))
				if err == nil || !strings.Contains(err.Error(), x.says) || ExitCode(err) != ExitFailed || res.Outcome != Failed || res.Live != "real2" {
					t.Errorf("%+v, %v", res, err)
				}
				if took := time.Since(began); x.atOnce && took > 100*time.Millisecond || !x.atOnce && took < 3*time.Second {
					t.Errorf("took %v", took)
				}
				soon()
				checkSettled(t, h)
				if got := without(h.summary(), "shop-real1-failed exited v3 no"); got != before {
					t.Errorf("there is\n%s\nnot\n%s", got, before)
				}
				h.image("v4", app{exits: true})
				if _, err := h.process(fault{}).run(deploy("v4")); err == nil {
					t.Error("v4 came up")
				}
				if got := without(h.summary(), "shop-real1-failed exited v4 no"); got != before {
					t.Errorf("after one more, there is\n%s\nnot\n%s", got, before)
				}
			})
		})
	}
}

// TestTheRestartPolicyIsSetOnceHealthy: until then the engine must not start a crashing release again and again.
func TestTheRestartPolicyIsSetOnceHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		p := h.process(fault{})
		p.at = map[call]func(){
			{"Probe", 1}: func() {
				if got := h.must(t, "shop-real1").RestartPolicy; got != "no" {
					t.Errorf("%q before it is healthy", got)
				}
			},
			{"Confirm", 1}: func() {
				if got := h.must(t, "shop-real1").RestartPolicy; got != "always" {
					t.Errorf("%q at the switch", got)
				}
			},
		}
		if _, err := p.run(Request{Command: Deploy, Service: shop("v1", func(s *config.Service) { s.Compose.Restart = "always" })}); err != nil {
			t.Error(err)
		}
	})
}

// TestNothingIsSwitchedWhenNginxDoesNotTakeIt: it refuses the files, or never makes new workers.
func TestNothingIsSwitchedWhenNginxDoesNotTakeIt(t *testing.T) {
	for name, x := range map[string]struct {
		spoil func(*host)
		says  string
	}{
		"refuses": {func(h *host) { h.refuses = true }, "nginx refuses the configuration: [emerg]"},
		"is deaf": {func(h *host) { h.deaf = true }, "reload not confirmed: older workers still take connections"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				x.spoil(h)
				p := h.process(fault{})
				p.at = map[call]func(){{"Apply", 2}: func() { h.refuses, h.deaf = false, false }}
				res, err := p.run(deploy("v3"))
				defer p.tell(t, res, err)
				if err == nil || !strings.Contains(err.Error(), x.says) || ExitCode(err) != ExitFailed || res.Live != "real2" {
					t.Errorf("%+v, %v", res, err)
				}
				if name == "refuses" && p.counts["signal"] > 0 {
					t.Error("it was told to reload")
				}
				soon()
				checkSettled(t, h)
				checkWayBack(t, h)
			})
		})
	}
}

// TestTheOldProfileOutlivesTheOldWorkers: the next deploy waits for them before it replaces what they use; a
// rollback does not.
func TestTheOldProfileOutlivesTheOldWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		h.drainTime = 30 * time.Second
		if _, err := h.process(fault{}).run(deploy("v2")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := h.process(fault{}).run(command(Rollback)); err != nil || time.Since(began) > 500*time.Millisecond {
			t.Fatalf("a rollback took %v, %v", time.Since(began), err)
		}
		began = time.Now()
		if _, err := h.process(fault{}).run(deploy("v3")); err != nil || time.Since(began) < 25*time.Second {
			t.Errorf("the next deploy took %v, %v", time.Since(began), err)
		}
		h.drainTime = time.Hour
		h.mustRun(t, deploy("v4"))
		before := h.summary()
		_, err := h.process(fault{}).run(deploy("v1"))
		if err == nil || !strings.Contains(err.Error(), "nginx workers of older generations still busy after 1m0s") || h.summary() != before {
			t.Errorf("workers that never end: %v", err)
		}
		for _, w := range h.wrongs {
			t.Error(w)
		}
	})
}

// TestTheQuestionsAreAskedAsThePublicDoes: through nginx's port, by the name the service is served under.
func TestTheQuestionsAreAskedAsThePublicDoes(t *testing.T) {
	for want, names := range map[string][]string{
		"": nil, "shop.example.com": {"shop.example.com", "www.example.com"}, "www.example.com": {"*.example.com", "www.example.com"}, "bluegreen.example.com": {"*.example.com"},
	} {
		if got := PublicName(names); got != want {
			t.Errorf("%q: got %q, want %q", names, got, want)
		}
	}
	s := shop("v1").Settings
	for expect, want := range map[config.Expect]health.Probe{
		config.ExpectProfile: {URL: "http://127.0.0.1:80/profile", Profile: "real1"},
		config.ExpectStatus:  {URL: "http://127.0.0.1:80/profile"},
		config.ExpectText:    {URL: "http://127.0.0.1:80/profile", Text: "fine"},
	} {
		s.Health.Expect, s.Health.Text = expect, "fine"
		if got := ProbeFor(s, s.Profiles[0], "127.0.0.1:80"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v", expect, got)
		}
	}
}
