package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestExampleIsTheAppUntilItIsAskedToStop: it answers as the environment says, and its end is no failure.
func TestExampleIsTheAppUntilItIsAskedToStop(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	t.Setenv("SERVER_PORT", port)
	t.Setenv("SPRING_PROFILES_ACTIVE", "real2")
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int, 1)
	var out, errs bytes.Buffer
	go func() { code <- run(ctx, []string{"example"}, &out, &errs) }()
	if got := eventually(t, "http://127.0.0.1:"+port+"/profile"); got != "real2" {
		t.Errorf("profile is %q", got)
	}
	stop()
	if got := <-code; got != 0 || errs.Len() > 0 {
		t.Errorf("exit code %d, %s", got, errs.String())
	}
}

func eventually(t *testing.T, url string) string {
	t.Helper()
	for range 500 {
		if answer, err := http.Get(url); err == nil {
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			return string(body)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no answer")
	return ""
}

// TestExampleIsNoCommandForPeople: neither help nor completion shows it.
func TestExampleIsNoCommandForPeople(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"__complete", ""}, {"__complete", "ex"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 0 {
			t.Errorf("%v: exit code %d", args, code)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(strings.TrimSpace(line), "example") {
				t.Errorf("%v shows it: %s", args, line)
			}
		}
	}
}
