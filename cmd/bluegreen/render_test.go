package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"bluegreen/docker"
	"bluegreen/swap"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// aRun is a deploy whose health step fails and is undone.
func aRun() (events []swap.Event, res swap.Result, err error) {
	create := swap.Step{Kind: swap.StepCreate, Profile: "real2", Text: "start release 2 (shop:v2) in real2", Undo: "stop it and keep it as shop-real2-failed"}
	health := swap.Step{Kind: swap.StepHealth, Profile: "real2", Text: "wait until real2 answers as itself"}
	failure := &swap.StepError{Step: health, Err: &swap.EndedError{Container: "shop-real2", Exit: docker.Exit{Code: 3}, Log: "one\ntwo\n"}}
	plan := swap.Plan{Command: swap.Deploy, Release: 2, Steps: []swap.Step{create, health}, Notes: []string{"the live profile does not answer"}}
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	events = []swap.Event{
		{Time: at(0), Kind: swap.Progress, Text: "pulling shop:v2", Pull: "shop:v2"},
		{Time: at(0), Kind: swap.Progress, Text: "Downloading", Pull: "shop:v2", Layer: &swap.Layer{ID: "abc", Status: "Downloading", Current: 1000, Total: 2000}},
		{Time: at(1), Kind: swap.Progress, Text: "pulled shop:v2 in 0.1 s", Pull: "shop:v2", Duration: time.Millisecond},
		{Time: at(1), Kind: swap.Planned, Plan: &plan},
		{Time: at(2), Kind: swap.StepStarted, Step: &create},
		{Time: at(300), Kind: swap.StepDone, Step: &create, Duration: 298 * time.Millisecond},
		{Time: at(300), Kind: swap.StepStarted, Step: &health},
		{Time: at(310), Kind: swap.Progress, Step: &health, Text: "try 1: connection refused"},
		{Time: at(400), Kind: swap.StepFailed, Step: &health, Duration: 100 * time.Millisecond, Err: failure.Err},
		{Time: at(400), Kind: swap.StepStarted, Step: &create, Undo: true},
		{Time: at(500), Kind: swap.StepDone, Step: &create, Undo: true, Duration: 100 * time.Millisecond},
	}
	return events, swap.Result{Seen: true, Outcome: swap.Failed, Service: "shop", Live: "real1", Idle: "real2", Release: 1, Image: "shop:v1", Duration: 1500 * time.Millisecond}, failure
}

func render(a *app, r renderer) {
	events, res, err := aRun()
	for _, e := range events {
		r.event(e)
	}
	r.result(res, swap.Request{Command: swap.Deploy}, err)
}

func TestPlainOutputIsALineAStepAndSaysWhatFailedWhatIsLiveAndWhatToDo(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, output: "text"}
	render(a, a.renderer(false))
	want := `      pulling shop:v2
      pulled shop:v2 in 0.1 s
note: the live profile does not answer
[1/2] start release 2 (shop:v2) in real2 (298 ms)
[2/2] FAILED: wait until real2 answers as itself (100 ms)
[undo] stop it and keep it as shop-real2-failed (100 ms)
bluegreen: wait until real2 answers as itself: container shop-real2 exited with code 3; its last lines:
      one
      two
  live: release 1 (shop:v1) in real1
  next: the failed container is kept: docker logs shop-real2-failed; mend the release and run ` + "`bluegreen deploy`" + ` again
`
	if errs.String() != want {
		t.Fatalf("got\n%s\nwant\n%s", errs.String(), want)
	}
	if out.Len() != 0 {
		t.Fatalf("a failure printed a result: %q", out.String())
	}
}

func TestPlainOutputHoldsNoControlCharacters(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, output: "text", verbose: true}
	render(a, a.renderer(false))
	for _, r := range errs.String() {
		if r < ' ' && r != '\n' {
			t.Fatalf("control character %q in %q", r, errs.String())
		}
	}
	if !strings.Contains(errs.String(), "try 1: connection refused") || !strings.Contains(errs.String(), "abc: Downloading, 2kB") {
		t.Fatalf("-v leaves details out:\n%s", errs.String())
	}
}

