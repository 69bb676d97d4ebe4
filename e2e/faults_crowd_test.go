package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const crowd = 10

// crowded starts that many deploys of one service at the same moment, and waits for all of them.
func (o *ordeal) crowded(args ...string) (versions []string, outs []output) {
	o.t.Helper()
	var all []*process
	for range crowd {
		p, version := o.begin("", args...)
		all, versions = append(all, p), append(versions, version)
	}
	for _, p := range all {
		outs = append(outs, p.wait())
	}
	return versions, outs
}

// swapped are the deploys of a crowd that worked, in the order of their switches; it notes what they made answer.
func (o *ordeal) swapped(t *testing.T, versions []string, outs []output) []output {
	t.Helper()
	var done []int
	for i, out := range outs {
		if out.code == 0 {
			done = append(done, i)
		}
	}
	switched := func(i int) time.Time { return outs[i].find("step_started", "switch").Time }
	slices.SortFunc(done, func(a, b int) int { return switched(a).Compare(switched(b)) })
	var list []output
	for _, i := range done {
		o.l.deployed(versions[i], outs[i])
		o.live = outs[i].result()
		list = append(list, outs[i])
	}
	return list
}

// wantOneAtATime checks that no run began, with its plan, before the one in front of it had ended. Releases count up.
func wantOneAtATime(t *testing.T, runs []output) {
	t.Helper()
	for i := 1; i < len(runs); i++ {
		before, after := runs[i-1].result(), runs[i]
		if began := after.find("plan", "").Time; began.Before(runs[i-1].events[len(runs[i-1].events)-2].Time) {
			t.Errorf("a run planned at %v, before the last step of the one in front of it: %v\n%v", began, runs[i-1], after)
		}
		if got, want := after.result().Release, before.Release+1; got != want {
			t.Errorf("release %d after %d: %v", got, before.Release, after)
		}
	}
}

func TestOfDeploysStartedAtOnceOneWorksAndTheOthersSayWhoHoldsTheLock(t *testing.T) {
	o := newOrdeal(t)
	versions, outs := o.crowded()
	worked := o.swapped(t, versions, outs)
	if len(worked) == 0 {
		t.Error("none worked")
	}
	wantOneAtATime(t, worked)
	for _, out := range outs {
		if out.code == 0 {
			continue
		}
		if r := out.result(); out.code != 3 || r.Outcome != "failed" || !strings.Contains(r.Error, "locked by ") {
			t.Errorf("want exit 3, locked: %v", out)
		}
		for _, part := range []string{"locked by ", `"bluegreen deploy`, "live: release ", "next: wait for it: bluegreen deploy --wait 5m"} {
			if !strings.Contains(out.stderr, part) {
				t.Errorf("stderr lacks %q: %v", part, out)
			}
		}
	}
	t.Logf("%d of %d worked", len(worked), len(outs))
	o.goesOn(t)
	o.l.wantNoLoss()
}

func TestDeploysStartedAtOnceThatWaitAllWorkOneAfterTheOther(t *testing.T) {
	o := newOrdeal(t, ownKey("watch", "100ms"))
	versions, outs := o.crowded("--wait", "5m")
	for _, out := range outs {
		if out.code != 0 {
			t.Errorf("want exit 0: %v", out)
		}
	}
	wantOneAtATime(t, o.swapped(t, versions, outs))
	o.wantLive(t)
	o.goesOn(t)
	o.l.wantNoLoss()
}

// Services of one nginx are deployed at once, each under load of its own. What one of them does is nothing to the others.
func TestServicesOfOneNginxThatAreDeployedAtOnceLoseNoRequest(t *testing.T) {
	const services = 5
	network := "bge2e-" + runID + "-many"
	httpPort, statusPort := freePort(t), freePort(t)
	t.Cleanup(func() { removeAll(t, network) }) // what is no host's own
	var all []*traffic
	for i := range services {
		name := fmt.Sprintf("s%d.example.com", i)
		all = append(all, newTraffic(newHost(t, beside(network, httpPort, statusPort), underName(name), ownKey("watch", "200ms"))))
	}
	for round := range 4 {
		deployAll(t, all, fmt.Sprint("v", round+1))
		if round == 0 {
			for _, l := range all {
				l.begin(lightConnections/2, lightPeriod)
			}
		}
	}
	var rolledBack sync.WaitGroup
	for _, l := range all {
		rolledBack.Go(func() { l.h.rollback() })
	}
	rolledBack.Wait()
	for _, l := range all {
		l.wantNoLoss()
		if s := l.h.status(); s.Live != "real1" || s.Release != 3 || s.Lock != nil || s.Nginx == nil || s.Nginx.State != "running" {
			t.Errorf("want release 3 live in real1, unlocked: %+v", s)
		}
	}
}

func deployAll(t *testing.T, all []*traffic, version string) {
	t.Helper()
	var running []*process
	for _, l := range all {
		running = append(running, l.h.start([]string{"VERSION=" + version}, "deploy", "-o", "json"))
	}
	for i, p := range running {
		out := p.wait()
		if out.code != 0 {
			t.Fatalf("want exit 0: %v", out)
		}
		all[i].deployed(version, out)
	}
}

// beside puts a host's service on an nginx that other hosts of this test use too.
func beside(network string, httpPort, statusPort int) option {
	return func(h *host) {
		h.network, h.httpPort, h.statusPort = network, httpPort, statusPort
		for key, value := range map[string]any{"network.name": network, "nginx.http": httpPort, "nginx.status": statusPort} {
			put(h.project, "x-bluegreen."+key, value)
		}
	}
}

// underName gives a host's service a host name, by which its load asks for it.
func underName(name string) option {
	return func(h *host) {
		h.serverName = name
		put(h.own, "server_names", []string{name})
	}
}
