package e2e

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"bluegreen/rehearse/load"
)

// Of TestSwapLosesNoRequest: each deploy waits for the drain of the one before it, up to 13 s.
const (
	deploys      = 20
	fewDeploys   = 6
	wantRequests = 50_000
)

func TestSwapLosesNoRequest(t *testing.T) {
	skipShort(t)
	f := swapsLoseNoRequest(t, func(deployed int) bool { return deployed < deploys })
	if f.requests < wantRequests {
		t.Errorf("want %d requests or more: the load was too light to show anything", wantRequests)
	}
}

// TestSoak is the same for as long as BLUEGREEN_SOAK_FOR says, at most what -timeout allows.
func TestSoak(t *testing.T) {
	if os.Getenv("BLUEGREEN_SOAK") != "1" {
		t.Skip("SKIPPED: run `make soak`, which sets BLUEGREEN_SOAK=1")
	}
	d, err := time.ParseDuration(cmp.Or(os.Getenv("BLUEGREEN_SOAK_FOR"), "1h"))
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(d)
	swapsLoseNoRequest(t, func(int) bool { return time.Now().Before(end) })
}

// swapsLoseNoRequest goes on deploying under load until it has been enough.
func swapsLoseNoRequest(t *testing.T, more func(deployed int) bool) figures {
	t.Helper()
	h := newHost(t)
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.beginSlow(slowConnections)
	l.begin(busyConnections, steadyPeriod) // through every drain as well
	l.deploy("v2", "switch")               // from now on both profiles are taken: each deploy replaces a container
	var switches []int64
	for n := 0; more(n); n++ {
		out := l.deploy(fmt.Sprintf("v%d", n+3), "retire")
		switches = append(switches, out.result().SwitchMS)
	}
	f := l.wantNoLoss()
	t.Logf("%d deploys, switch %d ms in the median, %d ms at most", len(switches), median(switches), slices.Max(switches))
	return f
}

func TestRollbackLosesNoRequest(t *testing.T) {
	h := newHost(t)
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.beginSlow(slowConnections / 3)
	l.deploy("v2", "switch")
	warm := l.under("", nil, "rollback")
	again := l.under("", nil, "rollback")
	l.deploy("v3", "retire") // replaces v1, which is idle again, after the drain
	direct := l.under("", nil, "rollback")
	f := l.wantNoLoss()
	for _, out := range []output{warm, again, direct} {
		if got := out.result(); got.Outcome != "rolled_back" {
			t.Errorf("want rolled_back: %v", out)
		}
	}
	t.Logf("%d requests; rollbacks took %v, %v, and right after a deploy %v", f.requests, warm.took, again.took, direct.took)
	if s := h.status(); s.Live != "real2" || s.Release != 2 {
		t.Errorf("want release 2 live in real2, got release %d in %s", s.Release, s.Live)
	}
}

func TestWithoutKeepaliveMinTimeoutLossesAreSeen(t *testing.T) {
	h := newHost(t)
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.deployed("v2", h.deploy("v2"))
	h.dropKeepaliveMinTimeout()
	for n := 0; n < fewDeploys && l.lost(load.Reset) == 0; n++ {
		l.deploy(fmt.Sprintf("v%d", n+3), "retire")
	}
	if text := h.exec(h.nginx(), "cat", nginxConf); strings.Contains(text, "keepalive_min_timeout") {
		t.Fatalf("nginx.conf was written again during the test:\n%s", text)
	}
	l.wantLoss(load.Reset)
}

const nginxConf = "/etc/nginx/bluegreen/nginx.conf"

// dropKeepaliveMinTimeout makes nginx what it would be without bluegreen's nginx.conf.
func (h *host) dropKeepaliveMinTimeout() {
	h.t.Helper()
	h.exec(h.nginx(), "sh", "-euc", `
		while IFS= read -r line; do
			case $line in *keepalive_min_timeout*) ;; *) printf '%s\n' "$line" ;; esac
		done <"$1" >"$1.new"
		mv "$1.new" "$1"
		nginx -c "$1" -s reload`, "sh", nginxConf)
	time.Sleep(time.Second) // the reload is not confirmed, and nothing was under load yet
}

func TestWithoutDrainLossesAreSeen(t *testing.T) {
	h := newHost(t)
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.begin(slowConnections, 3*time.Second)
	time.Sleep(3 * time.Second) // every connection has had its first answer
	l.deployed("v2", h.deploy("v2"))
	grace := 1
	if err := engine.ContainerStop(t.Context(), h.container("real1"), container.StopOptions{Timeout: &grace}); err != nil {
		t.Fatal(err)
	}
	l.awaitLoss(load.Status5xxNginx) // by the last requests of old connections; nginx gives up on an absent address after 3 s
	l.wantLoss(load.Status5xxNginx)
}

func TestADrainThatIsTooShortFailsTheDeployAndLosesNoRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t, ownKey("drain", "1s"))
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.begin(slowConnections, 5*time.Second)
	time.Sleep(5 * time.Second)
	l.deployed("v2", h.deploy("v2"))
	out := h.deployFaulty("v3", "")
	if out.code != 1 || !strings.Contains(out.result().Error, "still busy") {
		t.Errorf("want exit 1 because of the drain: %v", out)
	}
	if s := h.status(); s.Live != "real2" || s.profile("real1").State != "running" {
		t.Errorf("want v2 live in real2 and real1 warm, got %+v", s)
	}
	l.wantNoLoss()
}

func TestSwapOnOldNginxWarns(t *testing.T) {
	old := os.Getenv("BLUEGREEN_NGINX_OLD_IMAGE")
	if old == "" {
		t.Skip("SKIPPED: needs an nginx older than 1.27.4: BLUEGREEN_NGINX_OLD_IMAGE names no image (`make e2e` builds one where it can)")
	}
	h := newHost(t, topKey("x-bluegreen.nginx.image", old))
	for _, version := range []string{"v1", "v2"} {
		out := h.mustWith([]string{"VERSION=" + version}, "deploy")
		if !strings.Contains(out.stderr, "keep-alive connections") {
			t.Errorf("want a warning about keep-alive connections on stderr: %v", out)
		}
	}
	if s := h.status(); s.Release != 2 || s.Nginx.KeepaliveMinTimeout {
		t.Errorf("want release 2 live, and nginx without keepalive_min_timeout, got %+v %+v", s, s.Nginx)
	}
	if out := h.must("status"); !strings.Contains(out.stdout, "keep-alive connections") {
		t.Errorf("want the warning in the status: %v", out)
	}
}
