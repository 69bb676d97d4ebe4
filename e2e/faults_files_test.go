package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
)

const root = "/etc/nginx/bluegreen"

// Somebody's own file in nginx's configuration is broken. nginx goes on with what it loaded, and a deploy must not touch
// that: a reload would fail, and an nginx that is started again would not come up.
func TestABrokenFileInNginxsConfigurationLeavesTheLiveProfileServing(t *testing.T) {
	o := newOrdeal(t)
	for _, step := range []string{"create", "health"} {
		t.Run(step, func(t *testing.T) {
			defer o.mendNginx("zz-broken.conf")
			out := o.meets(step, func() { o.breakNginx("zz-broken.conf", "no_such_directive on;") })
			o.wantUnharmed(t, out, "nginx refuses the configuration", `unknown directive "no_such_directive" in sites/zz-broken.conf:1`)
			back := o.run("rollback", "-o", "json")
			o.wantCode(t, back, 1)
			o.wantTold(t, back, "sites/zz-broken.conf")
			o.wantLive(t)
			o.mendNginx("zz-broken.conf")
			o.goesBack(t)
			o.goesBack(t)
			o.goesOn(t)
		})
	}
	o.l.wantNoLoss()
}

// breakNginx puts a file of somebody's own into nginx's configuration.
func (h *host) breakNginx(name, text string) {
	h.t.Helper()
	h.exec(h.nginx(), "sh", "-euc", `printf '%s\n' "$2" >"$1"`, "sh", root+"/sites/"+name, text)
}

func (h *host) mendNginx(name string) {
	h.t.Helper()
	h.exec(h.nginx(), "rm", "-f", root+"/sites/"+name)
}

// The disk on which nginx's files lie is full, but for so many pages: a deploy finds that out at each of the files that
// it writes. Whatever it comes to, it says what is live, that answers, and the next one works.
func TestAFullDiskLeavesTheLiveProfileServing(t *testing.T) {
	h := newHost(t)
	h.smallVolume(t, "256k")
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.deployed("v2", h.deploy("v2"))
	l.begin(lightConnections, lightPeriod)
	o := &ordeal{host: h, l: l, live: event{Live: "real2", Idle: "real1", Release: 2}}
	for _, left := range []int{0, 4, 8, 10, 12} {
		t.Run(fmt.Sprint(left, " pages left"), func(t *testing.T) { o.deployOnFullDisk(t, left) })
	}
	o.l.wantNoLoss()
}

func (o *ordeal) deployOnFullDisk(t *testing.T, left int) {
	warm := o.inspect(t, o.container(o.live.Idle)).ID
	out := o.meets("health", func() { o.fill(left) })
	t.Logf("exit %d: %s", out.code, out.result().Error)
	if r := out.result(); out.code == 0 {
		o.live = r
	} else {
		o.wantCode(t, out, 1)
		o.wantTold(t, out, "No space left on device")
		if c, err := engine.ContainerInspect(t.Context(), o.container(o.live.Idle)); err != nil || c.ID != warm || !c.State.Running {
			t.Errorf("container %s is not the warm one, running: %v", o.container(o.live.Idle), o.containers(t))
		}
	}
	o.wantAnswer(t, o.version(), o.live.Live)
	if s := o.status(); s.Live != o.live.Live || s.Release != o.live.Release {
		t.Errorf("want release %d live in %s: %+v", o.live.Release, o.live.Live, s)
	}
	o.exec(o.nginx(), "rm", root+"/fill")
	o.goesOn(t)
}

// fill takes all room in nginx's volume but so many pages.
func (h *host) fill(left int) {
	h.t.Helper()
	h.exec(h.nginx(), "sh", "-c", `cd "$1"; cat /dev/zero >fill 2>/dev/null; truncate -s "-$(($2 * 4096))" fill`, "sh", root, fmt.Sprint(left))
}

// smallVolume makes nginx's volume beforehand, in memory. What is in it is gone when nobody mounts it, so somebody does.
func (h *host) smallVolume(t *testing.T, size string) {
	t.Helper()
	_, err := engine.VolumeCreate(t.Context(), volume.CreateOptions{
		Name: h.nginx(), Labels: map[string]string{"bluegreen.network": h.network, "bluegreen.role": "volume"},
		DriverOpts: map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=" + size},
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := engine.ContainerCreate(t.Context(), &container.Config{Image: helloImage, Env: []string{"FAULT=never-listen"}},
		&container.HostConfig{NetworkMode: "none", Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: h.nginx(), Target: "/kept"}}},
		nil, nil, "bge2e-"+runID+"-keeper")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
}
