package swap

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// held is a host with v1 and v2 where another run, which lives, has the service's lock.
func held(t *testing.T) (*host, *process) {
	t.Helper()
	h := hostWith(t, "v1", "v2")
	other := h.process(fault{})
	_, err := h.takeLock(other, "shop-lock", map[string]string{
		LabelRole: RoleLock, LabelNetwork: "bluegreen", LabelRun: "other", LabelService: "shop",
		LabelLockWho: "ann", LabelLockWhere: "ci-7", LabelLockCommand: "bluegreen deploy", LabelLockPID: "4711", LabelLockSince: "2026-01-02T03:04:05Z",
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, other
}

func TestTheSecondCommandSaysWhoHoldsTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := held(t)
		before := h.summary()
		p := h.process(fault{})
		res, err := p.run(deploy("v3"))
		var locked *LockedError
		if !errors.As(err, &locked) || ExitCode(err) != ExitLocked || res.Outcome != Failed {
			t.Fatalf("%+v, %v", res, err)
		}
		if want := `locked by ann on ci-7: "bluegreen deploy", process 4711, since ` + MomentOf("2026-01-02T03:04:05Z"); err.Error() != want {
			t.Errorf("got %q", err)
		}
		if h.summary() != before || res.Live != "real2" || !res.Seen {
			t.Errorf("it made %v and says %+v", p.calls, res)
		}
	})
}

func TestWaitForTheLock(t *testing.T) {
	for name, x := range map[string]struct {
		frees time.Duration
		code  int
	}{"long enough": {3 * time.Second, ExitDone}, "not long enough": {time.Minute, ExitLocked}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := held(t)
				lock := h.must(t, "shop-lock").ID
				go func() {
					time.Sleep(x.frees)
					_ = h.remove(lock)
				}()
				began := time.Now()
				r := deploy("v3")
				r.Wait = 10 * time.Second
				p := h.process(fault{})
				_, err := p.run(r)
				if ExitCode(err) != x.code {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took < min(x.frees, r.Wait) || took > min(x.frees, r.Wait)+5*time.Second {
					t.Errorf("took %v", took)
				}
				if !slices.ContainsFunc(p.events, func(e Event) bool { return strings.HasPrefix(e.Text, "waiting up to 10s: locked by ann") }) {
					t.Error("it did not say for whom it waits")
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestCtrlCEndsTheWaitForTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := held(t)
		r := deploy("v3")
		r.Wait = time.Minute
		p := h.process(fault{})
		go func() {
			time.Sleep(120 * time.Millisecond)
			p.cancel()
		}()
		res, err := p.run(r)
		if ExitCode(err) != ExitInterrupted || res.Outcome != Interrupted || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

func TestALockWhoseHolderIsGoneIsBrokenById(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, other := held(t)
		other.dead = true
		p := h.process(fault{})
		if _, err := p.run(deploy("v3")); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(p.events, func(e Event) bool {
			return strings.HasPrefix(e.Text, "breaking shop-lock, the lock of a run that is gone (its process is gone): locked by ann")
		}) {
			t.Error("it did not say so")
		}
		soon()
		checkWhole(t, h)
	})
}

// TestALockThatIsNotRenewedIsBroken: its holder ran where this run cannot look.
func TestALockThatIsNotRenewedIsBroken(t *testing.T) {
	for name, x := range map[string]struct {
		age    time.Duration
		renews bool
		code   int
	}{
		"in time":    {leaseExpires - time.Second, false, ExitLocked},
		"expired":    {leaseExpires, false, ExitDone},
		"is renewed": {5 * leaseExpires, true, ExitLocked},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := held(t)
				lock := h.must(t, "shop-lock").ID
				for range int(x.age / leaseRenew) {
					time.Sleep(leaseRenew)
					if x.renews {
						_ = h.renewLock(lock)
					}
				}
				time.Sleep(x.age % leaseRenew)
				p := h.process(fault{})
				_, err := p.run(deploy("v3"))
				if ExitCode(err) != x.code {
					t.Fatalf("%v", err)
				}
				if _, err := h.find(lock); (err == nil) != (x.code == ExitLocked) {
					t.Errorf("the lock: %v", err)
				}
				soon()
			})
		})
	}
}

