package e2e

import (
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"
)

// Somebody else reloads nginx at every moment of deploys and rollbacks, such as a job that renews certificates. With
// keepalive_min_timeout those reloads lose nothing either.
func TestReloadsBySomebodyElseDisturbNeitherDeploysNorRollbacks(t *testing.T) {
	o := newOrdeal(t)
	for range 3 {
		p, version := o.begin("")
		out := o.reloading(p)
		o.l.deployed(version, out)
		if out.code != 0 {
			t.Errorf("want exit 0: %v", out)
		}
	}
	for range 2 {
		if out := o.reloading(o.start(nil, "rollback", "-o", "json")); out.code != 0 {
			t.Errorf("want exit 0: %v", out)
		}
	}
	o.live = event{Live: o.status().Live, Release: o.status().Release}
	o.goesOn(t)
	o.l.wantNoLoss()
}

// reloading reloads nginx at each event of a command, until it ends.
func (o *ordeal) reloading(p *process) output {
	var done sync.WaitGroup
	reloads := 0
	p.await(func(event) bool {
		reloads++
		done.Go(func() {
			if text, err := execIn(o.t.Context(), o.nginx(), []string{"nginx", "-c", nginxConf, "-s", "reload"}); err != nil {
				o.t.Errorf("reload: %v\n%s", err, text)
			}
		})
		return false
	})
	done.Wait()
	o.t.Logf("%s: %d reloads by somebody else", p.command, reloads)
	return p.wait()
}

// nginx -t passes, and yet nginx refuses the reload: a port that it is to listen on from now on is taken in its own
// network namespace, which a test does not look at. Such a reload is never taken for confirmed.
func TestAReloadThatNginxRefusesIsNotTakenForConfirmed(t *testing.T) {
	o := newOrdeal(t, ownKey("watch", "100ms"))
	free := o.takePortOfNginx(t, "8090")
	defer free()
	defer o.mendNginx("zz-taken.conf")
	out := o.meets("health", func() { o.breakNginx("zz-taken.conf", "server { listen 8090; }") })
	o.wantUnharmed(t, out, "not confirmed")
	if text := o.exec(o.nginx(), "cat", root+"/sites/"+o.service+"/service-url.inc"); !strings.Contains(text, "release 2;") {
		t.Errorf("the include is not the old one:\n%s", text)
	}
	o.mendNginx("zz-taken.conf")
	o.goesOn(t)

	// The port is free again while the deploy undoes what it did: then nothing of it is left.
	free = o.takePortOfNginx(t, "8091")
	defer free()
	p, version := o.begin("")
	p.holdAt("step_started", "health", func() { o.breakNginx("zz-taken.conf", "server { listen 8091; }") })
	p.await(func(e event) bool { return e.Event == "step_failed" && e.Step == "switch" && !e.Undo })
	free()
	out = o.ended(p, version)
	o.wantUnharmed(t, out, "not confirmed")
	o.wantContainers(t, map[string]string{o.live.Live: "running", o.live.Idle: "running", o.live.Idle + "-failed": "exited"})
	o.mendNginx("zz-taken.conf")
	o.goesOn(t)
	o.l.wantNoLoss()
}

// takePortOfNginx listens on a port inside the network namespace of the nginx container.
func (h *host) takePortOfNginx(t *testing.T, port string) (free func()) {
	t.Helper()
	made, err := engine.ContainerCreate(t.Context(), &container.Config{Image: helloImage, Env: []string{"PORT=" + port}},
		&container.HostConfig{NetworkMode: container.NetworkMode("container:" + h.nginx())}, nil, nil, "bge2e-"+runID+"-squatter-"+port)
	if err != nil {
		t.Fatal(err)
	}
	free = sync.OnceFunc(func() {
		if err := engine.ContainerRemove(t.Context(), made.ID, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		free()
		t.Fatal(err)
	}
	return free
}
