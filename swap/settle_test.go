package swap

import (
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

// interruptedSwap is a host where a deploy of v3 died when nginx had loaded the new files and nothing was recorded.
func interruptedSwap(t *testing.T) *host {
	t.Helper()
	h := hostWith(t, "v1", "v2")
	p := h.process(fault{call{"Confirm", 1}, killAfter})
	if _, err := p.run(deploy("v3")); !errors.Is(err, errKilled) || h.state(t).Intent == nil {
		t.Fatalf("%v, %+v", err, h.state(t))
	}
	soon()
	return h
}

func TestSettleFinishesASwapThatIsHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := interruptedSwap(t)
		res, err := h.process(fault{}).run(deploy("v3"))
		if err != nil || res.Outcome != Unchanged || res.Live != "real1" || res.Release != 3 {
			t.Errorf("%+v, %v", res, err)
		}
		soon()
		checkSettled(t, h)
		checkWayBack(t, h)
	})
}

func TestSettleBringsBackWhatWasPutAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		before := h.summary()
		_, _ = h.process(fault{call{"Rename", 1}, killAfter}).run(deploy("v3"))
		if h.summary() == before {
			t.Fatal("nothing was put aside")
		}
		h.mustRun(t, deploy("v2"))
		if got := h.summary(); got != before {
			t.Errorf("there is\n%s\nnot\n%s", got, before)
		}
		checkSettled(t, h)
	})
}

func TestSettleTakesBackASwapThatIsNotHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := interruptedSwap(t)
		h.halt(h.must(t, "shop-real1"), 1)
		res, err := h.process(fault{}).run(command(Health))
		h.wrongs = nil // until it was taken back, requests met what had ended
		if err == nil || !strings.Contains(err.Error(), "container shop-real1 exited with code 1") || res.Live != "real2" {
			t.Errorf("%+v, %v", res, err)
		}
		soon()
		checkSettled(t, h)
		if st := h.state(t); st.Confirmed.Release != 2 || st.Previous.Release != 1 {
			t.Errorf("state %+v", st)
		}
		checkWayBack(t, h) // to release 1, which is aside
	})
}

func TestSettleChangesNothingWhenNothingAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := interruptedSwap(t)
		h.halt(h.must(t, "shop-real1"), 1)
		h.halt(h.must(t, "shop-real2"), 1)
		h.wrongs = nil
		p := h.process(fault{})
		if _, err := p.run(deploy("v4")); err != nil {
			t.Error(err)
		}
		if !slices.ContainsFunc(p.events, func(e Event) bool { return strings.Contains(e.Text, "no profile answers: nothing is changed") }) {
			t.Error("it did not say so")
		}
		soon()
		checkLive(t, h)
		if st := h.state(t); st.Confirmed.Release != 4 || st.Intent != nil {
			t.Errorf("state %+v", st)
		}
	})
}

// TestSettleWithNginxGone: somebody removed it, and only a command that makes one can go on.
func TestSettleWithNginxGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := interruptedSwap(t)
		_ = h.remove("bluegreen-nginx")
		h.wrongs = nil
		if _, err := h.process(fault{}).run(command(Stop)); err != nil {
			t.Error(err)
		}
		if _, err := h.process(fault{}).run(deploy("v4")); err != nil {
			t.Error(err)
		}
		soon()
		checkSettled(t, h)
	})
}

// TestAReboot ends everything; what has a restart policy comes back, and the next command finds out what is true.
func TestAReboot(t *testing.T) {
	for _, s := range scenes {
		if s.request().Command == Down {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			r := s.play(t)
			for _, f := range faults(r.calls, fine, killAfter) {
				synctest.Test(t, func(t *testing.T) {
					h := r.open()
					p := h.process(f)
					res, err := p.run(r.request())
					h.reboot()
					for _, next := range []func(*testing.T, *host){r.deployNext, r.rollbackNext} {
						next(t, h.clone())
					}
					p.tell(t, res, err)
				})
			}
		})
	}
}

