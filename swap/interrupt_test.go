package swap

import (
	"errors"
	"strings"
	"testing"
)

// TestInterruptedIsUndone presses Ctrl-C at every call of every command.
func TestInterruptedIsUndone(t *testing.T) {
	onEveryScene(t, func(t *testing.T, r reference) { r.each(t, cancelBefore, cancelAfter, r.interrupted) })
}

func (r reference) interrupted(t *testing.T, f fault) {
	h := r.open()
	p := h.process(f)
	res, err := p.run(r.request())
	defer p.tell(t, res, err)
	if err != nil && (ExitCode(err) != ExitInterrupted || res.Outcome != Interrupted) {
		t.Errorf("exit code %d, outcome %s", ExitCode(err), res.Outcome)
	}
	soon()
	r.checkHistorySays(t, h, res)
	done := err == nil || r.moved(h.state(t))
	if !done {
		r.checkFailed(t, h)
	}
	if err != nil || p.warned() {
		r.again(t, h, done)
	}
	r.checkDone(t, h)
}

// moved says whether the swap was confirmed.
func (r reference) moved(now State) bool {
	return now.Confirmed != nil && (r.was.Confirmed == nil || *now.Confirmed != *r.was.Confirmed)
}

// TestKilledAtAnyMomentTheNextCommandSettles kills every command after every call that changes something, and in
// the middle of those that take several steps on the host; then every command that may come next is tried.
func TestKilledAtAnyMomentTheNextCommandSettles(t *testing.T) {
	onEveryScene(t, func(t *testing.T, r reference) { r.each(t, fine, killAfter, r.killed) })
}

func (r reference) killed(t *testing.T, f fault) {
	h := r.open()
	p := h.process(f)
	res, err := p.run(r.request())
	defer p.tell(t, res, err)
	if !p.dead {
		t.Fatal("it lives")
	}
	if r.served && r.request().Command != Down && r.request().Command != Recreate && len(h.serving("shop")) == 0 {
		t.Error("nothing is served")
	}
	for _, next := range []func(*testing.T, *host){r.sameNext, r.deployNext, r.rollbackNext, r.switchNext} {
		next(t, h.clone())
	}
}

func (r reference) sameNext(t *testing.T, h *host) {
	if r.request().Command == Rollback && h.state(t).Intent == nil && r.moved(h.state(t)) {
		return // it was over, and another one would be the way forth again
	}
	runNext(t, h, r.request())
	r.checkDone(t, h)
}

func (r reference) deployNext(t *testing.T, h *host) {
	runNext(t, h, deploy("v4"))
	for _, b := range h.sorted() {
		if strings.HasSuffix(b.Name, "-prev") || strings.HasSuffix(b.Name, "-failed") {
			t.Errorf("after a deploy: %s is left", b.Name)
		}
	}
	checkLive(t, h)
	if got := h.state(t).Confirmed; got == nil || got.Image != "v4" {
		t.Errorf("after a deploy of v4, %+v is live", got)
	}
	checkWayBack(t, h)
}

func (r reference) rollbackNext(t *testing.T, h *host) {
	p := h.process(fault{})
	_, err := p.run(command(Rollback))
	var nothing *NothingToRollBackError
	if errors.As(err, &nothing) && (r.was.Previous == nil || r.request().Command == Down) {
		err = nil
	}
	if err != nil {
		t.Errorf("next, a rollback: %v", err)
	}
	soon()
	checkWhole(t, h)
	if err == nil {
		checkLive(t, h)
	}
}

func (r reference) switchNext(t *testing.T, h *host) {
	_, err := h.process(fault{}).run(command(Switch))
	var ended *EndedError // what waited may have been stopped, and is not there to be switched to
	if err != nil && !errors.As(err, &ended) {
		t.Errorf("next, a switch: %v", err)
	}
	soon()
	checkWhole(t, h)
	if r.served {
		checkLive(t, h) // else there may be nothing to switch, and nginx stays down
	}
}

func runNext(t *testing.T, h *host, request Request) {
	t.Helper()
	p := h.process(fault{})
	if res, err := p.run(request); err != nil {
		t.Errorf("next, a %s: %v", request.Command, err)
		p.tell(t, res, err)
	}
	soon()
	checkWhole(t, h)
}
