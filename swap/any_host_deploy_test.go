package swap

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"bluegreen/health"
	"bluegreen/nginx"
)

// live is what new connections get; empty when nothing answers them.
func (h *host) live() string {
	targets := h.serving("shop")
	if len(targets) != 1 {
		return ""
	}
	if _, err := h.probe(health.Probe{URL: "http://127.0.0.1:80/", Host: "", Profile: targets[0].Profile}); err != nil {
		return ""
	}
	return targets[0].String()
}

// TestADeployOnAnyHost: whatever is there, a deploy ends with the wanted release live and nothing left of it, or says
// what is in its way; and requests that were answered before are answered all the time.
func TestADeployOnAnyHost(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m := anyMess(rt)
		var problems []string
		synctest.Test(t, func(t *testing.T) { problems = m.deploy(t, seen) })
		if len(problems) > 0 {
			rt.Fatalf("%s\n%+v", strings.Join(problems, "\n"), m)
		}
	})
	for what, n := range seen {
		t.Logf("%5d %s", n, what)
	}
}

func (m mess) deploy(t *testing.T, seen map[string]int) (problems []string) {
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	h := m.make(t)
	before := h.live()
	var last string
	if m.fault.mode != fine {
		_, _ = h.process(m.fault).run(deploy("v4"))
		soon()
	}
	for range 3 {
		was := h.print()
		p := h.process(fault{})
		_, err := p.run(deploy("v3"))
		soon()
		if before != "" {
			problems = append(problems, h.wrongs...)
		}
		h.wrongs = nil
		for _, b := range h.sorted() {
			if role := b.Labels[LabelRole]; (role == RoleLock || role == RoleOneShot) && (err == nil || h.runs[b.Labels[LabelRun]] == p) {
				wrong("left behind: %s", b.Name)
			}
		}
		if err == nil {
			seen["done"]++
			if m.nginx == "none" { // it was brought back: only now can an open swap be settled
				if _, err := h.process(fault{}).run(deploy("v3")); err != nil {
					wrong("with nginx back: %v", err)
				}
				soon()
			}
			return append(problems, h.checkDone(t)...)
		}
		if ExitCode(err) == ExitUsage && without(h.print(), "-lock") != without(was, "-lock") {
			wrong("%v, and yet there is\n%s\nnot\n%s", err, h.print(), was)
		}
		if now := h.live(); before != "" && now == "" {
			wrong("%s was live, and nothing is, after %v", before, err)
		}
		last = err.Error()
	}
	seen[last]++
	return problems
}

// checkDone is what is true after a deploy that succeeded.
func (h *host) checkDone(t *testing.T) (problems []string) {
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	st, err := parseState([]byte(h.volumes["bluegreen-nginx"][nginx.StatePath("shop")]))
	if err != nil {
		return nil // there was nothing to do: the next swap writes it anew
	}
	switch c := st.Confirmed; {
	case c == nil: // the include alone says what is live
		if t, err := nginx.ParseInclude("shop", h.volumes["bluegreen-nginx"][nginx.IncludePath("shop")]); err != nil || h.live() != t.String() {
			wrong("%q is live, the include says %v, %v", h.live(), t, err)
		}
	case h.live() != (nginx.Target{Service: "shop", Profile: c.Profile, Release: c.Release}).String():
		wrong("%q is live, %+v recorded", h.live(), c)
	case h.must(t, "shop-"+c.Profile).ImageID != "sha256:v3":
		wrong("%s runs something else", c.Profile)
	}
	if st.Intent != nil {
		wrong("an intent is open")
	}
	for _, b := range h.sorted() {
		if st.Confirmed != nil && b.State == "created" && b.Labels[LabelService] == "shop" && b.Labels[LabelRole] == RoleProfile && release(&b.Container) > st.LastLive {
			wrong("left behind: %s in state created", b.Name)
		}
	}
	// A second run may still put in order what stood in the first one's way. From then on nothing changes.
	again := func() string {
		res, err := h.process(fault{}).run(deploy("v3"))
		if soon(); err != nil || res.Outcome != Unchanged {
			wrong("again: %+v, %v", res, err)
		}
		return h.summary()
	}
	if second, third := again(), again(); second != third {
		wrong("there is\n%s\nthen\n%s", second, third)
	}
	return append(problems, h.wrongs...)
}
