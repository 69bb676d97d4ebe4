package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// labelled makes another image of one.
func labelled(text string) func(*v1.ConfigFile) {
	return func(f *v1.ConfigFile) { f.Config.Labels = map[string]string{"test": text} }
}

// Pulls from a real registry, under load: with docker's login in its forms, by tag and by digest; and what a registry can
// refuse or fail to give, of which none touches what is live.
func TestPullsFromARegistry(t *testing.T) {
	s := newShelf(t)
	hello := s.pushHello("shop:base")
	digests := map[string]string{}
	for _, tag := range []string{"v1", "v2", "v3", "v4"} {
		digests[tag] = s.push("shop:"+tag, hello, labelled(tag))
	}
	s.push("shop:arm", hello, func(f *v1.ConfigFile) { f.Architecture = "arm64"; labelled("arm")(f) })
	s.pushLarge("shop:large")
	s.closed.Store(true)
	h := newHost(t, serviceKey("image", s.ref("${REF:-none}")))
	l := newTraffic(h)
	good := s.login(password(shelfSecret))
	deploy := func(env []string, version, ref string, args ...string) output {
		t.Helper()
		out := h.runWith(append([]string{"VERSION=" + version, "REF=" + ref}, env...), append([]string{"deploy", "-o", "json"}, args...)...)
		if out.code == 0 && out.result().Outcome == "swapped" {
			l.deployed(version, out)
		}
		return out
	}

	out := deploy(good, "v1", "shop:v1")
	wantPulled(t, h, out, "v1", digests["v1"])
	l.begin(lightConnections, lightPeriod)
	wantPulled(t, h, deploy(s.helper(), "v2", "shop:v2"), "v2", digests["v2"])

	before := h.status()
	wantRefused := func(what string, out output, code int, says ...string) {
		t.Helper()
		if r := out.result(); out.code != code || r.Live != before.Live || r.Release != before.Release || out.find("plan", "").Event != "" {
			t.Errorf("%s: want exit %d, and %s untouched: %v", what, code, before.Live, out)
		}
		for _, part := range says {
			if !strings.Contains(out.stderr, part) {
				t.Errorf("%s: stderr lacks %q: %v", what, part, out)
			}
		}
		for _, secret := range []string{shelfSecret, "wr0ng", "\x1b"} {
			if strings.Contains(out.stderr, secret) {
				t.Errorf("%s: %q is in stderr: %v", what, secret, out)
			}
		}
		after := h.status()
		if after.Lock != nil || !slices.Equal(after.Profiles, before.Profiles) {
			t.Errorf("%s: before %+v\nafter %+v", what, before, after)
		}
	}
	next := "next: docker login " + s.host + "; then run `bluegreen deploy` again"
	wantRefused("wrong password", deploy(s.login(password("wr0ng")), "bad", "shop:v3"), 1, s.host+") refuses the login that docker has", `who are you?\x1b[31m`, next)
	wantRefused("no login", deploy(s.login("{}"), "bad", "shop:v3"), 1, "docker has none for it here", next)
	wantRefused("unreadable config.json", deploy(s.login("{"), "bad", "shop:v3"), 1, "docker has none for it here", next)
	wantRefused("helper that is not there", deploy(s.login(`{"credsStore":"none-such"}`), "bad", "shop:v3"), 1, "docker-credential-none-such")
	wantRefused("vanished tag", deploy(good, "bad", "shop:v9"), 1, "has no such image", "check name and tag")
	wantRefused("vanished tag, dry run", deploy(good, "bad", "shop:v9", "--dry-run"), 1, "has no such image")
	wantRefused("never", deploy(good, "bad", "shop:v3", "--pull", "never"), 1, "its pull policy is never")
	wantRefused("another platform", deploy(good, "bad", "shop:arm"), 1, "is for linux/arm64, and the host is linux/amd64", "next: build it for linux/amd64")
	s.stalls.Store(true)
	out = deploy(good, "bad", "shop:large", "--timeout", "2s")
	wantRefused("stalled layer", out, 1, "the command's --timeout passed: while image "+s.ref("shop:large")+" was fetched; nothing was touched")
	if !slices.ContainsFunc(out.events, func(e event) bool { return e.Text == "Downloading" }) {
		t.Errorf("it did not stall in the middle of a layer: %v", out)
	}
	s.stalls.Store(false)

	if out := deploy(good, "v3", "shop:v3", "--dry-run"); out.code != 0 || !strings.Contains(out.stdout, digests["v3"][:19]) {
		t.Errorf("a dry run does not tell what a deploy would pull: %v", out)
	}
	out = deploy(good, "v3", "shop@"+digests["v3"])
	wantPulled(t, h, out, "v3", digests["v3"])

	wantPulled(t, h, deploy(good, "v4", "shop:v4"), "v4", digests["v4"])
	moved := s.push("shop:v4", hello, labelled("moved"))
	note := "shop:v4 has moved in its registry (to " + moved[:19]
	for _, args := range [][]string{{"--dry-run"}, {}} {
		out := deploy(good, "v4", "shop:v4", args...)
		if out.code != 0 || out.result().Outcome != "unchanged" || !strings.Contains(strings.Join(out.find("plan", "").Notes, "\n"), note) {
			t.Errorf("want nothing to do, and %q: %v", note, out)
		}
	}
	wantPulled(t, h, deploy(good, "v5", "shop:v4", "--pull", "always"), "v5", moved)
	l.wantNoLoss()
}

// wantPulled checks that a deploy pulled its image, and that the host remembers the digest.
func wantPulled(t *testing.T, h *host, out output, version, digest string) {
	t.Helper()
	if out.code != 0 || out.result().Outcome != "swapped" {
		t.Fatalf("%s: want a swap: %v", version, out)
	}
	if !slices.ContainsFunc(out.events, func(e event) bool {
		return strings.HasPrefix(e.Text, "pulled ") && strings.Contains(e.Text, "("+digest[:19]+"…)")
	}) {
		t.Errorf("%s: it does not say that it pulled %s: %v", version, digest, out)
	}
	live := out.result().Live
	if got := h.inspect(t, h.container(live)).Config.Labels["bluegreen.digest"]; got != digest {
		t.Errorf("%s: label %q, want %q", version, got, digest)
	}
	status, history := h.must("status", "-o", "json").stdout, h.must("history", "-o", "json", "-n", "1").stdout
	var last struct{ Digest string }
	if err := json.Unmarshal([]byte(history), &last); err != nil || last.Digest != digest || !strings.Contains(status, `"digest":"`+digest+`"`) {
		t.Errorf("%s: digest %s: history %s\nstatus %s", version, digest, history, status)
	}
}
