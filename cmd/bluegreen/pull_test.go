package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bluegreen/docker"
	"bluegreen/swap"
)

// aPull is a pull of two layers in a minute with ten messages a second of each, which a registry tries to write on the
// terminal with.
func aPull() (events []swap.Event) {
	add := func(at time.Duration, e swap.Event) {
		e.Time, e.Kind, e.Pull = start.Add(at), swap.Progress, "shop:v2"
		events = append(events, e)
	}
	layer := func(at time.Duration, id, status string, current, total int64) {
		add(at, swap.Event{Text: status, Layer: &swap.Layer{ID: id, Status: status, Current: current, Total: total}})
	}
	add(0, swap.Event{Text: "pulling shop:v2"})
	layer(0, "aa", "Already exists", 0, 0)
	for i := range 600 {
		at := time.Duration(i) * 100 * time.Millisecond
		layer(at, "bb", "Downloading", int64(i)*100_000, 60_000_000)
		layer(at, "cc\x1b[2J", "Downloading", int64(i)*10_000, 6_000_000)
	}
	for _, id := range []string{"bb", "cc\x1b[2J"} {
		layer(time.Minute, id, "Download complete", 0, 0)
		layer(time.Minute, id, "Extracting", 1, 6_000_000)
		layer(time.Minute, id, "Pull complete", 0, 0)
	}
	add(time.Minute, swap.Event{Text: "pulled shop:v2 (sha256:abcd…) in 60.0 s\x1b[31m", Duration: time.Minute})
	return events
}

func show(r renderer, events []swap.Event) {
	for _, e := range events {
		r.event(e)
	}
}

func TestPullIsAFewLinesOffATerminal(t *testing.T) {
	for _, c := range []struct {
		name           string
		quiet, verbose bool
		least, most    int
		want           string
	}{
		{"plain", false, false, 7, 8, "      pulling shop:v2: 1 of 3 layers, 11MB of 66MB\n"},
		{"quiet", true, false, 0, 0, ""},
		{"verbose", false, true, 11, 11, "      bb: Downloading, 60MB\n"},
	} {
		var errs bytes.Buffer
		a := &app{stdout: &bytes.Buffer{}, stderr: &errs, output: "text", quiet: c.quiet, verbose: c.verbose}
		show(a.renderer(false), aPull())
		if n := strings.Count(errs.String(), "\n"); n < c.least || n > c.most || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: %d lines, want %d to %d with %q:\n%s", c.name, n, c.least, c.most, c.want, errs.String())
		}
		if strings.Contains(errs.String(), "\x1b") {
			t.Errorf("%s: a registry steers the terminal: %q", c.name, errs.String())
		}
	}
}

func TestPullIsALineALayerAndSecondInJSON(t *testing.T) {
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: &bytes.Buffer{}, output: "json"}
	show(a.renderer(false), aPull())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) < 60 || len(lines) > 140 {
		t.Errorf("%d lines for two layers in a minute", len(lines))
	}
	var e struct {
		Event, Pull, Layer, Text string
		Current, Total           int64
		DurationMS               int64 `json:"duration_ms"`
	}
	if err := json.Unmarshal([]byte(lines[4]), &e); err != nil || e.Pull != "shop:v2" || e.Layer != "bb" || e.Current != 1_000_000 || e.Total != 60_000_000 || e.Text != "Downloading" {
		t.Errorf("%+v, %v in %s", e, err, lines[4])
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil || e.DurationMS != 60_000 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestPullIsOneChangingLineOnATerminal(t *testing.T) {
	_, l, f := onScreen(t)
	events := aPull()
	half := len(events) / 2
	show(l, events[:half])
	l.mu.Lock()
	l.draw()
	l.mu.Unlock()
	screen := func() []string {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 20_000 {
			t.Errorf("%d bytes for half a pull", len(b))
		}
		return play(string(b))
	}
	if got := screen(); len(got) > 2 || !strings.Contains(got[0], "pulling shop:v2: 1 of 3 layers, 33") {
		t.Errorf("screen %q", got)
	}
	show(l, events[half:])
	l.result(swap.Result{Outcome: swap.Unchanged, Why: "x"}, swap.Request{Command: swap.Deploy}, nil)
	if got := screen(); got[0] != `pulled shop:v2 (sha256:abcd…) in 60.0 s\x1b[31m` || strings.Join(got[1:], "") != "" {
		t.Errorf("screen %q", got)
	}
}

func TestAFailedPullLeavesNoLineBehind(t *testing.T) {
	_, l, f := onScreen(t)
	show(l, aPull()[:100])
	l.result(swap.Result{}, swap.Request{Command: swap.Deploy}, &docker.RegistryError{Image: "shop:v2", Registry: "r:5000", Why: docker.NeedsLogin, Err: fmt.Errorf("denied\x1b[31m")})
	b, _ := os.ReadFile(f.Name())
	got := strings.Join(play(strings.ReplaceAll(string(b), "\x1b[0m", "")), "\n")
	if strings.Contains(got, "pulling") || !strings.Contains(got, `denied\x1b[31m`) || !strings.Contains(got, "next: docker login r:5000; then run `bluegreen deploy` again") {
		t.Errorf("screen:\n%s", got)
	}
}

func TestADetailIsForWhoAsks(t *testing.T) {
	e := swap.Event{Kind: swap.Progress, Detail: true, Text: "the registry could not be asked"}
	for _, verbose := range []bool{false, true} {
		var errs bytes.Buffer
		a := &app{stdout: &bytes.Buffer{}, stderr: &errs, output: "text", verbose: verbose}
		a.renderer(false).event(e)
		if (errs.Len() > 0) != verbose {
			t.Errorf("verbose %t: %q", verbose, errs.String())
		}
	}
}
