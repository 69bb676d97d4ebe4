package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// notifiedWithin is what a run may take longer because of webhooks that are not well, with room for a busy machine.
const notifiedWithin = 15 * time.Second

// listener is a webhook, which keeps what it was told.
type listener struct {
	url    string // with a secret in it
	mu     sync.Mutex
	bodies []map[string]any
	calls  int
}

// newListener answers the n-th call, counted from 1, with codes[n-1], later ones with the last.
func newListener(t *testing.T, secret string, codes ...int) *listener {
	t.Helper()
	l := &listener{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var said map[string]any
		if err != nil || json.Unmarshal(body, &said) != nil {
			t.Errorf("the webhook was sent %q, %v", body, err)
		}
		l.mu.Lock()
		l.calls++
		code := codes[min(l.calls, len(codes))-1]
		if code < 300 {
			l.bodies = append(l.bodies, said)
		}
		l.mu.Unlock()
		if code == 0 { // no answer at all
			<-r.Context().Done()
			return
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	l.url = secretURL(s.Listener.Addr().String(), secret)
	return l
}

func secretURL(host, secret string) string {
	return fmt.Sprintf("http://%s:%[1]s@%s/%[1]s?token=%[1]s", secret, host)
}

// told are the notifications so far, and how often somebody called.
func (l *listener) told() (bodies []map[string]any, calls int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]map[string]any(nil), l.bodies...), l.calls
}

// TestWebhooksNeverChangeADeploy, whatever they do, and nothing keeps or shows their addresses.
func TestWebhooksNeverChangeADeploy(t *testing.T) {
	secret := "hush" + randomHex(8)
	silent, flaky := newListener(t, secret, 0), newListener(t, secret, 500, 500, 200)
	slack, discord := newListener(t, secret, 200), newListener(t, secret, 204)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	h := newHost(t, ownKey("notify", []any{
		map[string]any{"url": "${SILENT}"}, "${FLAKY}", "${REFUSED}", "${UNSET_HERE:-}",
		map[string]any{"url": "${SLACK}", "format": "slack"}, map[string]any{"url": "${DISCORD}", "format": "discord", "on": []any{"swapped", "done"}},
	}))
	h.env = []string{"SILENT=" + silent.url, "FLAKY=" + flaky.url, "REFUSED=" + secretURL(gone.Addr().String(), secret), "SLACK=" + slack.url, "DISCORD=" + discord.url}

	plan := h.must("deploy", "--dry-run")
	out := h.deploy("v1")
	r := out.result()
	if r.Outcome != "swapped" || r.Release != 1 || r.Live != "real1" || out.took > notifiedWithin+10*time.Second {
		t.Errorf("%v", out)
	}
	for _, says := range []string{"no answer within 4s", "no good answer in time"} { // whichever comes first
		if strings.Contains(out.stderr, "the notification to "+schemeAndHost(silent.url)+" failed: "+says) {
			silent.url = ""
		}
	}
	if silent.url != "" || strings.Count(out.stderr, "warning: the notification to ") != 2 || !strings.Contains(out.stderr, "failed: connection refused") {
		t.Errorf("want a warning each of the silent and the refusing webhook:\n%s", out.stderr)
	}
	if !strings.Contains(out.stdout, "nobody is notified where notify has no URL") {
		t.Errorf("no note of the webhook that is not set:\n%s", out.stdout)
	}
	wantTold(t, flaky, slack, discord, out, h)
	h.wantSecretKept(t, secret, plan, out)

	failed := h.deployFaulty("v2", "exit-at-boot")
	if failed.code != 1 || failed.result().Outcome != "failed" {
		t.Errorf("%v", failed)
	}
	if bodies, _ := slack.told(); len(bodies) != 2 || !strings.Contains(fmt.Sprint(bodies[1]["text"]), "deploy FAILED") || strings.Contains(fmt.Sprint(bodies[1]["text"]), "crashed on purpose") {
		t.Errorf("slack was told %v", bodies)
	}
	if bodies, _ := discord.told(); len(bodies) != 1 {
		t.Errorf("discord was told of a failure, which it did not ask for: %v", bodies)
	}
	h.wantSecretKept(t, secret, failed, h.must("history", "-o", "json"), h.must("status", "-o", "json"))
}

func schemeAndHost(url string) string {
	_, rest, _ := strings.Cut(url, "@")
	host, _, _ := strings.Cut(rest, "/")
	return "http://" + host
}