// TestALongRunKeepsItsLock: it is renewed for as long as the run takes.
func TestALongRunKeepsItsLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		go func() {
			_, _ = h.process(fault{}).run(Request{Command: Deploy, Service: shop("v3", func(s *config.Service) { s.Watch = 5 * leaseExpires })})
		}()
		time.Sleep(4 * leaseExpires)
		if _, err := h.process(fault{}).run(deploy("v4")); ExitCode(err) != ExitLocked {
			t.Errorf("%v", err)
		}
		time.Sleep(2 * leaseExpires)
		checkWhole(t, h)
	})
}

// TestALockLostInALongStepEndsTheRun: it does not go on until the step is over.
func TestALockLostInALongStepEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.apps["sha256:v3"] = app{never: true}
		p := h.process(fault{})
		go func() {
			time.Sleep(5 * time.Second)
			_ = h.remove("shop-lock")
		}()
		began := time.Now()
		res, err := p.run(Request{Command: Deploy, Service: shop("v3", func(s *config.Service) { s.Health.Deadline = time.Hour })})
		if !errors.Is(err, ErrLockLost) || ExitCode(err) != ExitFailed || res.Live != "real2" || time.Since(began) > 2*leaseRenew {
			t.Errorf("after %v: %+v, %v", time.Since(began), res, err)
		}
		for _, e := range p.events {
			if e.Undo {
				t.Errorf("%s was undone: it may be another run's", e.Step.Name())
			}
		}
		soon()
		h.mustRun(t, deploy("v4"))
		checkSettled(t, h)
	})
}

// TestALostHostLockSwitchesNothing: another run may be changing nginx by now.
func TestALostHostLockSwitchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		reference := h.clone().process(fault{})
		if _, err := reference.run(deploy("v3")); err != nil {
			t.Fatal(err)
		}
		// The switch takes the host's lock, looks its container up, and then proves the locks.
		taken := slices.Index(reference.calls, call{"TakeLock", 2})
		proof := slices.IndexFunc(reference.calls[taken:], func(c call) bool { return c.op == "Container" }) + taken + 1
		soon()
		p := h.process(fault{})
		p.at = map[call]func(){reference.calls[proof]: func() { _ = h.remove("bluegreen-host-lock") }}
		_, err := p.run(deploy("v3"))
		if !errors.Is(err, ErrLockLost) || p.counts["Apply"] > 0 {
			t.Errorf("%v, after %v", err, p.calls[max(0, len(p.calls)-10):])
		}
		soon()
		checkLive(t, h)
		h.mustRun(t, deploy("v4"))
		checkWhole(t, h)
	})
}

// TestACommandThatADeadRunLeftChangesNothing: it goes on beside nginx without its run, and begins when the next run is at
// work already, or when it is over.
func TestACommandThatADeadRunLeftChangesNothing(t *testing.T) {
	for _, late := range []call{{"Stop", 1}, {"Probe", 4}, {}} {
		t.Run(late.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				var left nginx.Change
				dead := h.process(fault{call{"Exec", 1}, killBefore})
				w := dead.world()
				real := w.Apply
				w.Apply = func(ctx context.Context, at nginx.Place, c nginx.Change) error {
					left = c
					return real(ctx, at, c)
				}
				done := make(chan struct{})
				go func() { defer close(done); _, _ = Run(t.Context(), w, deploy("v3")) }()
				<-done
				goesOn := func() {
					text, err := json.Marshal(left)
					if err != nil {
						t.Error(err)
					}
					defer h.lock()()
					if r := h.apply(dead, "bluegreen-nginx", string(text)); r.ExitCode != 14 {
						t.Errorf("it ended with %d: %s", r.ExitCode, r.Stdout)
					}
				}
				p := h.process(fault{})
				p.at = map[call]func(){late: goesOn}
				if _, err := p.run(deploy("v4")); err != nil {
					t.Fatal(err)
				}
				soon()
				if late.op == "" {
					goesOn()
				}
				checkSettled(t, h)
			})
		})
	}
}

