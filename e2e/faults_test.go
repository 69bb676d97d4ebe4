package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ordeal is a host under light load, with one release live and the one before it warm, whose deploys meet faults.
type ordeal struct {
	*host
	l    *traffic
	live event // result of the command that made the live release live
	n    int   // deploys so far: each has a version of its own
}

func newOrdeal(t *testing.T, options ...option) *ordeal {
	t.Helper()
	h, l := newPair(t, options...)
	return &ordeal{host: h, l: l, live: event{Live: "real2", Idle: "real1", Release: 2}}
}

// version is that of the live release.
func (o *ordeal) version() string { return o.l.version[o.live.Live] }

// begin starts a deploy of a version of its own, which may have a fault of its own.
func (o *ordeal) begin(fault string, args ...string) (p *process, version string) {
	o.t.Helper()
	o.n++
	version = fmt.Sprint("faulty", o.n)
	return o.start([]string{"VERSION=" + version, "FAULT=" + fault}, append([]string{"deploy", "-o", "json"}, args...)...), version
}

// meets runs a deploy that meets a fault when it says that it begins a step.
func (o *ordeal) meets(step string, fault func(), args ...string) output {
	o.t.Helper()
	return o.meetsAt("step_started", step, fault, args...)
}

func (o *ordeal) meetsAt(kind, step string, fault func(), args ...string) output {
	o.t.Helper()
	p, version := o.begin("", args...)
	p.holdAt(kind, step, fault)
	return o.ended(p, version)
}

// ended waits for a deploy and notes what it could have made answer. After a failure the version from before is the one
// that a rollback brings back.
func (o *ordeal) ended(p *process, version string) output {
	o.t.Helper()
	out, idle, was := p.wait(), o.live.Idle, o.l.version[o.live.Idle]
	o.l.interrupted(version, out)
	if out.code != 0 {
		o.l.version[idle] = was
	}
	return out
}

// holdAt waits for an event, and lets the command stand still while fault happens.
func (p *process) holdAt(kind, step string, fault func()) {
	p.t.Helper()
	if _, ok := p.await(func(e event) bool { return e.Event == kind && e.Step == step && !e.Undo }); !ok {
		p.t.Fatalf("no %s of %s: %v", kind, step, p.wait())
	}
	p.signal(syscall.SIGSTOP)
	defer p.signal(syscall.SIGCONT)
	fault()
}

// wantUnharmed checks that a deploy failed before its swap, says what failed, what is live and what to do, and that the
// live release is the one from before.
func (o *ordeal) wantUnharmed(t *testing.T, out output, says ...string) {
	t.Helper()
	o.wantCode(t, out, 1)
	o.wantTold(t, out, says...)
	o.wantLive(t)
}

func (o *ordeal) wantCode(t *testing.T, out output, code int) {
	t.Helper()
	if out.code != code || out.result().Outcome != "failed" {
		t.Errorf("want exit %d, failed: %v", code, out)
	}
}

// wantTold checks the message of a failure that left the live release where it was.
func (o *ordeal) wantTold(t *testing.T, out output, says ...string) {
	t.Helper()
	if r := out.result(); r.Live != o.live.Live || r.Release != o.live.Release {
		t.Errorf("want release %d live in %s: %v", o.live.Release, o.live.Live, out)
	}
	says = append(says, fmt.Sprintf("live: release %d (", o.live.Release), ") in "+o.live.Live, "next: ")
	for _, part := range says {
		if !strings.Contains(out.stderr, part) {
			t.Errorf("stderr lacks %q: %v", part, out)
		}
	}
}

// wantLive checks that the live release answers, and that status says so.
func (o *ordeal) wantLive(t *testing.T) {
	t.Helper()
	o.wantAnswer(t, o.version(), o.live.Live)
	s := o.status()
	if p := s.profile(o.live.Live); s.Live != o.live.Live || s.Release != o.live.Release || p.Health != "ok" {
		t.Errorf("want release %d live and well in %s: %+v", o.live.Release, o.live.Live, s)
	}
}

// goesOn checks that the next deploy works, and leaves both profiles running and nothing else.
func (o *ordeal) goesOn(t *testing.T) {
	t.Helper()
	o.n++
	version := fmt.Sprint("next", o.n)
	out := o.deploy(version)
	o.l.deployed(version, out)
	o.live = out.result()
	o.wantLive(t)
	o.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	o.wantTidyVolume(t)
}

// goesBack checks that a rollback works, to the release that is in the idle profile now.
func (o *ordeal) goesBack(t *testing.T) {
	t.Helper()
	began := time.Now()
	out := o.rollback()
	if out.result().Live != o.live.Idle {
		t.Errorf("want %s live: %v", o.live.Idle, out)
	}
	o.live = out.result()
	o.l.releases.Live(o.version(), began) // it may have been stopped in between
	o.wantLive(t)
}

// quiet keeps the load away while something is done that no promise covers, such as an end of nginx itself.
func (l *traffic) quiet(do func()) {
	l.h.t.Helper()
	for _, run := range l.runs {
		run.Stop()
	}
	defer l.begin(lightConnections, lightPeriod)
	do()
}