// wantTold checks the bodies of a deploy's notifications.
func wantTold(t *testing.T, flaky, slack, discord *listener, out output, h *host) {
	t.Helper()
	bodies, calls := flaky.told()
	if len(bodies) != 1 || calls != 3 {
		t.Fatalf("told %d times in %d calls", len(bodies), calls)
	}
	var result map[string]any
	lines := strings.Split(strings.TrimSpace(out.stdout), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &result); err != nil {
		t.Fatal(err)
	}
	for key, value := range result {
		if got := bodies[0][key]; key != "time" && fmt.Sprint(got) != fmt.Sprint(value) {
			t.Errorf("%s is %v, and the result has %v", key, got, value)
		}
	}
	text := fmt.Sprint(bodies[0]["text"])
	if bodies[0]["command"] != "deploy" || bodies[0]["who"] == "" || bodies[0]["where"] == "" || !strings.HasPrefix(text, h.service+": release 1 ") {
		t.Errorf("told %v", bodies[0])
	}
	said, _ := slack.told()
	if len(said) != 1 || len(said[0]) != 1 || said[0]["text"] != text {
		t.Errorf("slack was told %v", said)
	}
	said, _ = discord.told()
	if len(said) != 1 || said[0]["content"] != text || fmt.Sprint(said[0]["allowed_mentions"]) != "map[parse:[]]" {
		t.Errorf("discord was told %v", said)
	}
}

// wantSecretKept looks for a secret in what commands said, in all that the engine knows of the containers, and in nginx's volume.
func (h *host) wantSecretKept(t *testing.T, secret string, said ...output) {
	t.Helper()
	for _, out := range said {
		if strings.Contains(out.stdout+out.stderr, secret) {
			t.Errorf("a secret is shown: %v", out)
		}
	}
	names := []string{h.nginx()}
	for profile := range h.containers(t) {
		names = append(names, h.container(profile))
	}
	for _, name := range names {
		known, err := json.Marshal(h.inspect(t, name))
		if err != nil || strings.Contains(string(known), secret) {
			t.Errorf("container %s has a secret in it, or %v", name, err)
		}
	}
	archive, _, err := engine.CopyFromContainer(t.Context(), h.nginx(), "/etc/nginx/bluegreen")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files, err := io.ReadAll(archive)
	if err != nil || !strings.Contains(string(files), `"command":"deploy"`) || strings.Contains(string(files), secret) {
		t.Errorf("nginx's volume has a secret in it, or no history, or %v", err)
	}
}

// TestMetricsAreTheTruthOfTheHost, after runs of every kind, also a failed one, and as status finds it later.
func TestMetricsAreTheTruthOfTheHost(t *testing.T) {
	h := newHost(t)
	file := filepath.Join(h.dir, "metrics", "bluegreen.prom")
	missing := h.run("deploy", "--metrics-file", file)
	if missing.code != 2 || !strings.Contains(missing.stderr, "there is no folder") || len(h.containers(t)) > 0 {
		t.Errorf("without a folder: %v", missing)
	}
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	h.env = []string{"BLUEGREEN_METRICS_FILE=" + file}
	h.deploy("v1")
	h.wantMetrics(t, file, map[string]float64{"live_release": 1, "releases_total": 1, "serving": 1, "failures_total": 0, "runs_total/deploy/swapped": 1, "profile_live/real1": 1, "profile_live/real2": 0})
	h.deploy("v2")
	if out := h.deployFaulty("v3", "exit-at-boot"); out.code != 1 {
		t.Errorf("%v", out)
	}
	h.wantMetrics(t, file, map[string]float64{"live_release": 2, "releases_total": 3, "serving": 1, "failures_total": 1, "runs_total/deploy/swapped": 2, "runs_total/deploy/failed": 1, "profile_live/real2": 1})
	h.rollback()
	h.must("maintenance", "on")
	want := map[string]float64{
		"live_release": 1, "releases_total": 3, "serving": 1, "failures_total": 1, "paused": 0, "maintenance": 1, "status_read": 1, "profile_live/real1": 1, "profile_live/real2": 0,
		"profile_healthy/real1": 1, "profile_healthy/real2": 1, "runs_total/deploy/swapped": 2, "runs_total/deploy/failed": 1, "runs_total/rollback/rolled_back": 1, "runs_total/maintenance on/done": 1,
		"switch_duration_seconds": 3, "run_duration_seconds/deploy": 3,
	}
	h.wantMetrics(t, file, want)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	h.must("status")
	h.wantMetrics(t, file, want)
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("beside the file: %v, %v", left, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// wantMetrics reads the file as Prometheus does. A name is the metric's, without its prefix, and the values of its labels but the
// service's; of a summary, the count is meant.
func (h *host) wantMetrics(t *testing.T, file string, want map[string]float64) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		t.Error(err)
	}
	got := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			key := strings.TrimPrefix(name, "bluegreen_")
			for _, l := range m.GetLabel() {
				if l.GetName() != "service" {
					key += "/" + l.GetValue()
				} else if l.GetValue() != h.service {
					t.Errorf("%s is there", l.GetValue())
				}
			}
			got[key] = valueOf(m)
		}
	}
	for name, value := range want {
		if is, ok := got[name]; !ok || is != value {
			t.Errorf("%s is %v, want %v", name, is, value)
		}
	}
	for _, name := range []string{"last_run_timestamp_seconds", "last_swap_timestamp_seconds"} {
		if at := time.Unix(int64(got[name]), 0); time.Since(at) > 10*time.Minute || time.Until(at) > time.Minute {
			t.Errorf("%s is %v", name, at)
		}
	}
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Summary != nil:
		return float64(m.GetSummary().GetSampleCount())
	}
	return m.GetGauge().GetValue()
}