// reboot ends every container and starts those again that the engine would.
func (h *host) reboot() {
	var again []string
	for _, b := range h.sorted() {
		running := b.Running()
		h.halt(b, 137)
		if running && b.RestartPolicy != "no" && b.RestartPolicy != "" {
			again = append(again, b.ID)
		}
	}
	for _, id := range again {
		_ = h.start(id)
	}
	soon()
}

func TestAContainerThatLostItsAddressGetsItBack(t *testing.T) {
	for name, lose := range map[string]func(*box){
		"disconnected": func(b *box) { delete(b.Networks, "bluegreen") },
		"another":      func(b *box) { b.Networks["bluegreen"] = docker.Endpoint{Address: "10.77.0.9"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				b := h.must(t, "shop-real2")
				address := b.Networks["bluegreen"].Address
				lose(b)
				h.wrongs = nil
				if _, err := h.process(fault{}).run(deploy("v2")); err != nil {
					t.Error(err)
				}
				if got := h.must(t, "shop-real2").Networks["bluegreen"].Address; got != address {
					t.Errorf("%q, not %q", got, address)
				}
				h.wrongs = nil
				checkLive(t, h)
			})
		})
	}
}

// TestARollbackGoesToWhereTheOldReleaseListens, though a release with another port had its place meanwhile.
func TestARollbackGoesToWhereTheOldReleaseListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, Request{Command: Start, Service: shop("v3", onOnePort)})
		h.mustRun(t, command(Rollback))
		checkSettled(t, h)
		h.mustRun(t, Request{Command: Deploy, Service: shop("v3", onOnePort)})
		h.mustRun(t, command(Rollback))
		checkSettled(t, h)
	})
}

// TestARunningIdleProfileIsNeverRemovedBySettle: a stage may have left it on purpose.
func TestARunningIdleProfileIsNeverRemovedBySettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		waiting(t, h)
		before := h.summary()
		for range 2 {
			h.mustRun(t, deploy("v2"))
			h.mustRun(t, start("v3"))
		}
		if got := h.summary(); got != before {
			t.Errorf("there is\n%s\nnot\n%s", got, before)
		}
	})
}

// TestStagesTriedAgain: a hook that is retried neither flips back nor starts anew.
func TestStagesTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		for _, stage := range []Request{
			command(Stop), start("v3"), command(Health), command(Switch), {Command: Health, Switch: true, Service: shop("")},
		} {
			first := h.mustRun(t, stage)
			summary := h.summary()
			again := h.mustRun(t, stage)
			if h.summary() != summary || again.Live != first.Live || again.Release != first.Release {
				t.Errorf("%s again: %+v\n%s\nnot\n%s", stage.Command, again, h.summary(), summary)
			}
		}
		if st := h.state(t); st.Confirmed.Release != 3 || st.Previous.Release != 2 {
			t.Errorf("state %+v", st)
		}
		checkSettled(t, h)
	})
}

// TestARollbackWithoutAComposeFile needs the service's name alone: the rest is on the host.
func TestARollbackWithoutAComposeFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		name := func(n string) *config.Service {
			return &config.Service{Settings: config.Settings{Service: n}, Host: config.Host{Network: "bluegreen"}}
		}
		res := h.mustRun(t, Request{Command: Rollback, Service: name("shop")})
		if res.Outcome != RolledBack || res.Live != "real1" || res.Release != 1 || res.Image != "v1" {
			t.Errorf("%+v", res)
		}
		_, err := h.process(fault{}).run(Request{Command: Rollback, Service: name("nobody")})
		var unknown *UnknownServiceError
		if !errors.As(err, &unknown) || ExitCode(err) != ExitUsage {
			t.Errorf("%v", err)
		}
	})
}