// TestARunThatLostItsLockMakesNotOneMoreChange: it stood still between the proof of its step and the change.
func TestARunThatLostItsLockMakesNotOneMoreChange(t *testing.T) {
	for _, op := range []string{"Rename", "SetRestartPolicy", "Stop", "CreateProfile", "Start"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				reference := h.clone().process(fault{})
				if _, err := reference.run(deploy("v3")); err != nil {
					t.Fatal(err)
				}
				soon()
				change := slices.Index(reference.calls, call{op, 1})
				p := h.process(fault{})
				p.at = map[call]func(){reference.calls[change-1]: func() { _ = h.remove("shop-lock") }}
				res, err := p.run(deploy("v3"))
				if !errors.Is(err, ErrLockLost) || p.counts[op] > 0 || res.Live != "real2" {
					t.Errorf("%v, %s was called %d times, live %s", err, op, p.counts[op], res.Live)
				}
				soon()
				h.mustRun(t, deploy("v4"))
				checkSettled(t, h)
			})
		})
	}
}

// TestALockUnderAnotherNameIsLost: it keeps nobody out.
func TestALockUnderAnotherNameIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{})
		p.at = map[call]func(){{"Probe", 3}: func() { _ = h.rename(h.must(t, "shop-lock").ID, "x") }}
		if _, err := p.run(deploy("v3")); !errors.Is(err, ErrLockLost) {
			t.Errorf("%v", err)
		}
		soon()
		checkLive(t, h)
	})
}

// TestARunThatLostItsLockSaysWhatIsLiveNow, which another run may have made so.
func TestARunThatLostItsLockSaysWhatIsLiveNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p := h.process(fault{})
		var other Result
		p.at = map[call]func(){{"Probe", 7}: func() {
			_ = h.remove("shop-lock")
			other = h.mustRun(t, command(Rollback))
		}}
		res, err := p.run(Request{Command: Deploy, Service: shop("v3", func(s *config.Service) { s.Watch = time.Minute })})
		if !errors.Is(err, ErrLockLost) || res.Live != other.Live || res.Release != other.Release {
			t.Errorf("%+v, %v; the other %+v", res, err, other)
		}
	})
}

// TestAContainerUnderALocksNameIsLeftAlone: it is somebody else's, however old it is.
func TestAContainerUnderALocksNameIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1")
		if _, err := h.add(docker.Container{Name: "shop-lock"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		_, err := h.process(fault{}).run(deploy("v2"))
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "container shop-lock") {
			t.Errorf("%v", err)
		}
		h.must(t, "shop-lock")
		if _, err := Locks(t.Context(), h.process(fault{}).world(), shop("")); ExitCode(err) != ExitUsage {
			t.Errorf("unlock: %v", err)
		}
		if st, err := ReadStatus(t.Context(), h.process(fault{}).world(), shop("")); err != nil || st.Lock != nil {
			t.Errorf("status: %+v, %v", st.Lock, err)
		}
	})
}

func TestWaitingIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := held(t)
		r := deploy("v3")
		r.Wait = 40 * time.Second
		p := h.process(fault{})
		_, _ = p.run(r)
		var told []string
		for _, e := range p.events {
			told = append(told, strings.Split(e.Text, ":")[0])
		}
		if want := []string{"waiting up to 40s", "waiting up to 25s", "waiting up to 10s"}; !slices.Equal(told, want) {
			t.Errorf("told %q", told)
		}
	})
}

