package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each kill is kill -9 of the real binary, at the moment when it says that it begins or has done a step.

// afterAKill is what the next deploy has to find and to leave: the truth told, the release live, nothing of the killed run.
func (h *host) afterAKill(t *testing.T, l *traffic, next string) {
	t.Helper()
	h.wantTruth(t)
	l.deployed(next, h.deploy(next))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	h.wantTidyVolume(t)
}

func TestKilledAtAnyStepTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	t.Parallel()
	h, l := newPair(t)
	for i, step := range redeploySteps {
		for _, kind := range []string{"step_started", "step_done"} {
			t.Run(kind+" "+step, func(t *testing.T) {
				killed := fmt.Sprint("killed", i, kind)
				l.interrupted(killed, h.begun(syscall.SIGKILL, kind, step, killed))
				h.afterAKill(t, l, fmt.Sprint("next", i, kind))
			})
		}
	}
	l.wantNoLoss()
	h.wantOneLineARun(t)
}

// The other commands that change something: what each needs before it, and its steps.
var killedCommands = []struct {
	command string
	before  [][]string
	steps   []string
}{
	{"rollback", nil, []string{"health", "switch", "verify"}},
	{"stop", nil, []string{"drain", "stop"}},
	{"start", [][]string{{"stop"}}, []string{"drain", "retire", "create"}},
	{"health", [][]string{{"stop"}, {"start"}}, []string{"health"}},
	{"promote", [][]string{{"deploy", "--pause"}}, []string{"health", "switch", "verify", "watch", "finish"}},
	{"abort", [][]string{{"deploy", "--pause"}}, []string{"discard", "restore"}},
	{"switch", [][]string{{"stop"}, {"start"}, {"health"}}, []string{"health", "switch", "verify", "watch", "finish"}},
}

func TestKilledAtAnyStepOfAnotherCommandTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	t.Parallel()
	h, l := newPair(t)
	for _, c := range killedCommands {
		for i, step := range c.steps {
			for _, kind := range []string{"step_started", "step_done"} {
				t.Run(c.command+" "+kind+" "+step, func(t *testing.T) {
					version := fmt.Sprint(c.command, i, kind)
					for _, before := range c.before {
						out := h.mustWith([]string{"VERSION=" + version}, append(before, "-o", "json")...)
						l.interrupted(version, out)
					}
					l.interrupted(version, h.begunWith(syscall.SIGKILL, kind, step, version, c.command))
					h.afterAKill(t, l, version+"next")
				})
			}
		}
	}
	l.wantNoLoss()
	h.wantOneLineARun(t)
}

// What a stage is killed in can be tried again, too: it goes on where it was, and a switch never flips back.
func TestAKilledStageIsTriedAgain(t *testing.T) {
	skipShort(t)
	t.Parallel()
	h, l := newPair(t)
	for i, step := range []string{"stop", "create", "health", "switch", "verify"} {
		t.Run(step, func(t *testing.T) {
			version := fmt.Sprint("stages", i)
			stage := map[string]string{"stop": "stop", "create": "start", "health": "health", "switch": "switch", "verify": "switch"}
			live := h.status().Live
			for _, command := range []string{"stop", "start", "health", "switch"} {
				if command == stage[step] {
					l.interrupted(version, h.begunWith(syscall.SIGKILL, "step_started", step, version, command))
					h.wantTruth(t)
				}
				l.interrupted(version, h.mustWith([]string{"VERSION=" + version}, command, "-o", "json"))
			}
			if s := h.status(); s.Live == live || s.profile(s.Live).Health != "ok" {
				t.Errorf("want the other profile than %s live: %+v", live, s)
			}
			h.wantAnswer(t, version, h.status().Live)
		})
	}
	l.deployed("last", h.deploy("last"))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	l.wantNoLoss()
}

