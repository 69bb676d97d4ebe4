package swap

import (
	"slices"
	"testing"
	"testing/synctest"
)

// TestWhateverFailsInAnUndoLiveServesOn makes a command fail and then breaks its undoing, at each call of it, by
// errors and by the death of the process.
func TestWhateverFailsInAnUndoLiveServesOn(t *testing.T) {
	onEveryScene(t, func(t *testing.T, r reference) {
		if !slices.Contains(withUndos, r.name) {
			t.Skip("the same undos in another order")
		}
		for _, first := range r.failures() {
			t.Run(first.String(), func(t *testing.T) {
				for _, second := range r.seconds(t, first) {
					t.Run(second.String(), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { r.failsTwice(t, first, second) })
					})
				}
			})
		}
	})
}

// withUndos are the scenes whose commands have all the undos.
var withUndos = []string{"first deploy", "redeploy", "deploy of a site", "rollback to a stopped profile", "start", "stop", "switch"}

// failures are one at the start of the new release, one at each part of the switch, and one in the watch.
func (r reference) failures() (list []fault) {
	for _, f := range []fault{
		{call{"Start", 1}, failAfter}, {call{"Apply", 1}, failAfter}, {call{"Confirm", 1}, failBefore}, {call{"Apply", 2}, failBefore},
	} {
		if slices.Contains(r.calls, f.call) {
			list = append(list, f)
		}
	}
	last := call{"Probe", 0}
	for _, c := range r.calls {
		if c.op == last.op {
			last = c
		}
	}
	return append(list, fault{last, sickens})
}

// seconds are the faults that can come after the first: one at every call that is made because of it.
func (r reference) seconds(t *testing.T, first fault) (list []fault) {
	synctest.Test(t, func(t *testing.T) {
		p := r.open().process(first)
		if _, err := p.run(r.request()); err == nil {
			return // it was no reason to undo anything
		}
		soon()
		at := slices.Index(p.calls, first.call)
		list = slices.Concat(faults(p.calls[at+1:], failBefore, failAfter), faults(p.calls[at+1:], fine, killAfter))
	})
	return list
}

func (r reference) failsTwice(t *testing.T, first, second fault) {
	h := r.open()
	h.careless = true
	p := h.process(first)
	p.second = second
	res, err := p.run(r.request())
	defer p.tell(t, res, err)
	soon()
	if r.served && len(h.serving("shop")) == 0 {
		t.Error("nothing is served")
	}
	if c := r.request().Command; first.mode == sickens && (c == Rollback || c == Switch) {
		runNext(t, h, deploy("v4")) // the same release does not go live once more
		return
	}
	done := p.dead && r.moved(h.state(t)) && h.state(t).Intent == nil
	r.again(t, h, done)
	r.checkDone(t, h)
}