// TestWhatDoesNotBelongTogetherIsRefused before anything is touched, as wrong usage.
func TestWhatDoesNotBelongTogetherIsRefused(t *testing.T) {
	for says, edit := range map[string]func(*config.Service){
		`belongs to project "project-shop" on this host, not to "mine"`:       func(s *config.Service) { s.Project = "mine" },
		`the live profile is "real2", which is not among them`:                func(s *config.Service) { s.Profiles[1].Name = "blue" },
		`this project wants 81, but the nginx of this host was made with 80`:  func(s *config.Service) { s.Host.HTTP = 81 },
		`this project wants 9, but the nginx of this host was made with 8079`: func(s *config.Service) { s.Host.Status = 9 },
		`wants 127.0.0.1, but the nginx of this host was made with all inter`: func(s *config.Service) { s.Host.Address = "127.0.0.1" },
		`wants nginx:9, but the nginx`:                                        func(s *config.Service) { s.Host.Image = "nginx:9" },
		`wants 1m0s, but the nginx of this host was made with 2m0s`:           func(s *config.Service) { s.Host.ShutdownTimeout = 60e9 },
	} {
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			before := h.summary()
			_, err := h.process(fault{}).run(Request{Command: Deploy, Service: shop("v3", edit)})
			if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), says) || h.summary() != before {
				t.Errorf("%s: got %v", says, err)
			}
		})
	}
}

// TestForeignersAreNamed: a container that has our name or port is an error before anything is stopped for it.
func TestForeignersAreNamed(t *testing.T) {
	for name, x := range map[string]struct {
		is   docker.Container
		says string
	}{
		"port": {docker.Container{Name: "theirs", Ports: []docker.Port{{HostPort: 8081}}}, "port 8081 of the Docker host is taken by container theirs"},
		"name": {docker.Container{Name: "shop-real1"}, "container shop-real1 exists and is not bluegreen's"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				if name == "port" {
					h.halt(h.must(t, "shop-real1"), 1)
				} else {
					_ = h.remove("shop-real1")
				}
				b, err := h.add(x.is)
				if err != nil {
					t.Fatal(err)
				}
				b.State = "running"
				before := h.summary()
				p := h.process(fault{})
				_, err = p.run(deploy("v3"))
				if err == nil || !strings.Contains(err.Error(), x.says) || h.summary() != before {
					t.Errorf("got %v\n%s", err, h.summary())
				}
				if p.counts["Stop"]+p.counts["Rename"] > 0 {
					t.Errorf("it was noticed too late: %v", p.calls)
				}
				checkLive(t, h)
			})
		})
	}
}

// TestTheIncludeOfAPersonIsNotGuessedAt: an edit by hand stops everything that would build on it.
func TestTheIncludeOfAPersonIsNotGuessedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		h.volumes["bluegreen-nginx"][nginx.IncludePath("shop")] = "set $service_url http://127.0.0.1:8081;\n"
		h.nginxes[len(h.nginxes)-1].routes["shop"] = route{target: nginx.Target{Service: "shop", Profile: "theirs"}} // and nginx has taken it
		if _, err := h.process(fault{}).run(deploy("v2")); err == nil || !strings.Contains(err.Error(), "not written by bluegreen") {
			t.Errorf("got %v", err)
		}
	})
}

// TestATornIncludeIsMadeGood: nginx serves what was confirmed, or serves nobody.
func TestATornIncludeIsMadeGood(t *testing.T) {
	for _, up := range []bool{true, false} {
		t.Run(fmt.Sprint(up), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				h.volumes["bluegreen-nginx"][nginx.IncludePath("shop")] = "set $serv"
				if !up {
					h.halt(h.must(t, "bluegreen-nginx"), 1)
				}
				h.mustRun(t, deploy("v3"))
				checkSettled(t, h)
			})
		})
	}
}

// TestNginxThatServesAnotherReleaseIsBroughtToAgree: a plan by the include alone would stop what users are sent to.
func TestNginxThatServesAnotherReleaseIsBroughtToAgree(t *testing.T) {
	for name, kind := range map[string]func(*testing.T, *host){
		"both answer": func(*testing.T, *host) {},
		"the included one does not": func(t *testing.T, h *host) {
			h.halt(h.must(t, "shop-real1"), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				h.volumes["bluegreen-nginx"][nginx.IncludePath("shop")] = nginx.Include(nginx.Target{Service: "shop", Profile: "real1", Release: 1})
				kind(t, h)
				h.mustRun(t, deploy("v3"))
				checkSettled(t, h)
			})
		})
	}
}

