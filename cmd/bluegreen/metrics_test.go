package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"bluegreen/swap"
)

var update = flag.Bool("update", false, "write the golden files anew")

// measuredServices are one of which all is known, one that never was live, and one that cannot be read.
func measuredServices() []swap.Measures {
	at := time.Unix(1_800_000_000, 500_000_000)
	shop := swap.Measures{
		Status: swap.Status{
			Service: "shop", Live: "real2", Release: 43, Serving: true, Certificate: &swap.CertificateStatus{NotAfter: at.Add(time.Hour)},
			Profiles: []swap.ProfileStatus{{Name: "real1", Health: "answered 500"}, {Name: "real2", Live: true, Health: "ok"}},
		},
		LastRun: at, LastSwap: at.Add(-time.Minute),
		Totals: swap.Totals{
			Commands: map[swap.Command]swap.CommandTotals{
				swap.Deploy:        {Outcomes: map[swap.Outcome]int{swap.Swapped: 600, swap.Failed: 3}, Timed: 602, MS: 1_204_500},
				swap.MaintenanceOn: {Outcomes: map[swap.Outcome]int{swap.Done: 1}, Timed: 1, MS: 250},
			},
			Failures: 3, Switches: 600, SwitchMS: 120_000, Releases: 603,
		},
	}
	odd := swap.Measures{Status: swap.Status{Service: "odd", Error: "torn"}}
	fresh := swap.Measures{Status: swap.Status{Service: "new\"\\\n", Profiles: make([]swap.ProfileStatus, 1), Paused: &swap.PausedStatus{}}}
	fresh.Profiles[0].Name = "real1"
	fresh.Maintenance = &swap.Maintenance{}
	return []swap.Measures{fresh, odd, shop}
}

func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	var text bytes.Buffer
	if err := metricsText(&text, measuredServices()); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "metrics.prom")
	if *update {
		if err := os.WriteFile(golden, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || text.String() != string(want) {
		t.Errorf("%v, got\n%s", err, text.String())
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range parsed {
		counter := f.GetType() == dto.MetricType_COUNTER
		if f.GetHelp() == "" || !strings.HasPrefix(name, "bluegreen_") || counter != strings.HasSuffix(name, "_total") {
			t.Errorf("%s, a %v: %q", name, f.GetType(), f.GetHelp())
		}
	}
	runs := parsed["bluegreen_runs_total"].GetMetric()
	if len(runs) != 3 || runs[1].GetCounter().GetValue() != 600 || parsed["bluegreen_status_read"].GetMetric()[0].GetLabel()[0].GetValue() != "new\"\\\n" {
		t.Errorf("%v", runs)
	}
	if s := parsed["bluegreen_run_duration_seconds"].GetMetric()[0].GetSummary(); s.GetSampleSum() != 1204.5 || s.GetSampleCount() != 602 {
		t.Errorf("%v", s)
	}
}

// TestWhatWouldNotBeReadIsRefusedBeforeAnythingIsTouched: the engine is not even greeted.
func TestWhatWouldNotBeReadIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	dockerFolder(t)
	engine, greeted := engineThere(t, false)
	t.Setenv("DOCKER_HOST", "tcp://"+engine.Listener.Addr().String())
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("folder.prom", 0o755); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"bluegreen.txt": "must end in .prom", "bluegreen.prom.gz": "must end in .prom", "gone/bluegreen.prom": "there is no folder gone", "folder.prom": "is no file", "": "is empty",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"status", "--metrics-file=" + path}, &out, &errs)
		if code != swap.ExitUsage || !strings.Contains(errs.String(), says) || !strings.Contains(errs.String(), "--metrics-file") {
			t.Errorf("%q: exit code %d\n%s", path, code, errs.String())
		}
	}
	t.Setenv("BLUEGREEN_METRICS_FILE", "gone/bluegreen.prom")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"rollback", "shop"}, &out, &errs); code != swap.ExitUsage || !strings.Contains(errs.String(), "there is no folder gone") {
		t.Errorf("from the environment: exit code %d\n%s", code, errs.String())
	}
	errs.Reset()
	if code := run(t.Context(), []string{"history", "shop"}, &out, &errs); code == swap.ExitUsage {
		t.Errorf("a command that writes no metrics minds where: %s", errs.String())
	}
	if n := greeted.Load(); n != 1 { // history did
		t.Errorf("the engine was greeted %d times", n)
	}
}

// TestAWrongCommandLineWritesNoMetrics: it may be wrong since the flag has another one's value, such as the compose file. Nor do help
// and completion, which are asked for in the middle of typing. Writing them would begin at the engine.
func TestAWrongCommandLineWritesNoMetrics(t *testing.T) {
	dockerFolder(t)
	engine, greeted := engineThere(t, false)
	t.Setenv("DOCKER_HOST", "tcp://"+engine.Listener.Addr().String())
	t.Chdir(t.TempDir())
	for _, args := range []string{
		"deploy --metrics-file compose.yaml --wait -1s", "deploy --metrics-file a.prom --bogus", "rollback --metrics-file a.prom a b",
		"status --metrics-file a.prom -o xml", "deploy --metrics-file compose.yaml --help", "deploy --metrics-file a.prom --timeout -5s",
		"__complete deploy --metrics-file compose.yaml --im", "__completeNoDesc rollback --metrics-file=a.prom --pro", "deploy --metrics-file a.prom --probe x",
	} {
		var errs bytes.Buffer
		code := run(t.Context(), strings.Fields(args), io.Discard, &errs)
		if n := greeted.Swap(0); n != 0 || strings.Contains(errs.String(), "metrics were not written") {
			t.Errorf("%s: exit code %d, the engine was greeted %d times\n%s", args, code, n, errs.String())
		}
	}
}

func TestMetricsThatCannotBeWrittenAreAWarning(t *testing.T) {
	project(t, `""`)
	code, _, stderr := failing(t, t.Context(), "--metrics-file", "bluegreen.prom")
	if code != swap.ExitFailed || strings.Count(stderr, "bluegreen: warning: the metrics were not written to bluegreen.prom: ") != 1 {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if left, _ := filepath.Glob("*.prom*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestCommandsThatChangeSomethingWriteMetrics, and status, for cron.
func TestCommandsThatChangeSomethingWriteMetrics(t *testing.T) {
	var have []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Flags().Lookup(metricsFlag) != nil {
			have = append(have, strings.TrimPrefix(c.CommandPath(), "bluegreen "))
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root())
	slices.Sort(have)
	for _, want := range []string{"deploy", "down", "health", "maintenance off", "maintenance on", "nginx recreate", "reload", "rollback", "start", "status", "stop", "switch", "unlock"} {
		if !slices.Contains(have, want) {
			t.Errorf("%s has no --%s", want, metricsFlag)
		}
	}
	for _, no := range append(slices.Clone(lookers), "version", "maintenance", "nginx") {
		if slices.Contains(have, no) {
			t.Errorf("%s has --%s", no, metricsFlag)
		}
	}
}
