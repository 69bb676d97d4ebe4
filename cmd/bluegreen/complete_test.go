package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bluegreen/swap"
)

// namedContext adds an empty docker context to a docker configuration folder.
func namedContext(t *testing.T, folder, name string) {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	meta := filepath.Join(folder, "contexts", "meta", hex.EncodeToString(sum[:]))
	if err := os.MkdirAll(meta, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `{"Name":"` + name + `","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///nowhere"}}}`
	if err := os.WriteFile(filepath.Join(meta, "meta.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheValuesOfFlagsAreCompleted(t *testing.T) {
	folder := dockerFolder(t)
	namedContext(t, folder, "staging")
	dir := t.TempDir()
	text := "name: p\nservices:\n  web: {image: a, x-bluegreen: {profiles: {blue: 1, green: 2}}}\n  api: {image: b, x-bluegreen: {profiles: {real1: 3, real2: 4}, server_names: [a.example.com]}}\n"
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("DOCKER_HOST", "unix:///nowhere")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"deploy", "--pull", ""}, "always\nmissing\nnever\n:4\n"},
		{[]string{"start", "--pull", "m"}, "missing\n:4\n"},
		{[]string{"status", "-o", ""}, "text\njson\n:4\n"},
		{[]string{"status", "--context", ""}, "default\nstaging\n:4\n"},
		{[]string{"status", "--context", "s"}, "staging\n:4\n"},
		{[]string{"logs", "web", "--profile", ""}, "blue\ngreen\n:4\n"},
		{[]string{"logs", "web", "--profile", "g"}, "green\n:4\n"},
		{[]string{"logs", "api", "--profile", ""}, "real1\nreal2\n:4\n"},
		{[]string{"logs", "--profile", ""}, ":4\n"}, // of which of the two
	} {
		var out, errs bytes.Buffer
		run(t.Context(), append([]string{"__complete"}, c.args...), &out, &errs)
		if out.String() != c.want {
			t.Errorf("%q: %q, want %q\n%s", c.args, out.String(), c.want, errs.String())
		}
	}
}

func TestPluginAloneIsWrongUsageAndNamesItsCommands(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"plugin"}, &out, &errs)
	if want := "bluegreen: bluegreen plugin needs a command: install, uninstall\n"; code != swap.ExitUsage || !bytes.HasPrefix(errs.Bytes(), []byte(want)) {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func TestHistoryNamesItsTimesZoneAndJSONIsUTC(t *testing.T) {
	was := time.Local
	time.Local = time.FixedZone("KST", 9*60*60)
	defer func() { time.Local = was }()
	list := []swap.Record{{Started: time.Date(2026, 1, 2, 20, 4, 5, 0, time.UTC), Command: swap.Deploy, Outcome: swap.Swapped}}
	for output, want := range map[string]string{"text": "2026-01-03 05:04:05 KST", "json": `"started":"2026-01-02T20:04:05Z"`} {
		var out bytes.Buffer
		if err := (&app{output: output, stdout: &out}).printHistory(list); err != nil || !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("%v: %s", err, out.String())
		}
	}
}