// TestASettleThatFailsIsTriedAgain kills a deploy, breaks what the next command does to settle that, by an error
// or by its death too, and lets a third one go on.
func TestASettleThatFailsIsTriedAgain(t *testing.T) {
	for _, killed := range []call{{"Rename", 1}, {"CreateProfile", 1}, {"Start", 1}, {"rename", 2}, {"Confirm", 1}, {"append", 1}} {
		r := scene{name: killed.String(), set: func(t *testing.T, h *host) {
			deployed("v1", "v2")(t, h)
			_, _ = h.process(fault{killed, killAfter}).run(deploy("v3"))
			if killed.op == "Confirm" {
				h.halt(h.must(t, "bluegreen-nginx"), 1) // and nginx does not run either
			}
		}, request: func() Request { return deploy("v4") }}.play(t)
		for _, f := range slices.Concat(faults(r.calls[:r.planned], failBefore, failAfter), faults(r.calls[:r.planned], fine, killAfter)) {
			t.Run(killed.String()+", then "+f.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := r.open()
					p := h.process(f)
					res, err := p.run(deploy("v4"))
					defer p.tell(t, res, err)
					soon()
					r.deployNext(t, h)
				})
			})
		}
	}
}

// TestAnNginxThatSomebodyRemovedComesBackAsItWas: also from a machine that has no compose file.
func TestAnNginxThatSomebodyRemovedComesBackAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.image("nginx:mine", app{})
		host := config.Host{Network: "bluegreen", HTTP: 8080, Status: 9079, Address: "127.0.0.2", Image: "nginx:mine"}
		for _, v := range []string{"v1", "v2"} {
			h.mustRun(t, Request{Command: Deploy, Service: shop(v, func(s *config.Service) { s.Host = host })})
		}
		h.halt(h.must(t, "bluegreen-nginx"), 1)
		_ = h.remove("bluegreen-nginx")
		h.mustRun(t, Request{Command: Rollback, Service: &config.Service{
			Settings: config.Settings{Service: "shop"}, Host: config.Host{Network: "bluegreen"},
		}})
		if b := h.must(t, "bluegreen-nginx"); b.Ports[0].HostPort != 8080 || b.Ports[0].HostIP != "127.0.0.2" || b.Ports[1].HostPort != 9079 || b.ImageID != "sha256:nginx:mine" {
			t.Errorf("%+v", b.Container)
		}
		if got := h.serving("shop"); len(got) != 1 || got[0].Release != 1 {
			t.Errorf("%v is served", got)
		}
	})
}

func TestTheFirstDeploySetsTheHostsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.image("nginx:mine", app{})
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", func(s *config.Service) {
			s.Host = config.Host{Network: "bluegreen", HTTP: 8080, Status: 9079, Address: "127.0.0.2", Image: "nginx:mine", ShutdownTimeout: 90e9}
		})})
		if b := h.must(t, "bluegreen-nginx"); b.Ports[0].HostPort != 8080 || b.Ports[0].HostIP != "127.0.0.2" || b.Ports[1].HostPort != 9079 || b.ImageID != "sha256:nginx:mine" {
			t.Errorf("%+v", b.Container)
		}
		h.mustRun(t, deploy("v2")) // says nothing of it
		if main := h.volumes["bluegreen-nginx"][nginx.MainPath]; !strings.Contains(main, "worker_shutdown_timeout 90s;") {
			t.Error(main)
		}
	})
}

// TestProbeNetworksOfKilledRunsGo: a run that makes the network was killed while it looked for a free subnet.
func TestProbeNetworksOfKilledRunsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		for name, labels := range map[string]map[string]string{
			"bluegreen-probe-a": {LabelNetwork: "bluegreen"}, "bluegreen-probe-theirs": nil,
		} {
			h.createNetwork(name, "", labels)
		}
		h.mustRun(t, deploy("v1"))
		if len(h.networks) != 2 || h.networks["bluegreen-probe-theirs"].ID == "" {
			t.Errorf("%v", h.networks)
		}
	})
}

// TestASiteThatSomebodyRemovedIsWrittenAnew: nginx serves it from memory until the next reload, and the live profile must
// not be taken for the idle one.
func TestASiteThatSomebodyRemovedIsWrittenAnew(t *testing.T) {
	for name, r := range map[string]func() Request{
		"new release": func() Request { return deploy("v2") }, "the same": func() Request { return deploy("v1") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1")
				delete(h.volumes["bluegreen-nginx"], nginx.SitePath("shop"))
				h.mustRun(t, r())
				checkSettled(t, h)
			})
		})
	}
}

