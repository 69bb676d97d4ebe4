package swap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
)

// probing is a request with x-bluegreen.probe set.
func probing(r Request, p config.Probe) Request {
	s := *r.Service
	s.Host.Probe = p
	r.Service = &s
	return r
}

// asked notes where a run asks.
func asked(w *World, urls *[]string) {
	probe := w.Probe
	w.Probe = func(ctx context.Context, q health.Probe) (string, error) {
		at := q.URL
		if q.Via != nil {
			at += " through " + q.Via.Name
		}
		*urls = append(*urls, at)
		return probe(ctx, q)
	}
}

// TestAnEngineElsewhereIsAskedFromInsideNginx: on this machine's loopback another nginx may answer, for a service of the same
// name. Whether the engine is elsewhere is found out; the key says otherwise.
func TestAnEngineElsewhereIsAskedFromInsideNginx(t *testing.T) {
	for name, c := range map[string]struct {
		elsewhere bool
		probe     config.Probe
		inside    bool
	}{
		"here": {false, "", false}, "elsewhere": {true, "", true},
		"here, and asked for": {false, config.ProbeContainer, true}, "elsewhere, through a tunnel of one's own": {true, config.ProbeHost, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.elsewhere = c.elsewhere && c.probe == "" // the fake objects to questions on the wrong loopback
				for i, r := range []Request{deploy("v1"), deploy("v2"), command(Rollback), deploy("v3")} {
					p := h.process(fault{})
					var urls []string
					var world World
					p.alter = func(w *World) {
						w.Local = func() bool { return !c.elsewhere }
						asked(w, &urls)
						world = *w
					}
					r = probing(r, c.probe)
					if _, err := p.run(r); err != nil {
						t.Fatalf("run %d: %v; asked at %q", i, err, urls)
					}
					if listener := newJob(world, r).listener(&Observation{Host: HostKeys{Status: 9}}); (listener.Dial != nil) != c.inside || c.inside != strings.HasSuffix(listener.URL, ":8079") {
						t.Errorf("the listener is asked at %+v", listener)
					}
					for _, at := range urls {
						if strings.HasSuffix(at, " through bluegreen-nginx") != c.inside {
							t.Errorf("asked %s", at)
						}
					}
					soon()
				}
				h.elsewhere = false // the checks are made beside it
				checkLive(t, h)
				checkWhole(t, h)
			})
		})
	}
}

// TestAContainerWithNothingToAskWithEndsTheWaiting: asking again is no use, and live stays as it is.
func TestAContainerWithNothingToAskWithEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		deployed("v1")(t, h)
		p := h.process(fault{})
		asks := 0
		p.alter = func(w *World) {
			w.Local = func() bool { return false }
			w.Probe = func(context.Context, health.Probe) (string, error) {
				asks++
				return "", fmt.Errorf("GET: %w", &docker.NoDialerError{Container: "bluegreen-nginx"})
			}
		}
		_, err := p.run(deploy("v2"))
		var none *docker.NoDialerError
		if !errors.As(err, &none) || ExitCode(err) != ExitFailed {
			t.Errorf("%v", err)
		}
		if asks > 4 {
			t.Errorf("asked %d times", asks)
		}
		soon()
		checkLive(t, h)
	})
}

// TestNginxThatIsDownIsNotTheLiveProfilesFault: nobody can be asked through it, and a deploy of what is live starts nginx and
// nothing else.
func TestNginxThatIsDownIsNotTheLiveProfilesFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		deployed("v1", "v2")(t, h)
		h.elsewhere = true
		nginx := h.must(t, "bluegreen-nginx")
		if err := h.stop(nginx.ID); err != nil {
			t.Fatal(err)
		}
		h.wrongs = nil
		status, err := ReadStatus(t.Context(), h.process(fault{}).world(), deploy("v2").Service)
		if err != nil || status.Serving || !strings.Contains(fmt.Sprint(status.Profiles), "not running") {
			t.Errorf("%v, %+v", err, status)
		}
		res := h.mustRun(t, deploy("v2"))
		if res.Release != 2 || res.Outcome != Done {
			t.Errorf("%+v: want release 2 left where it is, and nginx started", res)
		}
		checkLive(t, h)
	})
}
