package swap

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestWhateverFailsLiveServesOn breaks every call of every command once, before and after it took effect.
func TestWhateverFailsLiveServesOn(t *testing.T) {
	var undone sync.Map // by kind of step
	onEveryScene(t, func(t *testing.T, r reference) {
		r.each(t, failBefore, failAfter, func(t *testing.T, f fault) { r.fails(t, f, &undone) })
	})
	for kind, a := range actions {
		if _, ok := undone.Load(kind); a.undo != nil && !ok && sampled == 1 {
			t.Errorf("the undo of step %s was never reached", kind)
		}
	}
}

func (r reference) fails(t *testing.T, f fault, undone *sync.Map) {
	h := r.open()
	p := h.process(f)
	res, err := p.run(r.request())
	defer p.tell(t, res, err)
	if !p.hit {
		t.Fatal("the call was never made")
	}
	for _, e := range p.events {
		if e.Undo {
			undone.Store(e.Step.Kind, true)
		}
	}
	soon()
	r.checkHistorySays(t, h, res)
	if err != nil {
		r.checkFailed(t, h)
	}
	if err != nil || p.warned() {
		r.again(t, h, err == nil)
	}
	r.checkDone(t, h)
}

// checkHistorySays makes sure that the line of a run, where it has one, has the outcome that the run gave itself: scripts and
// webhooks go by the one, metrics and people by the other. A swap that was only no longer watched stays one there.
func (r reference) checkHistorySays(t *testing.T, h *host, res Result) {
	t.Helper()
	before, now := len(r.open().records()), h.records()
	if len(now) == before || r.moved(h.state(t)) && now[len(now)-1].Error != "" {
		return
	}
	if _, err := h.find("bluegreen-nginx"); err != nil {
		return // there was no place for it any more
	}
	if now[len(now)-1].Outcome != res.Outcome {
		t.Errorf("the result is %s, and the history has %+v", res.Outcome, now[len(now)-1])
	}
}

// again runs the command once more, or, when it is done, another one that has nothing to do but to tidy up.
func (r reference) again(t *testing.T, h *host, done bool) {
	t.Helper()
	request := r.request()
	if done && request.Command == Rollback {
		request = deploy(h.state(t).Confirmed.Image)
	}
	if _, err := h.process(fault{}).run(request); err != nil {
		t.Errorf("tried again: %v", err)
	}
	soon()
}

// checkFailed makes sure that a command which failed left what was there.
func (r reference) checkFailed(t *testing.T, h *host) {
	t.Helper()
	if r.request().Command == Down || r.was.Intent != nil && h.state(t).Intent != nil {
		return // it goes on when it is tried again
	}
	checkWhole(t, h)
	if r.served {
		checkLive(t, h)
	}
	// nginx may have come up and stay, and what waits may have got its restart policy.
	same := strings.NewReplacer("bluegreen-nginx exited", "bluegreen-nginx running", " always", "", " no", "")
	got, want := same.Replace(without(h.summary(), "-failed")), same.Replace(r.before)
	if r.keepsNginx {
		got = regexp.MustCompile(`bluegreen-nginx \w+\n`).ReplaceAllString(got, "")
	}
	if got != want && !r.loses {
		t.Errorf("there is\n%s\nnot\n%s", got, want)
	}
}

// checkDone makes sure that a command which succeeded left what it always leaves.
func (r reference) checkDone(t *testing.T, h *host) {
	t.Helper()
	checkSettled(t, h)
	checkPolicies(t, h)
	got := h.summary()
	if request := r.request(); request.Command == Start || request.Pause {
		got = without(got, "-failed") // kept until a release is live
	}
	if got != r.after {
		t.Errorf("there is\n%s\nnot\n%s", got, r.after)
	}
	if is := h.state(t).Confirmed; is != nil && is.Profile != r.is.Confirmed.Profile {
		t.Errorf("%s is live, not %s", is.Profile, r.is.Confirmed.Profile)
	}
	if !t.Failed() {
		checkWayBack(t, h)
	}
}

// checkPolicies makes sure that what was live and runs comes back when the engine restarts, and what was stopped on
// purpose does not.
func checkPolicies(t *testing.T, h *host) {
	t.Helper()
	for _, b := range h.sorted() {
		switch {
		case b.Labels[LabelRole] != RoleProfile:
		case !b.Running() && b.RestartPolicy != noRestart:
			t.Errorf("%s is %s, and would come back: %s", b.Name, b.State, b.RestartPolicy)
		case b.Running() && release(&b.Container) <= h.state(t).LastLive && b.RestartPolicy != b.Labels[LabelRestart]:
			t.Errorf("%s would not come back: %s", b.Name, b.RestartPolicy)
		}
	}
}

// warned says whether the run told of something that it could not do, and the next one will.
func (p *process) warned() bool {
	return slices.ContainsFunc(p.events, func(e Event) bool { return strings.HasPrefix(e.Text, "warning: ") })
}

// tell logs what a run did when its test failed.
func (p *process) tell(t *testing.T, res Result, err error) {
	if !t.Failed() {
		return
	}
	text := fmt.Sprintf("%s: %s, %v\n", p.fault, res.Outcome, err)
	for _, e := range p.events {
		switch {
		case e.Kind == Progress:
			text += "  " + e.Text + "\n"
		case e.Step != nil:
			text += fmt.Sprintf("  %s undo=%v %s %v\n", e.Kind, e.Undo, e.Step.Name(), e.Err)
		}
	}
	from := slices.IndexFunc(p.calls, func(c call) bool { return c == p.fault.call })
	t.Log(text, "  calls from there:", p.calls[max(0, from):], "\n"+p.h.summary())
}