// TestAnOldReleaseThatSomebodyStartedStays: first aid when the live one ended; it has the live one's address.
func TestAnOldReleaseThatSomebodyStartedStays(t *testing.T) {
	for name, lose := range map[string]func(*host, *box){
		"ended": func(h *host, b *box) { h.halt(b, 1) },
		"gone":  func(h *host, b *box) { _ = h.remove(b.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2", "v4")
				live := h.must(t, "shop-real1")
				prev, err := h.add(live.like("shop-real1-prev"))
				if err != nil {
					t.Fatal(err)
				}
				lose(h, live)
				if err := h.start(prev.ID); err != nil {
					t.Fatal(err)
				}
				soon()
				h.wrongs = nil
				h.mustRun(t, deploy("v3"))
				for _, w := range h.wrongs {
					t.Error(w)
				}
				checkLive(t, h)
			})
		})
	}
}

// like is a container like it, under another name.
func (b *box) like(name string) docker.Container {
	c := b.copy()
	c.Name = name
	return c
}

// TestIncludeAndStateThatDisagreeAreSettled by what answers, when no swap is open: somebody wrote into one of them.
func TestIncludeAndStateThatDisagreeAreSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.volumes["bluegreen-nginx"][nginx.IncludePath("shop")] = nginx.Include(nginx.Target{Service: "shop", Profile: "real1", Release: 1})
		if err := h.load(); err != nil {
			t.Fatal(err)
		}
		soon()
		p := h.process(fault{})
		if _, err := p.run(deploy("v1")); err != nil {
			t.Fatal(err)
		}
		soon()
		if st := h.state(t); st.Confirmed.Release != 1 || st.Confirmed.ImageID != "sha256:v1" || st.Previous.Release != 2 {
			t.Errorf("%+v, %+v", st.Confirmed, st.Previous)
		}
		if !slices.ContainsFunc(p.events, func(e Event) bool { return strings.Contains(e.Text, "state.json release 2 in real2") }) {
			t.Error("it did not say so")
		}
		checkSettled(t, h)
		checkWayBack(t, h)
	})
}

// TestARememberedServiceKeepsItsName, whatever name its state has: the lock is that of the name that was given.
func TestARememberedServiceKeepsItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		path := nginx.StatePath("shop")
		h.volumes["bluegreen-nginx"][path] = strings.Replace(h.volumes["bluegreen-nginx"][path], `"service": "shop"`, `"service": "other"`, 1)
		r := Request{Command: Rollback, Service: &config.Service{Settings: config.Settings{Service: "shop"}, Host: config.Host{Network: "bluegreen"}}}
		if res := h.mustRun(t, r); res.Service != "shop" || res.Live != "real1" {
			t.Errorf("%+v", res)
		}
		checkSettled(t, h)
	})
}

// TestAContainerInAnotherRoleIsNotOurs: one that bears the service's label and a profile's name, and no more, is never
// taken away for what is aside.
func TestAContainerInAnotherRoleIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		live := h.must(t, "shop-real2")
		if _, err := h.add(live.like("shop-real2-prev")); err != nil {
			t.Fatal(err)
		}
		delete(live.Labels, LabelRole)
		h.must(t, "shop-real2-prev").State = "exited"
		_, err := h.process(fault{}).run(deploy("v3"))
		if err == nil || !strings.Contains(err.Error(), "container shop-real2 exists and is not bluegreen's") {
			t.Errorf("got %v", err)
		}
		for _, w := range h.wrongs {
			t.Error(w)
		}
		checkLive(t, h)
	})
}

// TestWorkersThatServeAnotherReleaseFollowTheInclude: include and state agree, and yet nginx never took what they say.
func TestWorkersThatServeAnotherReleaseFollowTheInclude(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		live := h.nginxes[len(h.nginxes)-1].routes["shop"]
		h.mustRun(t, command(Rollback))
		h.nginxes[len(h.nginxes)-1].routes["shop"] = live
		p := h.process(fault{})
		if _, err := p.run(deploy("v3")); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(p.events, func(e Event) bool {
			return strings.Contains(e.Text, "nginx serves shop real2, release 2, and its include names shop real1")
		}) {
			t.Error("it did not say so")
		}
		soon()
		checkSettled(t, h)
	})
}

