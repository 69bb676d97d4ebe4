package rehearse

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"bluegreen/config"
	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

func sensible() Config {
	return Config{
		Load:  Load{Rate: 500, Connections: 32, Timeout: time.Second},
		Swaps: 5, Ports: DefaultPorts,
	}
}

func wantWrong(t *testing.T, err error, where string) {
	t.Helper()
	var wrong *config.Error
	switch {
	case where == "" && err != nil:
		t.Errorf("error %v, want none", err)
	case where != "" && (!errors.As(err, &wrong) || wrong.Where != where):
		t.Errorf("error %v, want one at %s", err, where)
	}
}

func TestARehearsalThatMakesNoSenseIsRefusedBeforeAnythingIsMade(t *testing.T) {
	zero := report.MS(0)
	for _, c := range []struct {
		name, where string
		edit        func(*Config)
	}{
		{"defaults", "", func(*Config) {}},
		{"rate 0", "--rate", func(c *Config) { c.Rate = 0 }},
		{"rate below 0", "--rate", func(c *Config) { c.Rate = -1 }},
		{"rate not a number", "--rate", func(c *Config) { c.Rate = math.NaN() }},
		{"rate too large", "--rate", func(c *Config) { c.Rate = MaxRate + 1 }},
		{"no connections", "--connections", func(c *Config) { c.Connections = 0 }},
		{"too many connections", "--connections", func(c *Config) { c.Connections = MaxConnections + 1 }},
		{"no time for an answer", "--request-timeout", func(c *Config) { c.Timeout = 0 }},
		{"no swap", "", func(c *Config) { c.Swaps = 0 }},
		{"swaps below 0", "--swaps", func(c *Config) { c.Swaps = -1 }},
		{"too many swaps", "--swaps", func(c *Config) { c.Swaps = MaxSwaps + 1 }},
		{"too short for its swaps", "--duration", func(c *Config) { c.Duration = 3 * time.Second }},
		{"too short", "--duration", func(c *Config) { c.Swaps, c.Duration = 0, time.Millisecond }},
		{"too long", "--duration", func(c *Config) { c.Duration = 25 * time.Hour }},
		{"websockets below 0", "--websockets", func(c *Config) { c.Others = []Others{{Kind: load.Websocket, Clients: -1}} }},
		{"max-lost below 0", "--max-lost", func(c *Config) { c.Limits.MaxLost = -1 }},
		{"max-p99 of 0", "--max-p99", func(c *Config) { c.Limits.MaxP99 = &zero }},
		{"nothing to compare", "--compare", func(c *Config) { c.Compare, c.Swaps = true, 0 }},
		{"which of two copies to keep", "--keep", func(c *Config) { c.Compare, c.Keep = true, true }},
		{"websockets with the recipe", "--compare", func(c *Config) { c.Compare, c.Others = true, []Others{{Kind: load.Websocket, Clients: 1}} }},
		{"HTTP/2 with the recipe", "--compare", func(c *Config) { c.Compare, c.HTTP2 = true, true }},
		{"ports", "--ports", func(c *Config) { c.Ports = [2]int{1, 2} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := sensible()
			c.edit(&cfg)
			wantWrong(t, cfg.Check(), c.where)
		})
	}
}

func TestLoadGoesToLoopbackOnlyAndObservationsAreBounded(t *testing.T) {
	for _, c := range []struct {
		name, url, where string
		edit             func(*Observation)
	}{
		{"loopback", "http://127.0.0.1:8080/x", "", nil},
		{"loopback by name", "http://localhost:8080", "", nil},
		{"loopback of IPv6", "https://[::1]:8443/", "", nil},
		{"another machine", "http://192.0.2.1/", "--url", nil},
		{"all interfaces are no loopback", "http://0.0.0.0:8080/", "--url", nil},
		{"no URL", "shop.example.com", "--url", nil},
		{"another scheme", "ftp://127.0.0.1/", "--url", nil},
		{"a password in it", "http://me:secret@127.0.0.1/", "--url", nil},
		{"observed", "https://192.0.2.1/", "", func(o *Observation) { o.Observe, o.Rate, o.Connections = true, 20, 8 }},
		{"observed too fast", "https://192.0.2.1/", "--rate", func(o *Observation) { o.Observe, o.Rate, o.Connections = true, 51, 8 }},
		{"observed by too many", "https://192.0.2.1/", "--connections", func(o *Observation) { o.Observe, o.Rate, o.Connections = true, 20, 17 }},
		{"observed too long", "https://192.0.2.1/", "--observe", func(o *Observation) {
			o.Observe, o.Rate, o.Connections, o.Duration = true, 20, 8, 2*time.Hour
		}},
		{"observed by too many websockets", "https://192.0.2.1/", "--websockets", func(o *Observation) {
			o.Observe, o.Rate, o.Connections, o.Others = true, 20, 8, []Others{{Kind: load.Websocket, Clients: 6}}
		}},
		{"too short", "http://127.0.0.1/", "--duration", func(o *Observation) { o.Duration = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Observation{Load: sensible().Load, URL: c.url, Duration: time.Minute}
			if c.edit != nil {
				c.edit(&o)
			}
			wantWrong(t, o.Check(), c.where)
		})
	}
}

