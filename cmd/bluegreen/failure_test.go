package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bluegreen/health"
	"bluegreen/swap"
)

// TestTheLastLineOfJSONIsAResult also where the command line is wrong, or cannot even be parsed.
func TestTheLastLineOfJSONIsAResult(t *testing.T) {
	project(t, `""`)
	for _, c := range []struct {
		args, command string
		code          int
	}{
		{"deploy --bogus -o json", "deploy", swap.ExitUsage}, {"deploy -o json a b", "deploy", swap.ExitUsage},
		{"deploy --bogus --output=json", "deploy", swap.ExitUsage}, {"rollback --wait -5s -ojson", "rollback", swap.ExitUsage},
		{"nginx recreate --wait -5s -o json", "nginx recreate", swap.ExitUsage}, {"maintenance on a b -o json", "maintenance on", swap.ExitUsage},
		{"deploy --metrics-file x -o json", "deploy", swap.ExitUsage}, {"deploy other -o json", "deploy", swap.ExitUsage},
		{"-H tcp://127.0.0.1:1 deploy -o json", "deploy", swap.ExitUnreachable}, {"-H tcp://127.0.0.1:1 rollback -o json", "rollback", swap.ExitUnreachable},
		{"rollback -o json -q", "rollback", swap.ExitFailed},
	} {
		t.Run(c.args, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(t.Context(), strings.Fields(c.args), &out, &errs)
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			var result jsonResult
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &result); err != nil || code != c.code {
				t.Fatalf("exit code %d, %v\n%s", code, err, out.String())
			}
			if result.Event != "result" || result.Outcome != swap.Failed || string(result.Command) != c.command || result.Error == "" || !strings.HasPrefix(errs.String(), "bluegreen: ") {
				t.Errorf("%+v\n%s", result, errs.String())
			}
			if n := strings.Count(out.String(), `"event":"result"`); n != 1 || strings.Contains(c.args, "-q") && len(lines) != 1 {
				t.Errorf("%d results:\n%s", n, out.String())
			}
		})
	}
	t.Setenv("BLUEGREEN_OUTPUT", "json")
	var out bytes.Buffer
	if code := run(t.Context(), []string{"deploy", "--bogus"}, &out, io.Discard); code != swap.ExitUsage || !strings.Contains(out.String(), `"event":"result"`) {
		t.Errorf("by the environment: exit code %d\n%s", code, out.String())
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// gone is a reader who had enough.
type gone struct{}

func (gone) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}
}

func TestOutputThatNobodyGetsIsAFailure(t *testing.T) {
	project(t, `""`)
	for _, args := range [][]string{{"version"}, {"--help"}, {"deploy", "--help"}, {"schema"}, {"completion", "bash"}} {
		var errs bytes.Buffer
		if code := run(t.Context(), args, full{}, &errs); code != swap.ExitFailed || !strings.Contains(errs.String(), "no space left on device") {
			t.Errorf("%v: exit code %d\n%s", args, code, errs.String())
		}
		if code := run(t.Context(), args, gone{}, io.Discard); slices.Contains(args, "--help") && code != swap.ExitDone {
			t.Errorf("%v, whose reader is gone: exit code %d", args, code)
		}
	}
}

// TestAnEngineThatCannotBeReachedIsTold to webhooks: in a pipeline it is the failure that one wants to hear of.
func TestAnEngineThatCannotBeReachedIsTold(t *testing.T) {
	for _, command := range []string{"deploy", "rollback", "promote", "nginx recreate"} {
		var got map[string]any
		project(t, `"`+webhook(t, func(_ http.ResponseWriter, r *http.Request) {
			if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
				t.Error(err)
			}
		})+`"`)
		var errs bytes.Buffer
		code := run(t.Context(), append(strings.Fields(command), "-H", "tcp://127.0.0.1:1", "--metrics-file", "a.prom"), io.Discard, &errs)
		if code != swap.ExitUnreachable || got["outcome"] != "failed" || got["service"] != "shop" || got["command"] != command || got["who"] == "" || got["where"] == "" {
			t.Errorf("%s: exit code %d, told %v\n%s", command, code, got, errs.String())
		}
		if !strings.Contains(errs.String(), "the metrics were not written to a.prom: they lie on the Docker host, which cannot be reached") {
			t.Errorf("%s: %s", command, errs.String())
		}
	}
}

// TestACommandThatIsCutShortIsToldAsThat also to webhooks.
func TestACommandThatIsCutShortIsToldAsThat(t *testing.T) {
	var got map[string]any
	project(t, `"`+webhook(t, func(_ http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	})+`"`)
	if code := run(t.Context(), []string{"-H", deaf(t), "deploy", "--timeout", "50ms"}, io.Discard, io.Discard); code != swap.ExitFailed || got["error"] != "the command's --timeout passed: before anything was begun" {
		t.Errorf("exit code %d, told %v", code, got)
	}
}

// deaf is an engine that takes connections and answers nothing.
func deaf(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return "tcp://" + l.Addr().String()
}