// Steps have moments of their own: 50 kills at random ones. A first deploy is killed some time after it began its first
// step, the next one while it settles what the first left, or later, and the third has to carry on.
func TestKilledAtAnyMomentTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	t.Parallel()
	const rounds, whole = 25, 1600 * time.Millisecond // of a deploy
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("BLUEGREEN_TEST_SEED"), fmt.Sprint(time.Now().UnixNano())), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("BLUEGREEN_TEST_SEED=%d", seed)
	moment := rand.New(rand.NewPCG(seed, 0))
	h, l := newPair(t)
	for i := range rounds {
		first, second := time.Duration(moment.Int64N(int64(whole))), time.Duration(moment.Int64N(int64(whole)))
		t.Run(fmt.Sprintf("%d at %v and %v", i, first, second), func(t *testing.T) {
			one, two := fmt.Sprint("first", i), fmt.Sprint("second", i)
			l.interrupted(one, h.killedAfter(first, true, one))
			h.wantTruth(t)
			l.interrupted(two, h.killedAfter(second, false, two))
			h.afterAKill(t, l, fmt.Sprint("last", i))
		})
	}
	l.wantNoLoss()
	h.wantOneLineARun(t)
}

// killedAfter kills a deploy that long after its start, or after it began its first step.
func (h *host) killedAfter(wait time.Duration, planned bool, version string) output {
	h.t.Helper()
	p := h.start([]string{"VERSION=" + version}, "deploy", "-o", "json")
	if planned {
		p.await(func(e event) bool { return e.Event == "step_started" })
	}
	select {
	case <-time.After(wait):
	case <-p.ended:
	}
	p.kill()
	return p.wait()
}

func TestKilledInTheFirstDeployTheNextOneCarriesOn(t *testing.T) {
	skipShort(t)
	t.Parallel()
	for _, step := range firstSteps {
		for _, kind := range []string{"step_started", "step_done"} {
			t.Run(kind+" "+step, func(t *testing.T) {
				t.Parallel()
				h := newHost(t)
				h.begun(syscall.SIGKILL, kind, step, "v1")
				h.wantTruth(t)
				out := h.deploy("v2")
				for name, state := range h.containers(t) {
					if name != "real1" && name != "real2" || state != "running" {
						t.Errorf("container %s is %s", name, state)
					}
				}
				if s := h.status(); s.Live != out.result().Live || s.profile(s.Live).Health != "ok" || s.Lock != nil {
					t.Errorf("want %s live, well and unlocked: %+v", out.result().Live, s)
				}
				h.wantTidyVolume(t)
			})
		}
	}
}

// wantTruth checks that status says what nginx's answers say, whatever a run left, and that nobody holds the lock. Workers
// that a reload retires may answer a moment longer.
func (h *host) wantTruth(t *testing.T) {
	t.Helper()
	const moment = 5 * time.Second
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		s := h.status()
		_, answered, err := ask(t.Context(), http.DefaultClient, h.addr())
		if (s.Live == answered || s.Live == "" && err != nil) && (s.Lock == nil || s.Lock.Gone) {
			return
		}
		if time.Since(begin) > moment {
			t.Fatalf("status says that %q is live, lock %+v; nginx's answer is from %q (%v)", s.Live, s.Lock, answered, err)
		}
	}
}

// wantOneLineARun checks that every run has one line of history, also those that were killed.
func (h *host) wantOneLineARun(t *testing.T) {
	t.Helper()
	lines, killed := map[string]int{}, 0
	for line := range strings.Lines(h.must("history", "-o", "json", "--last", "0").stdout) {
		var r struct{ Run, Outcome, Error string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if lines[r.Run]++; lines[r.Run] > 1 {
			t.Errorf("run %s has %d lines", r.Run, lines[r.Run])
		}
		if strings.Contains(r.Error, "the run was killed") {
			killed++
		}
	}
	if killed == 0 {
		t.Errorf("none of the killed runs is told of: %v", lines)
	}
}
