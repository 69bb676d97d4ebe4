package e2e

import (
	"testing"

	"github.com/docker/docker/api/types/network"
)

// The network of the compose project goes away in the middle of a deploy, as with `docker compose down`. The live
// profile serves on through bluegreen's own network; the container that was warm cannot be started as it was.
func TestAComposeNetworkThatGoesAwayInTheMiddleOfADeployLeavesTheLiveProfileServing(t *testing.T) {
	o := newComposed(t)
	for _, at := range []struct{ kind, step string }{{"step_started", "drain"}, {"step_done", "retire"}} {
		t.Run(at.kind+" "+at.step, func(t *testing.T) {
			out := o.meetsAt(at.kind, at.step, func() { o.removeNetwork(t, o.composeNetwork()) })
			o.wantUnharmed(t, out, o.composeNetwork())
			o.goesBack(t)
			o.goesBack(t)
			o.createNetwork(t, o.composeNetwork()) // what the next deploy would ask for
			o.goesOn(t)
			if _, on := o.inspect(t, o.container(o.live.Live)).NetworkSettings.Networks[o.composeNetwork()]; !on {
				t.Errorf("%s is not on %s", o.container(o.live.Live), o.composeNetwork())
			}
		})
	}
	o.l.wantNoLoss()
	o.removeNetwork(t, o.composeNetwork())
}

// newComposed is an ordeal whose service is on a compose network too.
func newComposed(t *testing.T) *ordeal {
	t.Helper()
	h := newHost(t, ownKey("watch", "100ms"), topKey("networks", map[string]any{"back": map[string]any{}}), serviceKey("networks", []string{"back"}))
	h.createNetwork(t, h.composeNetwork())
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.deployed("v2", h.deploy("v2"))
	l.begin(lightConnections, lightPeriod)
	return &ordeal{host: h, l: l, live: event{Live: "real2", Idle: "real1", Release: 2}}
}

func (h *host) composeNetwork() string { return h.service + "_back" }

func (h *host) createNetwork(t *testing.T, name string) {
	t.Helper()
	if _, err := engine.NetworkCreate(t.Context(), name, network.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// removeNetwork removes a network, and takes by force off it what runs on it.
func (h *host) removeNetwork(t *testing.T, name string) {
	t.Helper()
	n, err := engine.NetworkInspect(t.Context(), name, network.InspectOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	for id := range n.Containers {
		if err := engine.NetworkDisconnect(t.Context(), n.ID, id, true); err != nil {
			t.Error(err)
		}
	}
	if err := engine.NetworkRemove(t.Context(), n.ID); err != nil {
		t.Error(err)
	}
}

// The idle profile is taken off bluegreen's network by hand, before a rollback to it and in the middle of a deploy.
func TestAnIdleProfileThatIsTakenOffTheNetworkIsBroughtBack(t *testing.T) {
	o := newOrdeal(t, ownKey("watch", "100ms"), ownKey("health.deadline", "3s"))
	cut := func() {
		if err := engine.NetworkDisconnect(t.Context(), o.network, o.container(o.live.Idle), true); err != nil {
			t.Error(err)
		}
	}
	t.Run("before a rollback", func(t *testing.T) {
		cut()
		o.goesBack(t)
	})
	t.Run("before a deploy", func(t *testing.T) {
		cut()
		o.goesOn(t)
	})
	t.Run("in the middle of a deploy", func(t *testing.T) {
		out := o.meets("health", cut)
		o.wantUnharmed(t, out, "not ready within 3s")
		o.goesBack(t)
		o.goesBack(t)
		o.goesOn(t)
	})
	o.l.wantNoLoss()
}

// Somebody takes nginx off bluegreen's network, or removes that network, in the middle of a deploy. Nobody is served then:
// no load runs. The deploy does not claim that it swapped, and the next one serves again, at the latest after what it
// asks for.
func TestANetworkThatGoesAwayInTheMiddleOfADeployIsToldAndTheNextDeployServesAgain(t *testing.T) {
	for _, step := range []string{"create", "switch"} {
		t.Run("nginx cut off at "+step, func(t *testing.T) {
			o := newOrdeal(t, ownKey("watch", "100ms"), ownKey("health.deadline", "3s"))
			o.losesNetwork(t, step, func() {
				if err := engine.NetworkDisconnect(t.Context(), o.network, o.nginx(), true); err != nil {
					t.Error(err)
				}
			})
		})
	}
	for _, step := range []string{"retire", "health"} {
		t.Run("network removed at "+step, func(t *testing.T) {
			o := newOrdeal(t, ownKey("watch", "100ms"), ownKey("health.deadline", "3s"))
			o.losesNetwork(t, step, func() { o.removeNetwork(t, o.network) })
		})
	}
}

func (o *ordeal) losesNetwork(t *testing.T, step string, lose func()) {
	t.Helper()
	o.l.quiet(func() {
		out := o.meets(step, lose)
		t.Logf("exit %d: %s", out.code, out.result().Error)
		if out.code == 0 {
			o.live = out.result() // it was healed on the way
		} else {
			o.wantTold(t, out, "network")
		}
		o.n++
		next := o.deployFaulty("after", "")
		if next.code != 0 {
			t.Fatalf("want the next deploy to serve again: %v", next)
		}
		o.l.deployed("after", next)
		o.live = next.result()
		o.wantLive(t)
	})
	o.goesOn(t)
	o.l.wantNoLoss()
}
