package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/pkg/stdcopy"
)

// thing is something on the engine that can be removed.
type thing struct {
	name   string
	remove func(context.Context) error
}

type things []thing

func (all things) names() []string {
	var names []string
	for _, x := range all {
		names = append(names, x.name)
	}
	return names
}

// findAll finds the containers, networks and volumes that have part in their name or in the label that says which
// bluegreen network they belong to. Containers come first: the others are in use by them.
func findAll(ctx context.Context, part string) (things, error) {
	var all things
	containers, err := engine.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, err
	}
	for _, c := range containers {
		if strings.Contains(strings.Join(c.Names, " ")+" "+c.Labels["bluegreen.network"], part) {
			all = append(all, thing{"container " + strings.Join(c.Names, " "), func(ctx context.Context) error {
				return engine.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true})
			}})
		}
	}
	networks, err := engine.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, n := range networks {
		if _, stuck := stuckNetworks.Load(n.ID); !stuck && strings.Contains(n.Name+" "+n.Labels["bluegreen.network"], part) {
			all = append(all, thing{"network " + n.Name, func(ctx context.Context) error { return removeNetwork(ctx, n.ID) }})
		}
	}
	volumes, err := engine.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, v := range volumes.Volumes {
		if strings.Contains(v.Name+" "+v.Labels["bluegreen.network"], part) {
			all = append(all, thing{"volume " + v.Name, func(ctx context.Context) error { return engine.VolumeRemove(ctx, v.Name, true) }})
		}
	}
	return all, nil
}

// stuckNetworks are those, by id, that the engine keeps until its next restart.
var stuckNetworks sync.Map

// removeNetwork removes a network. Now and then Engine 20.10 counts an endpoint too many after containers were started and
// removed at once: nobody can remove that network then, and that is no fault of ours.
func removeNetwork(ctx context.Context, id string) error {
	err := engine.NetworkRemove(ctx, id)
	if err == nil || !strings.Contains(err.Error(), "has active endpoints") {
		return err
	}
	n, e := engine.NetworkInspect(ctx, id, network.InspectOptions{})
	if e != nil || len(n.Containers) > 0 {
		return errors.Join(err, e)
	}
	stuckNetworks.Store(id, true)
	fmt.Fprintf(os.Stderr, "e2e: LEFT BEHIND: the engine counts endpoints of network %s that no container has, and keeps it until it is restarted\n", n.Name)
	return nil
}

// remove takes the host down as a person would, and then what that left. A down that says it worked and left something
// fails the test.
func (h *host) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	before, err := findAll(ctx, h.id)
	if err != nil {
		h.t.Errorf("look for what is left: %v", err)
		return
	}
	if len(before) == 0 {
		return
	}
	down := h.run("down", "--volumes")
	if down.code != 0 {
		h.t.Logf("clean-up: %v", down)
	}
	left := removeAll(h.t, h.id)
	if len(left) > 0 && down.code == 0 {
		h.t.Errorf("down --volumes left %s", strings.Join(left.names(), ", "))
	}
}

// removeAll removes what findAll finds.
func removeAll(t testing.TB, part string) things {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	left, err := findAll(ctx, part)
	if err != nil {
		t.Errorf("look for what is left: %v", err)
	}
	for _, x := range left {
		if err := x.remove(ctx); err != nil {
			t.Errorf("remove %s: %v", x.name, err)
		}
	}
	return left
}

// exec runs a command in a container as root, and returns what it wrote.
func (h *host) exec(name string, command ...string) string {
	h.t.Helper()
	text, err := execIn(h.t.Context(), name, command)
	if err != nil {
		h.t.Fatalf("exec in %s: %s: %v\n%s", name, strings.Join(command, " "), err, text)
	}
	return text
}

func execIn(ctx context.Context, name string, command []string) (string, error) {
	created, err := engine.ContainerExecCreate(ctx, name, container.ExecOptions{User: "0", Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return "", err
	}
	stream, err := engine.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, stream.Reader); err != nil {
		return text.String(), err
	}
	ended, err := engine.ContainerExecInspect(ctx, created.ID)
	if err == nil && ended.ExitCode != 0 {
		err = errors.New("it failed")
	}
	return text.String(), err
}