func TestQuietShowsOnlyErrorsAndTheResult(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, output: "text", quiet: true}
	r := a.renderer(false)
	events, res, _ := aRun()
	for _, e := range events[:6] {
		r.event(e)
	}
	res.Outcome = swap.Swapped
	r.result(res, swap.Request{Command: swap.Deploy}, nil)
	if got := strings.TrimPrefix(errs.String(), "note: the live profile does not answer\n"); got != "" {
		t.Fatalf("quiet printed %q", got)
	}
	if want := "shop: release 1 (shop:v1) is live in real1, switched in 0 ms, 1.5 s in all\n"; out.String() != want {
		t.Fatalf("result %q, want %q", out.String(), want)
	}
}

func TestJSONIsOneObjectALineAndTheLastIsTheResult(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, output: "json"}
	render(a, a.renderer(false))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var kinds []string
	for _, l := range lines {
		var e struct{ Event, Step string }
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatalf("%v in %q", err, l)
		}
		kinds = append(kinds, strings.TrimSuffix(e.Event+" "+e.Step, " "))
	}
	want := "progress,progress,progress,plan,step_started create,step_done create,step_started health,progress health,step_failed health,step_started create,step_done create,result"
	if got := strings.Join(kinds, ","); got != want {
		t.Fatalf("events %s, want %s", got, want)
	}
	last := lines[len(lines)-1]
	for _, part := range []string{`"outcome":"failed"`, `"service":"shop"`, `"live":"real1"`, `"idle":"real2"`, `"release":1`, `"image":"shop:v1"`, `"switch_ms":0`, `"duration_ms":1500`, `"error":"wait until real2`} {
		if !strings.Contains(last, part) {
			t.Errorf("result lacks %s: %s", part, last)
		}
	}
}

// onScreen is a terminal without colours, as a file, and the changing list on it.
func onScreen(t *testing.T) (*app, *live, *os.File) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "screen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	t.Setenv("NO_COLOR", "1")
	a := &app{stdout: &bytes.Buffer{}, stderr: f, output: "text"}
	return a, newLive(&plain{app: a}, f, false), f
}

func TestLiveListDrawsEveryStepOnItsLineAndKeepsNotesAbove(t *testing.T) {
	a, l, f := onScreen(t)
	render(a, l)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`\x1b\[[0-9;]*m`).Match(b) {
		t.Fatal("colors in spite of NO_COLOR")
	}
	screen := play(string(b))
	for i, want := range []string{
		"pulled shop:v2 in 0.1 s", "note: the live profile does not answer",
		" ✔ start release 2 (shop:v2) in real2  298 ms", " ✘ wait until real2 answers as itself  100 ms",
		" ↩ stop it and keep it as shop-real2-failed  100 ms",
	} {
		if screen[i] != want {
			t.Fatalf("line %d is %q, want %q; screen:\n%s", i, screen[i], want, strings.Join(screen, "\n"))
		}
	}
}

// play is what a terminal shows after the text: cursor up, clear to the end of the line or screen, and lines.
func play(s string) []string {
	lines, y := []string{""}, 0
	for len(s) > 0 {
		switch {
		case strings.HasPrefix(s, "\x1b["):
			end := strings.IndexAny(s, "AKJ")
			switch s[end] {
			case 'A':
				n := 0
				for _, d := range s[2:end] {
					n = n*10 + int(d-'0')
				}
				y -= n
			case 'J':
				lines = append(lines[:y], "")
			}
			s = s[end+1:]
		case s[0] == '\r':
			s = s[1:]
		default:
			end := strings.IndexAny(s, "\n\x1b")
			lines[y] = s[:end]
			if s = s[end:]; strings.HasPrefix(s, "\x1b[K") {
				s = s[3:]
			}
			if s[0] == '\n' {
				s, y = s[1:], y+1
				if y == len(lines) {
					lines = append(lines, "")
				}
			}
		}
	}
	return lines
}

