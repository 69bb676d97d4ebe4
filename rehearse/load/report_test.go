package load

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnswersAreCountedByVersionAndProfile(t *testing.T) {
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n > 60 {
			w.Header().Set(DefaultVersionHeader, "2")
			w.Header().Set(DefaultProfileHeader, "real2")
		}
		hello(n, w, r)
	})
	report := run(t, server, 100, Config{Connections: 4})
	if report.Versions["1"].Answers != 60 || report.Versions["2"].Answers != 40 {
		t.Errorf("versions = %+v, want 60 and 40", report.Versions)
	}
	if report.Profiles["real1"] != 60 || report.Profiles["real2"] != 40 {
		t.Errorf("profiles = %v, want 60 and 40", report.Profiles)
	}
	if second := report.Versions["2"]; second.Last.Before(second.First) || second.First.IsZero() {
		t.Errorf("version 2 seen from %s to %s", second.First, second.Last)
	}
}

func TestWrongReleaseIsLost(t *testing.T) {
	start := time.Now()
	for _, test := range []struct {
		name string
		fill func(*Timeline)
		want int64
	}{
		{"live", func(tl *Timeline) { tl.Live("1", start) }, 0},
		{"live and draining", func(tl *Timeline) { tl.Live("1", start); tl.Retired("1", time.Now()) }, 0},
		{"another is live", func(tl *Timeline) { tl.Live("2", start) }, 50},
		{"not live yet", func(tl *Timeline) { tl.Live("1", time.Now()) }, 50},
		{"retired before", func(tl *Timeline) { tl.Live("1", start.Add(-time.Hour)); tl.Retired("1", start) }, 50},
	} {
		t.Run(test.name, func(t *testing.T) {
			var timeline Timeline
			server := serve(t, hello)
			r := Start(context.Background(), Config{
				Target:      Target{Addr: server.Listener.Addr().String()},
				Connections: 2, MaxRequests: 50, Mix: mixed(1, 64), Timeline: &timeline,
			})
			r.Wait()
			test.fill(&timeline) // after the fact, as a test that reads events learns of it
			report := r.Report()
			if report.Outcomes[WrongRelease] != test.want || report.Lost != test.want || report.OK != 50-test.want {
				t.Errorf("report = %s, want %d by a wrong release", report, test.want)
			}
			if want := min(test.want, keptLost); int64(len(report.FirstLost)) != want {
				t.Errorf("%d lost requests described, want %d", len(report.FirstLost), want)
			}
		})
	}
}

func TestAnswerWithoutVersionIsWrongOnlyUnderATimeline(t *testing.T) {
	server := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) { status(200, false)(w, r) })
	var timeline Timeline
	timeline.Live("1", time.Now())
	if report := run(t, server, 5, Config{Timeline: &timeline}); report.Outcomes[WrongRelease] != 5 {
		t.Errorf("with a timeline: %s, want 5 by a wrong release", report)
	}
	if report := run(t, server, 5, Config{}); report.Lost != 0 {
		t.Errorf("without: %s, want none lost", report)
	}
}

func TestLostAreDescribedOnlyAtFirst(t *testing.T) {
	server := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) { status(503, false)(w, r) })
	report := run(t, server, 100, Config{Connections: 3})
	if report.Lost != 100 || len(report.FirstLost) != keptLost {
		t.Errorf("lost, described = %d, %d, want 100, %d", report.Lost, len(report.FirstLost), keptLost)
	}
	if text := report.String(); strings.Count(text, "\n") != printedLost+3 || !strings.Contains(text, "5xx by nginx: 100") {
		t.Errorf("report is not a few lines with the cause:\n%s", text)
	}
}

func TestLatencyCountsFromWhenTheRequestWasDue(t *testing.T) {
	const stall = 200 * time.Millisecond
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			time.Sleep(stall)
		}
		hello(n, w, r)
	})
	report := run(t, server, 15, Config{Period: 20 * time.Millisecond})
	// Nine requests fell due while the first was under way; the median of all fifteen must show that.
	if report.P50 < 10*time.Millisecond || report.Max < stall {
		t.Errorf("p50 %s, max %s: the stall is hidden", report.P50, report.Max)
	}
	if report.LongestGap < stall || report.LongestGap > report.Duration {
		t.Errorf("longest gap %s, want at least %s", report.LongestGap, stall)
	}
}

func TestPeriodSpreadsAndPacesRequests(t *testing.T) {
	server := serve(t, hello)
	report := run(t, server, 20, Config{Connections: 10, Period: 200 * time.Millisecond})
	if report.Duration < 370*time.Millisecond || report.Connects != 10 {
		t.Errorf("20 requests took %s on %d connections, want 380 ms on 10", report.Duration, report.Connects)
	}
	if report.LongestGap > 150*time.Millisecond {
		t.Errorf("longest gap %s: first requests are not spread over the period", report.LongestGap)
	}
}

func TestMixAndBodyArriveAsConfigured(t *testing.T) {
	var posts, bytes atomic.Int64
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.example.com" || r.URL.String() != "/cart?id=1" {
			http.Error(w, r.Host+r.URL.String(), http.StatusBadRequest)
			return
		}
		if r.Method == http.MethodPost {
			posts.Add(1)
			size, _ := io.Copy(io.Discard, r.Body)
			bytes.Add(size)
		}
		hello(n, w, r)
	})
	target := Target{Host: "shop.example.com", Path: "/cart?id=1"}
	report := run(t, server, 1000, Config{Target: target, Connections: 4, Mix: mixed(0.25, 1000)})
	if report.Lost != 0 || posts.Load() != 250 || bytes.Load() != 1000*posts.Load() {
		t.Errorf("lost %d, %d POSTs of %d bytes in all, want 0, 250, of 1000 each",
			report.Lost, posts.Load(), bytes.Load())
	}
}

func TestReportWhileRunning(t *testing.T) {
	server := serve(t, hello)
	var timeline Timeline
	timeline.Live("1", time.Now())
	busy := Start(context.Background(), Config{
		Target: Target{Addr: server.Listener.Addr().String()}, Connections: 4, MaxTime: testTime, Timeline: &timeline,
	})
	for busy.Report().OK < 2*chunkSize {
		time.Sleep(time.Millisecond)
	}
	report := busy.Stop()
	if report.Lost != 0 || report.OK < 2*chunkSize || report.Requests != busy.Sent() {
		t.Errorf("sent %d, report = %s", busy.Sent(), report)
	}
	if again := busy.Report(); again.Duration != report.Duration || again.OK != report.OK {
		t.Errorf("a report after the end differs: %s", again)
	}
}

func TestLimitsEndARun(t *testing.T) {
	server := serve(t, hello)
	report := Start(t.Context(), Config{
		Target: Target{Addr: server.Listener.Addr().String()}, Period: 10 * time.Millisecond, MaxTime: 100 * time.Millisecond,
	}).Wait()
	if report.Lost != 0 || report.Requests == 0 || report.Requests > 11 {
		t.Errorf("report = %s, want up to 11 requests and none lost", report)
	}
}
