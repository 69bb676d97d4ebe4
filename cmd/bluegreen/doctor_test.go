package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/swap"
)

var sick = swap.Diagnosis{Service: "shop", Checks: []swap.Check{
	{Name: "nginx", Level: swap.LevelOK, What: "nginx runs"},
	{Name: "clock", Level: swap.LevelWarning, What: "the clocks differ", Do: "set them"},
	{Name: "keepalive", Level: swap.LevelProblem, What: "nginx refuses:\nline two", Do: "mend it"},
	{Name: "workers", Level: swap.LevelSkipped, What: "ps does not tell"},
}}

func printed(t *testing.T, a *app) string {
	t.Helper()
	var out bytes.Buffer
	a.stdout = &out
	if err := a.printDiagnosis(sick); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestADiagnosisShowsFindingsFirstEachWithItsRemedyAndThenOneLine(t *testing.T) {
	findings := `problem: keepalive: nginx refuses:
  line two
  remedy: mend it
warning: clock: the clocks differ
  remedy: set them
`
	if got, want := printed(t, &app{}), findings+"shop: 1 problem, 1 warning, 1 check well; skipped: workers (ps does not tell)\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := printed(t, &app{quiet: true}); got != findings {
		t.Errorf("with --quiet:\n%s", got)
	}
}

func TestADiagnosisAsJSONIsOneObjectWithItsDocumentedNames(t *testing.T) {
	var got struct {
		Service string
		Checks  []map[string]string
	}
	text := printed(t, &app{output: "json"})
	if err := json.Unmarshal([]byte(text), &got); err != nil || strings.Count(text, "\n") != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	want := map[string]string{"check": "clock", "level": "warning", "what": "the clocks differ", "remedy": "set them"}
	if got.Service != "shop" || len(got.Checks) != 4 {
		t.Fatalf("%+v", got)
	}
	for k, v := range want {
		if got.Checks[1][k] != v {
			t.Errorf("%s is %q, want %q", k, got.Checks[1][k], v)
		}
	}
	if _, has := got.Checks[0]["remedy"]; has {
		t.Error("a check that is well has a remedy")
	}
}

func TestADoctorWithoutAnEngineSaysWhatIsWrongWithIt(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	old := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.40") })}
	go func() { _ = old.Serve(listener) }()
	t.Cleanup(func() { old.Close() })
	for host, want := range map[string]string{
		"unix://" + socket:           "it speaks API 1.40, bluegreen needs 1.41 or later (upgrade it to Docker Engine 20.10 or later)",
		"unix://" + socket + ".gone": "no usable Docker engine at",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"doctor", "shop", "-o", "json", "-H", host}, &out, &errs)
		if code != swap.ExitUnreachable || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("exit %d\n%s%s\nwant %q", code, out.String(), errs.String(), want)
		}
	}
}
