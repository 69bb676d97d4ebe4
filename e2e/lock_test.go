package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

// A run that lives nowhere this machine can look at, on another one or in a container, leaves a lock that only its lease
// can judge.
func TestALockWithoutALeaseIsBroken(t *testing.T) {
	skipShort(t) // a lease takes its time
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	old := h.lockOfAnotherMachine(t)
	out := h.runWith([]string{"VERSION=v2"}, "deploy")
	for _, part := range []string{"locked by ann on ci-7", `"bluegreen deploy"`, "bluegreen deploy --wait 5m", "bluegreen unlock " + h.service} {
		if !strings.Contains(out.stderr, part) {
			t.Errorf("stderr lacks %q: %v", part, out)
		}
	}
	if out.code != 3 {
		t.Errorf("want exit 3: %v", out)
	}
	if lock := h.status().Lock; lock == nil || lock.Owner != "ann" || lock.Gone || lock.Renewed == "" {
		t.Errorf("want ann's lock in the status: %+v", lock)
	}
	out = h.mustWith([]string{"VERSION=v2"}, "deploy", "--wait", "5m")
	if out.took < 30*time.Second {
		t.Errorf("the lock was broken after %v, long before its lease ended", out.took)
	}
	for _, part := range []string{"waiting up to 5m", "-lock, the lock of a run that is gone (it was not renewed for 4"} {
		if !strings.Contains(out.stderr+out.stdout, part) {
			t.Errorf("it does not say %q: %v", part, out)
		}
	}
	if _, err := engine.ContainerInspect(t.Context(), old); err == nil {
		t.Error("the old lock is still there")
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
}

// lockOfAnotherMachine is what a run on another machine left when it was killed.
func (h *host) lockOfAnotherMachine(t *testing.T) (id string) {
	t.Helper()
	made, err := engine.ContainerCreate(t.Context(), &container.Config{Image: helloImage, Cmd: []string{"lock"}, Labels: h.labelsOfAnotherLock()},
		nil, nil, nil, h.service+"-lock")
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func (h *host) labelsOfAnotherLock() map[string]string {
	return map[string]string{
		"bluegreen.role": "lock", "bluegreen.network": h.network, "bluegreen.service": h.service, "bluegreen.run": "0123456789ab",
		"bluegreen.lock.who": "ann", "bluegreen.lock.where": "ci-7", "bluegreen.lock.command": "bluegreen deploy", "bluegreen.lock.pid": "4711",
		"bluegreen.lock.since": time.Now().UTC().Format(time.RFC3339), "bluegreen.lock.boot-id": "another", "bluegreen.lock.pid-namespace": "pid:[1]",
		"bluegreen.lock.process-start": "1",
	}
}

// A run renews its lock for as long as it takes, also when it only waits.
func TestALongRunKeepsItsLock(t *testing.T) {
	skipShort(t)
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	h.change(ownKey("watch", "65s"))
	p := h.start([]string{"VERSION=v2"}, "deploy", "-o", "json")
	p.awaitStep("watch")
	first := h.status().Lock
	for begin := time.Now(); time.Since(begin) < 50*time.Second; time.Sleep(5 * time.Second) {
		if out := h.runWith([]string{"VERSION=v3"}, "deploy"); out.code != 3 {
			t.Fatalf("want exit 3 after %v: %v", time.Since(begin), out)
		}
	}
	if last := h.status().Lock; first == nil || last == nil || last.Renewed <= first.Renewed {
		t.Errorf("the lease was not renewed: %+v, %+v", first, last)
	}
	p.signal(os.Interrupt)
	if out := p.wait(); out.code != 130 || out.result().Live != "real2" {
		t.Errorf("want exit 130, real2 live: %v", out)
	}
}

func TestUnlockBreaksTheLockOfARunThatLivesAndThatRunEnds(t *testing.T) {
	h, l := newPair(t)
	p := h.start([]string{"VERSION=v3", "FAULT=never-listen"}, "deploy", "-o", "json")
	p.awaitStep("health")
	out := h.run("unlock")
	if out.code != 1 || !strings.Contains(out.stderr, `runs "bluegreen deploy"`) || !strings.Contains(out.stderr, "--yes") {
		t.Errorf("want the holder shown, and nothing done without a terminal: %v", out)
	}
	if h.status().Lock == nil {
		t.Error("the lock is gone although nobody agreed")
	}
	if out := h.must("unlock", "--yes"); !strings.Contains(out.stdout, "is unlocked") {
		t.Errorf("%v", out)
	}
	ended := p.wait()
	if ended.code != 1 || !strings.Contains(ended.stderr, "the lock is no longer this run's") || ended.result().Live != "real2" {
		t.Errorf("want exit 1 because of the lock, real2 live: %v", ended)
	}
	if out := h.must("unlock", "--yes"); !strings.Contains(out.stdout, "is not locked") {
		t.Errorf("%v", out)
	}
	l.deployed("v4", h.deploy("v4"))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	l.wantNoLoss()
}

// A run that is stopped (a laptop that sleeps) for longer than its lease has lost its lock when it goes on: it changes
// nothing more, wherever it stood.
func TestARunThatSleptThroughItsLeaseChangesNothingMore(t *testing.T) {
	skipShort(t)
	t.Parallel()
	for _, step := range []string{"retire", "create", "switch"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			h, l := newPair(t)
			p := h.start([]string{"VERSION=slept"}, "deploy", "-o", "json")
			p.awaitStep(step)
			p.signal(syscall.SIGSTOP)
			out := h.deploy("v3", "--wait", "3m")
			p.signal(syscall.SIGCONT)
			l.interrupted("slept", p.wait())
			l.deployed("v3", out)
			if slept := p.wait(); slept.code == 0 || !strings.Contains(fmt.Sprint(slept), "the lock is no longer this run's") {
				t.Errorf("want a failure because of the lock: %v", slept)
			}
			live := out.result().Live
			if s := h.status(); s.Live != live || s.profile(live).Health != "ok" {
				t.Errorf("want v3 live in %s: %+v", live, s)
			}
			h.wantAnswer(t, "v3", live)
			l.deployed("v4", h.deploy("v4"))
			h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
			l.wantNoLoss()
		})
	}
}