// TestALostLockSwitchesNothing: whoever broke it may be at work on the same profile by now.
func TestALostLockSwitchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		p, other := h.process(fault{}), h.process(fault{})
		p.at = map[call]func(){{"SetRestartPolicy", 1}: func() {
			_ = h.remove("shop-lock")
			if _, err := h.takeLock(other, "shop-lock", map[string]string{LabelRole: RoleLock, LabelNetwork: "bluegreen", LabelRun: "other"}); err != nil {
				t.Error(err)
			}
		}}
		res, err := p.run(deploy("v3"))
		if !errors.Is(err, ErrLockLost) || ExitCode(err) != ExitFailed || res.Live != "real2" {
			t.Errorf("%+v, %v", res, err)
		}
		soon()
		checkLive(t, h)
		if h.state(t).LastLive != 2 {
			t.Error("it was switched")
		}
		if b, err := h.find("shop-lock"); err != nil || b.Labels[LabelRun] != "other" {
			t.Error("the other run's lock was removed")
		}
	})
}

// TestTwoCommandsAtOnceDoNotMix: of one service one waits; of two services the host's lock keeps them apart
// where they meet.
func TestTwoCommandsAtOnceDoNotMix(t *testing.T) {
	for name, requests := range map[string][]Request{
		"two deploys":              {deploy("v3"), deploy("v4")},
		"a deploy and a rollback":  {deploy("v3"), command(Rollback)},
		"two rollbacks":            {command(Rollback), command(Rollback)},
		"another service's first":  {deploy("v3"), {Command: Deploy, Service: service("other", "v1", named, otherPorts)}},
		"another service's ending": {{Command: Deploy, Service: service("other", "v1", named, otherPorts)}, command(Down)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				atOnce(t, h, requests...)
				checkSettled(t, h)
			})
		})
	}
}

func TestTwoFirstDeploysAtOnceMakeOneHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		atOnce(t, h, deploy("v1"), Request{Command: Deploy, Service: service("other", "v1", named, otherPorts)})
		checkSettled(t, h)
		want := "bluegreen-nginx running\nnetwork bluegreen\nother-real1 running v1 always\nshop-real1 running v1 always\nvolume bluegreen-nginx"
		if got := h.summary(); got != want {
			t.Errorf("there is\n%s", got)
		}
	})
}

func atOnce(t *testing.T, h *host, requests ...Request) {
	t.Helper()
	var all sync.WaitGroup
	for _, r := range requests {
		r.Wait = time.Minute
		all.Go(func() {
			p := h.process(fault{})
			if res, err := p.run(r); err != nil {
				t.Errorf("%s %s: %v", r.Command, r.Service.Settings.Service, err)
				p.tell(t, res, err)
			}
		})
	}
	all.Wait()
	soon()
}

// TestHolderGone takes a real process, whose lock is nobody's once it has ended.
func TestHolderGone(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip("no process to look at: ", err)
	}
	boot, namespace, start := processIdentity(child.Process.Pid)
	if start == "" {
		t.Skip("no /proc here")
	}
	labels := map[string]string{LabelLockPID: strconv.Itoa(child.Process.Pid), LabelLockBoot: boot, LabelLockPIDNS: namespace, LabelLockStart: start}
	if holderGone(labels) {
		t.Error("it runs")
	}
	_ = child.Process.Kill()
	for end := time.Now().Add(10 * time.Second); !holderGone(labels) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if !holderGone(labels) {
		t.Error("it was killed, and its parent does not ask for it")
	}
	_ = child.Wait()
	if !holderGone(labels) {
		t.Error("it has ended")
	}
	for name, x := range map[string]struct {
		key, value string
		gone       bool
	}{
		"the pid is another's now": {LabelLockPID, strconv.Itoa(os.Getpid()), true},
		"another boot":             {LabelLockBoot, "another", false}, // perhaps another machine with the same engine
		"another pid namespace":    {LabelLockPIDNS, "pid:[1]", false},
		"no pid":                   {LabelLockPID, "", false},
		"no boot":                  {LabelLockBoot, "", false},
		"no start time":            {LabelLockStart, "", false},
	} {
		l := maps.Clone(labels)
		l[x.key] = x.value
		if holderGone(l) != x.gone {
			t.Errorf("%s: gone is %v", name, !x.gone)
		}
	}
	if holderGone(nil) {
		t.Error("nobody is gone")
	}
}

