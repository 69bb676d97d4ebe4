package swap

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
)

// onPort is a recreate of shop's nginx with another port, said to come from there.
func onPort(port int, from string) Request {
	return recreateFor(shop("", func(s *config.Service) { s.Host.HTTP = port }), from)
}

func recreateFor(s *config.Service, from string) Request {
	return Request{Command: Recreate, Service: s, Actor: Actor{Who: "ann", Where: from, Command: "bluegreen nginx recreate"}}
}

func TestARecreateToAPortThatIsTakenLeavesTheOldNginxServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		other, err := h.add(docker.Container{Name: "theirs", Ports: []docker.Port{{HostPort: 8888}}})
		if err != nil {
			t.Fatal(err)
		}
		other.State = "running"
		before := h.summary()
		p := h.process(fault{})
		_, err = p.run(onPort(8888, "ci-7"))
		var taken *docker.PortTakenError
		if !errors.As(err, &taken) || taken.Port != 8888 || taken.Holder != "container theirs" || ExitCode(err) != ExitFailed {
			t.Errorf("%v", err)
		}
		if slices.ContainsFunc(p.calls, func(c call) bool { return c.op == "Stop" }) {
			t.Error("nginx was stopped for it")
		}
		if after := h.summary(); after != before {
			t.Errorf("from\n%s\nto\n%s", before, after)
		}
		checkSettled(t, h)
	})
}

func TestARecreateWithAnOldNginxIsWarnedOfBeforeItIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		h.image("nginx:1.22", app{})
		h.versions = map[string]string{"sha256:nginx:1.22": "1.22.1"}
		p := h.process(fault{})
		_, err := p.run(recreateFor(shop("", func(s *config.Service) { s.Host.Image = "nginx:1.22" }), "ci-7"))
		if err != nil {
			t.Fatal(err)
		}
		warned := func(e Event) bool {
			return e.Plan != nil && slices.ContainsFunc(e.Plan.Notes, func(n string) bool { return strings.Contains(n, "nginx 1.22.1 resets busy keep-alive connections") })
		}
		if !slices.ContainsFunc(p.events, warned) {
			t.Error("its plan does not say that this nginx loses requests")
		}
	})
}

// withOther is a host with shop and another service of the same nginx.
func withOther(t *testing.T) *host {
	t.Helper()
	h := hostWith(t, "v1")
	h.mustRun(t, Request{Command: Deploy, Service: service("other", "v1", named, otherPorts)})
	return h
}

// others is a recreate that comes from the other service's project.
func others8888(from string) Request {
	return recreateFor(service("other", "", named, otherPorts, func(s *config.Service) { s.Host.HTTP = 8888 }), from)
}

func TestOfTwoRecreatesAtOnceTheSecondGivesWayAndNamesTheFirst(t *testing.T) {
	for name, c := range map[string]struct {
		at   call // of the first one, when the second comes
		wait time.Duration
		code int
	}{
		"while the first is about to begin": {call{"Image", 1}, 0, ExitLocked},
		"while nginx is down":               {call{"CreateNginx", 1}, 0, ExitLocked},
		"and waits for it":                  {call{"Image", 1}, time.Minute, ExitDone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := withOther(t)
				first, second := h.process(fault{}), h.process(fault{})
				done := make(chan error, 1)
				first.at = map[call]func(){c.at: func() {
					go func() {
						r := others8888("ci-8")
						r.Wait = c.wait
						_, err := second.run(r)
						done <- err
					}()
					time.Sleep(time.Second)
				}}
				if _, err := first.run(onPort(8888, "ci-7")); err != nil {
					t.Errorf("the first: %v", err)
				}
				err := <-done
				if ExitCode(err) != c.code || c.code == ExitLocked && !strings.Contains(err.Error(), "locked by ann on ci-7") {
					t.Errorf("the second: %v", err)
				}
				soon()
				checkWhole(t, h) // on another port than checkSettled asks
			})
		})
	}
}

func TestARecreateGivesWayToAnotherServicesDeploy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withOther(t)
		deploying := h.process(fault{})
		deploying.at = map[call]func(){{"CreateProfile", 1}: func() {
			if _, err := h.process(fault{}).run(onPort(8888, "ci-7")); ExitCode(err) != ExitLocked || !strings.Contains(err.Error(), "on ci-9") {
				t.Errorf("%v", err)
			}
		}}
		r := Request{Command: Deploy, Service: service("other", "v2", named, otherPorts), Actor: Actor{Who: "bob", Where: "ci-9", Command: "bluegreen deploy"}}
		if _, err := deploying.run(r); err != nil {
			t.Error(err)
		}
		soon()
		checkSettled(t, h)
	})
}