// TestAnEngineElsewhereIsNotAskedOnThisMachinesLoopback: another nginx may answer there, for a service of the same name.
func TestAnEngineElsewhereIsNotAskedOnThisMachinesLoopback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.elsewhere = true
		p := h.process(fault{})
		if got := newJob(p.world(), deploy("v3")).listener(&Observation{}); got.Dial == nil {
			t.Errorf("asked at this machine's %s", got.URL)
		}
		if _, err := p.run(deploy("v3")); err != nil {
			t.Fatal(err)
		}
		soon()
		checkLive(t, h)
	})
}

// TestARestartPolicyThatAKilledRunTookAwayComesBack: the engine would leave the container down when it restarts.
func TestARestartPolicyThatAKilledRunTookAwayComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		for _, name := range []string{"shop-real1", "shop-real2"} {
			h.must(t, name).RestartPolicy = noRestart
		}
		h.mustRun(t, deploy("v2")) // which has nothing else to do
		checkPolicies(t, h)
	})
}

// TestADamagedNginxConfIsWrittenAnew: nginx runs with what it loaded before, and refuses every change.
func TestADamagedNginxConfIsWrittenAnew(t *testing.T) {
	for name, r := range map[string]Request{"deploy": deploy("v3"), "rollback": command(Rollback)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				was := h.volumes["bluegreen-nginx"][nginx.MainPath]
				h.volumes["bluegreen-nginx"][nginx.MainPath] = ""
				h.mustRun(t, r)
				if h.volumes["bluegreen-nginx"][nginx.MainPath] != was {
					t.Error("it is another one")
				}
				checkSettled(t, h)
			})
		})
	}
}

// TestASiteThatSomebodyRemovedWhileASwapIsOpenIsWrittenAnew: nginx serves from memory, and nothing is forgotten.
func TestASiteThatSomebodyRemovedWhileASwapIsOpenIsWrittenAnew(t *testing.T) {
	for name, r := range map[string]Request{"deploy": deploy("v4"), "rollback": command(Rollback), "down": command(Down)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				_, _ = h.process(fault{call{"Confirm", 1}, killAfter}).run(deploy("v3"))
				delete(h.volumes["bluegreen-nginx"], nginx.SitePath("shop"))
				soon()
				h.mustRun(t, r)
				checkWhole(t, h)
				if name != "down" {
					checkLive(t, h)
				}
			})
		})
	}
}

// TestARollbackThatSettleHasDoneGoesNoFurther: settle took a swap back to what users had before it.
func TestARollbackThatSettleHasDoneGoesNoFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		_, _ = h.process(fault{call{"Confirm", 1}, killAfter}).run(deploy("v3"))
		h.halt(h.must(t, "shop-real1"), 1)
		h.wrongs = nil
		soon()
		if res := h.mustRun(t, command(Rollback)); res.Release != 2 {
			t.Errorf("%+v", res)
		}
		soon()
		checkLive(t, h)
	})
}

// TestAnIntentThatNobodyWroteIsDamage, not the end of every command.
func TestAnIntentThatNobodyWroteIsDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.volumes["bluegreen-nginx"][nginx.StatePath("shop")] = `{"intent": {}}`
		if st, err := ReadStatus(t.Context(), h.process(fault{}).world(), shop("")); err != nil || len(st.Notes) == 0 {
			t.Errorf("%+v, %v", st, err)
		}
		h.mustRun(t, deploy("v3"))
		checkSettled(t, h)
	})
}

// TestARollbackToAPausedProfileStartsIt: somebody paused it, to spare the machine.
func TestARollbackToAPausedProfileStartsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.must(t, "shop-real1").State = "paused"
		if res := h.mustRun(t, command(Rollback)); res.Live != "real1" {
			t.Errorf("%+v", res)
		}
		checkLive(t, h)
	})
}
