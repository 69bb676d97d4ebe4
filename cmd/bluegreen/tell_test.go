package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/swap"
)

// hush is in the secret parts of the webhooks' addresses.
const hush = "hush"

// project is a folder with a compose file whose service has these lines below notify, and an engine that answers nothing well: a
// rollback of it fails.
func project(t *testing.T, notify string) {
	t.Helper()
	dockerFolder(t)
	server, _ := engineThere(t, false)
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	dir := t.TempDir()
	text := "name: p\nservices:\n  shop:\n    image: shop:v1\n    x-bluegreen:\n      notify: " + notify + "\n"
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
}

// webhook is a server, and its address.
func webhook(t *testing.T, answer http.HandlerFunc) (url string) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return secretURL(s.Listener.Addr().String())
}

func secretURL(host string) string {
	return fmt.Sprintf("http://%s:%[1]s@%s/%[1]s?token=%[1]s", hush, host)
}

// failing runs a rollback that fails, and says how.
func failing(t *testing.T, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(ctx, append([]string{"rollback", "shop"}, args...), &out, &errs)
	if all := out.String() + errs.String(); strings.Contains(all, hush) {
		t.Errorf("the address of the webhook is shown:\n%s", all)
	}
	return code, out.String(), errs.String()
}

func TestANotificationNeverChangesHowARunEnds(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for name, c := range map[string]struct{ url, warns string }{
		"nobody":    {"", ""},
		"well":      {webhook(t, func(http.ResponseWriter, *http.Request) {}), ""},
		"not there": {webhook(t, http.NotFound), "it answered 404 Not Found"},
		"refused":   {secretURL(gone.Addr().String()), "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			project(t, `"`+c.url+`"`)
			code, stdout, stderr := failing(t, t.Context(), "-o", "json")
			var result jsonResult
			if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != swap.ExitFailed || result.Outcome != swap.Failed {
				t.Errorf("exit code %d, %v\n%s", code, err, stdout)
			}
			if n := strings.Count(stderr, "bluegreen: warning: "); n != 0 && c.warns == "" || n != 1 && c.warns != "" || !strings.Contains(stderr, c.warns) {
				t.Errorf("%d warnings:\n%s", n, stderr)
			}
		})
	}
}

// TestANotificationSaysWhatTheResultSays, and who asked for what.
func TestANotificationSaysWhatTheResultSays(t *testing.T) {
	var got map[string]any
	project(t, `"`+webhook(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s, %v", body, err)
		}
	})+`"`)
	_, stdout, _ := failing(t, t.Context(), "-o", "json")
	var want map[string]any
	if err := json.Unmarshal([]byte(stdout), &want); err != nil {
		t.Fatal(err)
	}
	for key, value := range want {
		if key != "time" && key != "duration_ms" && fmt.Sprint(got[key]) != fmt.Sprint(value) {
			t.Errorf("%s is %v, and the result has %v", key, got[key], value)
		}
	}
	text, _ := got["text"].(string)
	if want["command"] != "rollback" || got["who"] == "" || got["where"] == "" || len(got) != len(want)+3 || !strings.HasPrefix(text, "shop: rollback FAILED: ") {
		t.Errorf("%v", got)
	}
}

func TestCtrlCInANotificationLeavesWithTheRunsOwnCode(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	project(t, `"`+webhook(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		interrupt()
		<-r.Context().Done()
	})+`"`)
	if code, _, stderr := failing(t, ctx); code != swap.ExitFailed || !strings.Contains(stderr, "failed: interrupted") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestWhatEndsWithoutHavingDoneAnythingIsNotTold.
func TestWhatEndsWithoutHavingDoneAnythingIsNotTold(t *testing.T) {
	locked, wrong, declined := &swap.LockedError{}, &config.Error{}, &swap.DeclinedError{Err: errors.New("no")}
	for _, c := range []struct {
		o    swap.Outcome
		dry  bool
		err  error
		want bool
	}{
		{swap.Swapped, false, nil, true}, {swap.Done, false, nil, true}, {swap.RolledBack, false, &swap.SwitchedBackError{}, true}, {swap.Failed, false, errors.New("x"), true},
		{swap.Failed, false, &docker.UnreachableError{}, true}, {swap.Interrupted, false, &swap.InterruptedError{}, true},
		{swap.Unchanged, false, nil, false}, {swap.OnlyPlanned, true, nil, false}, {swap.Failed, true, errors.New("x"), false},
		{swap.Failed, false, locked, false}, {swap.Failed, false, wrong, false}, {swap.Failed, false, declined, false},
	} {
		e := ended{result: swap.Result{Outcome: c.o}, request: swap.Request{DryRun: c.dry}, err: c.err}
		if got := e.worthTelling(); got != c.want {
			t.Errorf("%s, %v: %v", c.o, c.err, got)
		}
	}
}

func TestAWebhookIsToldOfWhatItAsksFor(t *testing.T) {
	s := &config.Service{Notify: []config.Notify{
		{URL: "http://a", Format: "json", On: config.DefaultNotifyOn}, {URL: "http://b", Format: "slack", On: []string{"done"}}, {URL: "", On: config.DefaultNotifyOn},
	}}
	for o, want := range map[swap.Outcome]string{swap.Swapped: "http://a", swap.Failed: "http://a", swap.Done: "http://b", "paused": "http://a"} {
		e := ended{result: swap.Result{Outcome: o}, request: swap.Request{Service: s}}
		if got := e.hooks(); len(got) != 1 || got[0].URL != want {
			t.Errorf("%s: %v", o, got)
		}
	}
}

func TestTheTextOfANotificationIsForAPerson(t *testing.T) {
	live := swap.Result{Service: "shop", Seen: true, Live: "real1", Idle: "real2", Release: 42, Image: "shop:v42", SwitchMS: 200, Duration: 3 * time.Second}
	with := func(o swap.Outcome) swap.Result { r := live; r.Outcome = o; return r }
	for _, c := range []struct {
		res  swap.Result
		cmd  swap.Command
		err  error
		want string
	}{
		{with(swap.Swapped), swap.Deploy, nil, "shop: release 42 (shop:v42) is live in real1, switched in 200 ms, 3.0 s in all (deploy by ann on ci-7)"},
		{with(swap.Failed), swap.Deploy, errors.New("it ended; its last lines:\n  password=hunter2"), "shop: deploy FAILED: it ended; live: release 42 (shop:v42) in real1 (deploy by ann on ci-7)"},
		{with(swap.RolledBack), swap.Deploy, errors.New("x"), "shop: deploy was switched back: x; live: release 42 (shop:v42) in real1 (deploy by ann on ci-7)"},
		{with(swap.Interrupted), swap.Switch, errors.New("\x1b[2J @here"), "shop: switch was interrupted: \\x1b[2J @\u200bhere; live: release 42 (shop:v42) in real1 (switch by ann on ci-7)"},
	} {
		e := ended{result: c.res, request: swap.Request{Command: c.cmd, Actor: swap.Actor{Who: "ann", Where: "ci-7"}}, err: c.err}
		if got := e.message().Object.(jsonNotification).Text; got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
	long := ended{result: live, err: errors.New(strings.Repeat("é", toldError))}
	if o := long.message().Object.(jsonNotification); len(o.Error) > toldError+len("…") || len([]rune(o.Text)) > toldLine+200 {
		t.Errorf("%d bytes of error, %d of text", len(o.Error), len(o.Text))
	}
}