func TestDryRunOnATerminalPrintsThePlanOnce(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "screen")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: f, output: "text"}
	r := newLive(&plain{app: a}, f, true)
	events, res, _ := aRun()
	r.event(events[3])
	r.result(res, swap.Request{Command: swap.Deploy, DryRun: true}, nil)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if screen := string(b); strings.Contains(screen, "start release") || !strings.Contains(out.String(), "start release") {
		t.Fatalf("screen %q, result %q", screen, out.String())
	}
}

func TestWhatIsLiveIsOnlySaidWhenItIsKnown(t *testing.T) {
	lines := advice(swap.Result{Service: "shop"}, swap.Request{Command: swap.Deploy}, &swap.LockedError{})
	if strings.Contains(strings.Join(lines, "\n"), "live:") {
		t.Fatalf("%q says what nobody saw", lines)
	}
}

func TestCutKeepsOneLineWithinTheWidth(t *testing.T) {
	for _, c := range []struct{ in, want string }{{"short", "short"}, {"a long text", "a lon…"}, {"one\ntwo", "one"}} {
		if got := cut(c.in, 6); got != c.want {
			t.Errorf("cut(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestDryRunPrintsThePlanWithItsUndos(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, output: "text"}
	r := a.renderer(false)
	events, res, _ := aRun()
	r.event(events[3])
	r.result(res, swap.Request{Command: swap.Deploy, DryRun: true}, nil)
	want := `shop: live now: release 1 (shop:v1) in real1
deploy would take 2 steps:
  1. create   start release 2 (shop:v2) in real2
              if it fails: stop it and keep it as shop-real2-failed
  2. health   wait until real2 answers as itself
`
	if out.String() != want {
		t.Fatalf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestWrongUsageIsExitCode2(t *testing.T) {
	for _, args := range [][]string{
		{"no-such-command"}, {"deploy", "--no-such-flag"}, {"status", "a", "b"}, {"status", "-o", "yaml"},
		{"deploy", "--timeout", "soon"}, {"deploy", "--timeout", "-1s"}, {"version", "x"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != swap.ExitUsage {
			t.Errorf("%v: exit code %d, want 2; %s", args, code, errs.String())
		}
		if !strings.HasPrefix(errs.String(), "bluegreen: ") {
			t.Errorf("%v: says %q", args, errs.String())
		}
	}
}

func TestFlagsComeFromTheEnvironmentUnlessGiven(t *testing.T) {
	t.Setenv("BLUEGREEN_OUTPUT", "json")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"version"}, &out, &errs); code != 0 || !strings.HasPrefix(out.String(), "{") {
		t.Fatalf("exit code %d, %q %q: want JSON", code, out.String(), errs.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"version", "-o", "text"}, &out, &errs); code != 0 || strings.HasPrefix(out.String(), "{") {
		t.Fatalf("exit code %d, %q: the flag must win", code, out.String())
	}
	t.Setenv("BLUEGREEN_TIMEOUT", "soon")
	errs.Reset()
	if code := run(t.Context(), []string{"version"}, &out, &errs); code != swap.ExitUsage || !strings.Contains(errs.String(), "BLUEGREEN_TIMEOUT") {
		t.Fatalf("exit code %d, %q: must name the variable", code, errs.String())
	}
}

func TestNoEngineIsExitCode5(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"status", "shop", "-H", "unix:///nonexistent/docker.sock"}, &out, &errs)
	if code != swap.ExitUnreachable || !strings.Contains(errs.String(), "/nonexistent/docker.sock") {
		t.Fatalf("exit code %d, %q", code, errs.String())
	}
}

func TestAdviceFitsTheFailure(t *testing.T) {
	res := swap.Result{Service: "shop", Idle: "real2"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&swap.LockedError{}, "wait for it: bluegreen deploy --wait 5m"},
		{&docker.PortTakenError{Port: 8082, Err: errors.New("taken")}, "free port 8082"},
		{&swap.SwitchedBackError{Err: errors.New("x")}, "docker logs shop-real2-failed"},
	} {
		if got := nextCommand(res, swap.Request{Command: swap.Deploy}, c.err); !strings.Contains(got, c.want) {
			t.Errorf("%T: %q lacks %q", c.err, got, c.want)
		}
	}
}