func TestAPasswordInAURLIsNotRepeated(t *testing.T) {
	err := Observation{Load: sensible().Load, URL: "http://me:secret@127.0.0.1/", Duration: time.Minute}.Check()
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

func TestAReportHasNoQueries(t *testing.T) {
	l := Load{Mix: []load.Request{{Method: "GET", Path: "/x?token=s3cret", Share: 1}}}
	if got := fmt.Sprint(l.describe("http://127.0.0.1/x?token=s3cret")); strings.Contains(got, "s3cret") {
		t.Error(got)
	}
	m := newMeter(narrowestSlot)
	m.begin(time.Now())
	m.record(load.Exchange{Request: &l.Mix[0], Outcome: load.Reset})
	if m.lost[0].Path != "/x?…" {
		t.Errorf("%+v", m.lost[0])
	}
}

func TestAReportSaysWhenTheMachineCouldNotCarryTheLoad(t *testing.T) {
	for _, c := range []struct {
		name string
		run  report.Run
		want int
	}{
		{"all well", report.Run{Rate: 499}, 0},
		{"too slow", report.Run{Rate: 400}, 1},
		{"late once", report.Run{Rate: 500, Client: report.Client{LatestSend: 700}}, 1},
		{"late often", report.Run{Rate: 400, Client: report.Client{P99Send: 60}}, 2},
	} {
		if got := doubts(c.run, 500); len(got) != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestTheVerdictGoesByTheLimits(t *testing.T) {
	limit := report.MS(50)
	swap := func(errs ...string) (list []report.Swap) {
		for i, e := range errs {
			list = append(list, report.Swap{Number: i + 1, Error: e})
		}
		return list
	}
	p99 := func(ms report.MS) []report.Latency {
		return []report.Latency{{Phase: report.PhaseAll, Requests: 10, P99: ms}}
	}
	for _, c := range []struct {
		name     string
		run      report.Run
		limits   report.Limits
		failures int
	}{
		{"nothing lost", report.Run{Requests: 10, Swaps: swap("", "")}, report.Limits{}, 0},
		{"one lost", report.Run{Requests: 10, Lost: 1}, report.Limits{}, 1},
		{"as many as allowed", report.Run{Requests: 10, Lost: 2}, report.Limits{MaxLost: 2}, 0},
		{"a websocket lost", report.Run{Requests: 10, Others: []report.Other{{Lost: 1}}}, report.Limits{}, 1},
		{"fast enough", report.Run{Requests: 10, Latency: p99(50)}, report.Limits{MaxP99: &limit}, 0},
		{"too slow", report.Run{Requests: 10, Latency: p99(51)}, report.Limits{MaxP99: &limit}, 1},
		{"a swap failed", report.Run{Requests: 10, Swaps: swap("", "not ready")}, report.Limits{}, 1},
		{"nothing sent", report.Run{}, report.Limits{}, 1},
		{"all of it", report.Run{Lost: 3, Latency: p99(51), Swaps: swap("no")}, report.Limits{MaxP99: &limit}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(report.Report{Limits: c.limits, Runs: []report.Run{c.run, {Lost: 100}}})
			if len(v.Failures) != c.failures || v.Passed != (c.failures == 0) {
				t.Errorf("verdict %+v, want %d failures", v, c.failures)
			}
		})
	}
}
