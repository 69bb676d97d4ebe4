package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

// A release that takes more memory than it may is killed by the kernel, and the message says that.
func TestAReleaseThatEatsItsMemoryNeverReceivesTraffic(t *testing.T) {
	o := newOrdeal(t, serviceKey("mem_limit", "48m"))
	p, version := o.begin("eat-memory")
	out := o.ended(p, version)
	if strings.Contains(out.stderr, "was not killed") {
		t.Skipf("SKIPPED: this engine's memory limits have no effect: %v", out)
	}
	o.wantUnharmed(t, out, "out of memory", "docker logs "+o.container("real1-failed"))
	o.wantContainers(t, map[string]string{"real1": "running", "real2": "running", "real1-failed": "exited"})
	o.goesBack(t)
	o.goesBack(t)
	o.goesOn(t)
	o.l.wantNoLoss()
}

// Somebody removes the image that a deploy is about to start.
func TestAnImageThatIsGoneBetweenPullAndCreateLeavesTheLiveProfileServing(t *testing.T) {
	o := newOrdeal(t)
	for _, at := range []struct{ kind, step string }{{"step_started", "drain"}, {"step_started", "retire"}, {"step_done", "retire"}} {
		t.Run(at.kind+" "+at.step, func(t *testing.T) {
			warm := o.inspect(t, o.container(o.live.Idle)).ID
			ref, remove := o.throwAwayImage(t)
			out := o.meetsAt(at.kind, at.step, remove, "--image", ref)
			o.wantUnharmed(t, out, "o such image")
			if got := o.inspect(t, o.container(o.live.Idle)).ID; got != warm {
				t.Errorf("container %s is not the one that was warm before", o.container(o.live.Idle))
			}
			o.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
		})
	}
	o.goesBack(t)
	o.goesOn(t)
	o.l.wantNoLoss()
}

// throwAwayImage is an image like hello's that no container uses, and what removes it.
func (h *host) throwAwayImage(t *testing.T) (ref string, remove func()) {
	t.Helper()
	ref = "bluegreen-e2e/gone:" + h.id
	made, err := engine.ContainerCreate(t.Context(), &container.Config{Image: helloImage}, nil, nil, nil, h.id+"-to-commit")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.ContainerRemove(t.Context(), made.ID, container.RemoveOptions{Force: true}) }()
	committed, err := engine.ContainerCommit(t.Context(), made.ID, container.CommitOptions{Reference: ref})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = engine.ImageRemove(context.Background(), committed.ID, image.RemoveOptions{Force: true})
	})
	return ref, func() {
		if _, err := engine.ImageRemove(t.Context(), committed.ID, image.RemoveOptions{Force: true}); err != nil {
			t.Errorf("remove image %s: %v", ref, err)
		}
	}
}

// Somebody takes the idle profile's port while its container is away. The container that was there cannot come back
// before the port is free: it stays where it is, and a rollback or a deploy starts from there.
func TestAPortThatIsTakenBetweenPlanAndCreateLeavesTheLiveProfileServing(t *testing.T) {
	o := newOrdeal(t)
	for _, c := range []struct {
		by   string
		take func(t *testing.T, port int) (holder string, free func())
	}{{"process", takePort}, {"container", o.takePortByContainer}} {
		for _, next := range []struct {
			name string
			do   func(*testing.T)
		}{{"rollback", o.goesBack}, {"deploy", o.goesOn}} {
			t.Run(c.by+", then "+next.name, func(t *testing.T) {
				port := map[string]int{"real1": o.real1Port, "real2": o.real2Port}[o.live.Idle]
				var holder string
				var free func()
				out := o.meetsAt("step_done", "retire", func() { holder, free = c.take(t, port) })
				defer free()
				o.wantUnharmed(t, out, fmt.Sprintf("port %d of the Docker host is taken by %s", port, holder), fmt.Sprintf("free port %d", port))
				o.wantContainers(t, map[string]string{o.live.Live: "running", o.live.Idle: "exited"})
				free()
				next.do(t)
			})
		}
	}
	o.goesOn(t)
	o.l.wantNoLoss()
}

func takePort(t *testing.T, port int) (holder string, free func()) {
	t.Helper()
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	return "process ", func() { _ = l.Close() }
}

func (h *host) takePortByContainer(t *testing.T, port int) (holder string, free func()) {
	t.Helper()
	name := "bge2e-" + runID + "-stranger"
	inside := nat.Port(fmt.Sprintf("%d/tcp", port))
	config := &container.Config{Image: helloImage, Env: []string{fmt.Sprint("PORT=", port)}, ExposedPorts: nat.PortSet{inside: {}}}
	published := &container.HostConfig{PortBindings: nat.PortMap{inside: {{HostIP: "127.0.0.1", HostPort: fmt.Sprint(port)}}}}
	made, err := engine.ContainerCreate(t.Context(), config, published, &network.NetworkingConfig{}, nil, name)
	if err != nil {
		t.Fatal(err)
	}
	free = func() { _ = engine.ContainerRemove(t.Context(), made.ID, container.RemoveOptions{Force: true}) }
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		free()
		t.Fatal(err)
	}
	return "container " + name, free
}
