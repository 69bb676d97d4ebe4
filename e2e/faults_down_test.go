package e2e

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

// What is live ends, and does not come back by itself. status says so and names the way back; rollback goes it without
// the broken one, and a deploy works as well. There is no load: what ended was ended by hand.
func TestALiveProfileThatIsDownIsToldAndRollbackAndDeployBringTheServiceBack(t *testing.T) {
	t.Parallel()
	h := newHost(t, ownKey("watch", "100ms"))
	h.deploy("v1")
	h.deploy("v2")
	stop := func(t *testing.T, names ...string) {
		t.Helper()
		for _, name := range names {
			if err := engine.ContainerStop(t.Context(), name, container.StopOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(t *testing.T, names ...string) {
		t.Helper()
		for _, name := range names {
			if err := engine.ContainerRemove(t.Context(), name, container.RemoveOptions{Force: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, names ...string)
		both bool
	}{
		{"stopped", stop, false}, {"removed", remove, false}, {"both stopped", stop, true},
	} {
		t.Run(c.name+", then rollback", func(t *testing.T) {
			live, idle := h.breakDown(t, c.do, c.both)
			h.wantDownTold(t, live)
			if out := h.rollback(); out.result().Live != idle {
				t.Errorf("want %s live: %v", idle, out)
			}
			h.wantServing(t, idle)
		})
		t.Run(c.name+", then deploy", func(t *testing.T) {
			if s := h.status(); s.profile("real1").Container == "" || s.profile("real2").Container == "" {
				h.deploy(c.name) // after a rollback from one that was removed
			}
			live, idle := h.breakDown(t, c.do, c.both)
			h.wantDownTold(t, live)
			version := "after " + strings.ReplaceAll(c.name, " ", "-")
			if out := h.deploy(version); out.result().Live != idle {
				t.Errorf("want %s live: %v", idle, out)
			}
			h.wantServing(t, idle)
			h.wantAnswer(t, version, idle)
			h.deploy(version + "-again")
			h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
			h.wantTidyVolume(t)
		})
	}
}

// breakDown does something to the live profile's container, or to both, and says which was live.
func (h *host) breakDown(t *testing.T, do func(t *testing.T, names ...string), both bool) (live, idle string) {
	t.Helper()
	live = h.status().Live
	idle = map[string]string{"real1": "real2", "real2": "real1"}[live]
	if both {
		do(t, h.container(idle))
	}
	do(t, h.container(live))
	return live, idle
}

// wantDownTold checks that status tells that the live profile is down, and what brings the service back.
func (h *host) wantDownTold(t *testing.T, live string) {
	t.Helper()
	out := h.must("status")
	for _, part := range []string{live + " does not answer", "bluegreen rollback"} {
		if !strings.Contains(out.stdout, part) {
			t.Errorf("status lacks %q: %v", part, out)
		}
	}
	if s := h.status(); s.Live != live || s.Serving || s.profile(live).Health == "ok" {
		t.Errorf("want %s live and not serving: %+v", live, s)
	}
}

func (h *host) wantServing(t *testing.T, live string) {
	t.Helper()
	if s := h.status(); s.Live != live || !s.Serving || s.profile(live).Health != "ok" {
		t.Errorf("want %s live, well and serving: %+v", live, s)
	}
}

// A host comes up again, and its containers are started in whatever order.
func TestContainersThatAreStartedInAnyOrderServeTheLiveRelease(t *testing.T) {
	t.Parallel()
	h := newHost(t, ownKey("watch", "100ms"))
	h.deploy("v1")
	h.deploy("v2")
	nginx, real1, real2 := h.nginx(), h.container("real1"), h.container("real2")
	for _, order := range [][]string{
		{nginx, real1, real2}, {nginx, real2, real1}, {real1, nginx, real2},
		{real1, real2, nginx}, {real2, nginx, real1}, {real2, real1, nginx},
	} {
		t.Run(strings.ReplaceAll(strings.Join(order, ","), h.id, ""), func(t *testing.T) {
			for _, name := range order {
				if err := engine.ContainerStop(t.Context(), name, container.StopOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range order {
				if err := engine.ContainerStart(t.Context(), name, container.StartOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			h.wantAnswer(t, "v2", "real2")
			h.wantServing(t, "real2")
		})
	}
	h.rollback()
	h.wantAnswer(t, "v1", "real1")
	h.deploy("v3")
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
}
