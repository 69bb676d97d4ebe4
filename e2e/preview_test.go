package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// looksPerTurn are how many looks at each name there are between two swaps, at least.
const looksPerTurn = 100

// nobodyWaits is what a preview says where no release answers.
const nobodyWaits = "no release answers in the idle profile"

// Under load on the public name, and looks at both names on connections of their own, over several deploys and rollbacks.
func TestThePreviewNameAlwaysShowsTheIdleProfileAndNeverLeaks(t *testing.T) {
	h := newHost(t, withPreview)
	l := newTraffic(h)
	first := h.deploy("v1")
	l.deployed("v1", first)
	live := turns(nil).next(t, first)
	if got := h.look(nextName); got.status != 503 || !strings.Contains(got.body, nobodyWaits) {
		t.Errorf("with one release, the preview says %+v", got)
	}
	var open kept
	l.start(load.Config{Connections: busyConnections, Period: steadyPeriod, Each: open.note})
	public, preview := h.lookAt(shopName), h.lookAt(nextName)
	swap := func(out output) {
		t.Helper()
		live = live.next(t, out)
		confirmed := live[len(live)-1].confirmed
		public.await(looksPerTurn, confirmed)
		preview.await(looksPerTurn, confirmed)
	}
	swap(l.deploy("v2", "switch"))
	swap(l.deploy("v3", "retire"))
	swap(l.under("", nil, "rollback"))
	swap(l.under("", nil, "rollback"))
	swap(l.deploy("v4", "retire"))
	swap(l.under("", nil, "rollback"))
	public.stop()
	preview.stop()
	l.wantNoLoss()
	wantPublic(t, live, public.seen)
	wantIdle(t, live, preview.seen)
	wantOneLastAnswer(t, live, open.all)
}

// wantPublic wants every look at the public name answered, and by the live profile.
func wantPublic(t *testing.T, live turns, seen []look) {
	t.Helper()
	for _, x := range seen {
		if x.err != nil || x.status != 200 {
			t.Fatalf("the public name: %+v", x)
		}
		for _, turn := range live {
			if turn.holds(x.sent, x.done) && x.profile != turn.live {
				t.Fatalf("while %s was live (%+v), the public name showed %+v", turn.live, turn, x)
			}
		}
	}
	t.Logf("%d looks at the public name", len(seen))
}

// wantIdle wants every look at the preview answered by the idle profile, or by the word that nobody answers there.
func wantIdle(t *testing.T, live turns, seen []look) {
	t.Helper()
	shown, nobody := 0, 0
	for _, x := range seen {
		switch waits := x.status == 503 && x.profile == "" && strings.Contains(x.body, nobodyWaits); {
		case x.err != nil || x.status != 200 && !waits:
			t.Fatalf("the preview: %+v", x)
		case waits:
			nobody++
			continue
		}
		shown++
		for _, turn := range live {
			if turn.holds(x.sent, x.done) && x.profile == turn.live {
				t.Fatalf("while %s was live (%+v), the preview showed it: %+v", turn.live, turn, x)
			}
		}
	}
	for _, turn := range live[1:] {
		if !slices.ContainsFunc(seen, func(x look) bool { return turn.holds(x.sent, x.done) && x.profile != "" }) {
			t.Errorf("while %s was live, the preview showed nobody", turn.live)
		}
	}
	t.Logf("%d looks at the preview: %d times a release, %d times nobody", len(seen), shown, nobody)
}

// wantOneLastAnswer: a worker on its way out answers once more on a connection that was open.
func wantOneLastAnswer(t *testing.T, live turns, all []load.Exchange) {
	t.Helper()
	late := map[string]int{}
	for _, x := range all {
		for i, turn := range live {
			if turn.holds(x.Sent, x.Done) && x.Profile != "" && x.Profile != turn.live {
				late[fmt.Sprintf("swap %d, connection %d", i, x.Connection)]++
			}
		}
	}
	for where, n := range late {
		if n > 1 {
			t.Errorf("%s: the idle profile answered %d requests that were sent after the swap was confirmed", where, n)
		}
	}
	t.Logf("%d of %d answers on kept-open connections were last ones", len(late), len(all))
}

// What guards the public name guards the preview, unless it has something of its own; maintenance closes the one alone.
func TestThePreviewIsGuardedAndSaysItIsOneAlsoInMaintenance(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	h := newHost(t, withTLS(ca), withPreview, guarded, ownKey("tls.hsts", "8760h"), ownKey("headers", map[string]any{"X-Frame-Options": "DENY"}))
	if out := h.run("deploy"); out.code != 2 || !strings.Contains(out.stderr, "is not for "+nextName) {
		t.Fatalf("want a certificate refused that is not for the preview: %v", out)
	}
	h.renew(ca.issue(inDays(30), shopName, nextName))
	h.deploy("v1")
	h.deploy("v2")
	const next, plain = "https://" + nextName, "http://" + nextName
	ann, bob := as("ann", "let me in"), as("bob", "let me in")
	says := map[string]string{"X-Robots-Tag": "noindex", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000"}
	h.wantFrom(t, plain+"/a?b", wants{status: 308, version: "-", header: map[string]string{"Location": fmt.Sprintf("%s:%d/a?b", next, h.httpsPort)}})
	h.wantFrom(t, next+"/", wants{status: 401, version: "-", header: says})
	h.wantFrom(t, next+"/", wants{status: 200, version: "v1", header: says}, ann)
	h.wantFrom(t, next+"/stream?for=1ms", wants{status: 200, version: "v1", header: says, body: "done"}, ann, forEvents)
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v2", header: map[string]string{"X-Robots-Tag": "", "Cache-Control": ""}}, ann)

	h.write("testers", []byte(strings.Replace(visitors, "ann:", "bob:", 1)))
	h.change(ownKey("preview.basic_auth", map[string]any{"file": "testers"}))
	h.must("reload")
	h.wantFrom(t, next+"/", wants{status: 401, version: "-"}, ann)
	h.wantFrom(t, next+"/", wants{status: 200, version: "v1"}, bob)
	h.wantFrom(t, shop+"/", wants{status: 401, version: "-"}, bob)

	h.must("maintenance", "on")
	h.wantFrom(t, shop+"/", wants{status: 503, version: "-"}, ann)
	h.wantFrom(t, next+"/", wants{status: 200, version: "v1", header: says}, bob)
	h.rollback()
	h.wantFrom(t, next+"/", wants{status: 200, version: "v2"}, bob)
	h.must("maintenance", "off")
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v1"}, ann)

	url := fmt.Sprintf("%s:%d/", next, h.httpsPort)
	if s := h.status(); !slices.Equal(s.Preview, []string{url}) {
		t.Errorf("the status names the preview %q", s.Preview)
	}
	if out := h.must("status"); !strings.Contains(out.stdout, "preview of the idle profile: "+url) {
		t.Errorf("the status does not name the preview: %v", out)
	}
	h.must("stop")
	began := time.Now()
	h.wantFrom(t, next+"/", wants{status: 503, version: "-", body: nobodyWaits, header: says}, bob)
	t.Logf("that nobody answers is said after %v", time.Since(began).Round(time.Millisecond))
	h.must("doctor")
	h.change(ownKey("preview", nil))
	h.must("reload")
	h.wantFrom(t, plain+"/", wants{status: 404, version: "-"})
	if left := h.exec(h.nginx(), "sh", "-c", "ls /etc/nginx/bluegreen/sites/*/files/*.htpasswd | wc -l"); strings.TrimSpace(left) != "1" {
		t.Errorf("%s files of passwords are left", strings.TrimSpace(left))
	}
}