func TestWhatEndsACommandBeforeItBeginsIsSaid(t *testing.T) {
	project(t, `""`)
	host := deaf(t)
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, c := range []struct {
		ctx        context.Context
		args, says string
		outcome    swap.Outcome
		code       int
	}{
		{t.Context(), "deploy -o json --timeout 50ms", "bluegreen: the command's --timeout passed: before anything was begun", swap.Failed, swap.ExitFailed},
		{t.Context(), "rollback -o json --timeout 50ms", "bluegreen: the command's --timeout passed: before anything was begun", swap.Failed, swap.ExitFailed},
		{t.Context(), "status --timeout 50ms", "bluegreen: the command's --timeout passed", "", swap.ExitFailed},
		{interrupted, "deploy -o json", "bluegreen: interrupted: before anything was begun", swap.Interrupted, swap.ExitInterrupted},
		{interrupted, "history", "bluegreen: interrupted", "", swap.ExitInterrupted},
	} {
		var out, errs bytes.Buffer
		code := run(c.ctx, append([]string{"-H", host}, strings.Fields(c.args)...), &out, &errs)
		if code != c.code || !strings.HasPrefix(errs.String(), c.says) || strings.Contains(errs.String(), "`bluegreen `") {
			t.Errorf("%s: exit code %d\n%s", c.args, code, errs.String())
		}
		var result jsonResult
		if err := json.Unmarshal(out.Bytes(), &result); c.outcome != "" && (err != nil || result.Outcome != c.outcome) {
			t.Errorf("%s: %v\n%s", c.args, err, out.String())
		}
	}
}

// TestTheNetworkOfTheFileCountsForServicesThatAreNotInIt, and so does that of the command line before it.
func TestTheNetworkOfTheFileCountsForServicesThatAreNotInIt(t *testing.T) {
	project(t, `""`)
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("compose.yaml", append(text, "x-bluegreen: {network: {name: edge}}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, more := range map[string][]string{"edge": nil, "other": {"--network", "other"}} {
		a := &app{stdout: io.Discard, stderr: io.Discard}
		root := a.root()
		root.SetArgs(append([]string{"rollback", "else"}, more...))
		_ = root.ExecuteContext(t.Context())
		if a.ended == nil || a.ended.request.Service.Host.Network != want {
			t.Errorf("%v: %+v", more, a.ended)
		}
	}
}

func TestAnErrorOfOutputIsItself(t *testing.T) {
	if err := error(&outputError{syscall.ENOSPC}); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}

// TestWhatComposeNoticesIsSaidOnce though some commands read the file twice, and not with -q.
func TestWhatComposeNoticesIsSaidOnce(t *testing.T) {
	project(t, `"${NOT_SET}"`)
	for args, want := range map[string]int{"rollback --metrics-file a.prom": 1, "status --all --metrics-file a.prom": 1, "status --all -q --metrics-file a.prom": 0} {
		var errs bytes.Buffer
		run(t.Context(), strings.Fields(args), io.Discard, &errs)
		if n := strings.Count(errs.String(), `bluegreen: warning: The "NOT_SET" variable is not set.`); n != want || strings.Contains(errs.String(), "level=") {
			t.Errorf("%s: said %d times\n%s", args, n, errs.String())
		}
	}
}

func TestQuietJSONIsTheResultAlone(t *testing.T) {
	for quiet, want := range map[bool]int{true: 1, false: 2} {
		for _, dryRun := range []bool{false, true} {
			var out bytes.Buffer
			show := (&app{stdout: &out, stderr: io.Discard, output: "json", quiet: quiet}).renderer(dryRun)
			show.event(swap.Event{Kind: swap.Planned, Plan: &swap.Plan{}})
			show.result(swap.Result{}, swap.Request{DryRun: dryRun}, nil)
			if n := strings.Count(out.String(), "\n"); n != want && !dryRun || n != 2 && dryRun {
				t.Errorf("quiet %v, a dry run %v: %d lines\n%s", quiet, dryRun, n, out.String())
			}
		}
	}
}

// TestAHookIsNotToldToWaitForTheRunThatItBelongsTo.
func TestAHookIsNotToldToWaitForTheRunThatItBelongsTo(t *testing.T) {
	held := &swap.LockedError{Holder: map[string]string{swap.LabelRun: "0123"}}
	for run, want := range map[string]string{"0123": "this is a hook of the run that has the lock", "4567": "wait for it: ", "": "wait for it: "} {
		t.Setenv("BLUEGREEN_RUN", run)
		if got := nextCommand(swap.Result{}, swap.Request{Command: swap.Deploy}, held); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s", run, got)
		}
	}
}

// TestAnAppThatDoesNotAnswerAsItselfIsToldTheKeysForThat.
func TestAnAppThatDoesNotAnswerAsItselfIsToldTheKeysForThat(t *testing.T) {
	for want, last := range map[string]error{
		"container_port": &health.NobodyError{What: "nobody"}, "is health.path right": &health.StatusError{}, "the failed container is kept": errors.New("x"),
	} {
		err := error(&swap.StepError{Err: &health.NotReadyError{Last: last}})
		if got := nextCommand(swap.Result{}, swap.Request{Command: swap.Deploy}, err); !strings.Contains(got, want) || strings.Contains(got, "health.path") != (want == "is health.path right") {
			t.Errorf("%v: %s", last, got)
		}
	}
}