func TestALockSaysWhoHoldsIt(t *testing.T) {
	j := newJob(World{}, Request{Command: Deploy, Service: shop("v1"), Actor: Actor{Who: "ann", Where: "ci-7", Command: "bluegreen deploy"}})
	l := j.lockLabels()
	want := map[string]string{
		LabelRole: RoleLock, LabelNetwork: "bluegreen", LabelRun: j.run, LabelService: "shop",
		LabelLockWho: "ann", LabelLockWhere: "ci-7", LabelLockCommand: "bluegreen deploy", LabelLockPID: strconv.Itoa(os.Getpid()),
	}
	for k, v := range want {
		if l[k] != v {
			t.Errorf("%s is %q, not %q", k, l[k], v)
		}
	}
	if holderGone(l) {
		t.Error("this process is not gone")
	}
	if _, err := time.Parse(time.RFC3339, l[LabelLockSince]); err != nil {
		t.Error(err)
	}
}

func TestALockThatCannotBeAskedForIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		w := h.process(fault{}).world()
		gone := &docker.UnreachableError{Host: "unix:///nowhere", Err: errFault}
		j := newJob(w, deploy("v1"))
		j.w.TakeLock = func(context.Context, string, map[string]string) (string, error) { return "", gone }
		if err := j.takeLock(t.Context()); ExitCode(err) != ExitUnreachable {
			t.Errorf("got %v", err)
		}
	})
}

// TestAFirstDeployThatFailsTakesNothingFromAServiceThatCameMeanwhile: it made the nginx that another one uses now.
func TestAFirstDeployThatFailsTakesNothingFromAServiceThatCameMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.image("never", app{never: true})
		failing := make(chan error, 1)
		go func() {
			_, err := h.process(fault{}).run(deploy("never"))
			failing <- err
		}()
		time.Sleep(time.Second) // nginx is there, and the release does not become healthy
		h.mustRun(t, Request{Command: Deploy, Service: service("other", "v1", named, otherPorts)})
		if err := <-failing; err == nil {
			t.Fatal("it did not fail")
		}
		want := "bluegreen-nginx running\nnetwork bluegreen\nother-real1 running v1 always\nvolume bluegreen-nginx"
		if got := without(h.summary(), "-failed"); got != want {
			t.Errorf("there is\n%s", got)
		}
	})
}

// TestDownLeavesNginxToARunThatIsUnderWay: another service's first deploy has no container yet, and goes by what it saw.
func TestDownLeavesNginxToARunThatIsUnderWay(t *testing.T) {
	for command, stays := range map[string]bool{"bluegreen deploy": true, "bluegreen down": false} {
		t.Run(command, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1")
				_, err := h.takeLock(h.process(fault{}), "other-lock", map[string]string{
					LabelRole: RoleLock, LabelNetwork: "bluegreen", LabelRun: "other", LabelService: "other", LabelLockCommand: command,
				})
				if err != nil {
					t.Fatal(err)
				}
				h.mustRun(t, Request{Command: Down, Service: shop("")})
				if _, err := h.find("bluegreen-nginx"); (err == nil) != stays {
					t.Errorf("nginx: %v", err)
				}
			})
		})
	}
}

// TestAnNginxThatWentAwaySinceItWasSeenIsMadeAnew: its image was not asked for, as there was one.
func TestAnNginxThatWentAwaySinceItWasSeenIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.halt(h.must(t, "bluegreen-nginx"), 1)
		p := h.process(fault{})
		p.at = map[call]func(){{"TakeLock", 2}: func() { _ = h.remove("bluegreen-nginx") }}
		if _, err := p.run(deploy("v3")); err != nil {
			t.Fatal(err)
		}
		soon()
		checkLive(t, h)
	})
}
