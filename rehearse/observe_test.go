package rehearse

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// observed loads a server at a rate for a time, and returns the one run of the report.
func observed(t *testing.T, handle http.HandlerFunc, rate float64, duration time.Duration) report.Run {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	r, err := Observe(t.Context(), Observation{
		URL: server.URL, Duration: duration, ReleaseHeader: "X-Version",
		Load: Load{
			Rate: rate, Connections: 16, Timeout: 5 * time.Second,
			Mix: []load.Request{{Method: "GET", Path: "/", Share: 1}, {Method: "POST", Path: "/", Body: []byte("x"), Share: 1}},
		},
		Progress: func(Progress) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 1 {
		t.Fatalf("%d runs", len(r.Runs))
	}
	return r.Runs[0]
}

func outcomeOf(r report.Run, o load.Outcome) int64 {
	for _, one := range r.Outcomes {
		if one.Name == o.String() {
			return one.Count
		}
	}
	return -1
}

// preflights are the requests that a mix of two is tried with before the load.
const preflights = 2

func TestTheReportCountsExactlyTheRequestsThatAServerResets(t *testing.T) {
	var asked, reset atomic.Int64
	run := observed(t, func(w http.ResponseWriter, _ *http.Request) {
		if n := asked.Add(1); n%1000 == 0 {
			reset.Add(1)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.Close()
			return
		}
		w.Header().Set("X-Version", "7")
	}, 2000, 2*time.Second)
	if run.Requests+preflights != asked.Load() {
		t.Errorf("the server was asked %d times, the report has %d requests: one was sent twice, or not counted", asked.Load(), run.Requests)
	}
	if got := outcomeOf(run, load.Reset); got != reset.Load() || got == 0 || run.Lost != got {
		t.Errorf("the server reset %d, the report has %d reset and %d lost", reset.Load(), got, run.Lost)
	}
	if len(run.Releases) != 1 || run.Releases[0].Release != "7" || run.Releases[0].Answers != run.OK {
		t.Errorf("releases %+v, want %d answers of 7", run.Releases, run.OK)
	}
}

// Of two seconds, 0.3 are a stall. In an open loop 15 of 100 requests are due in it, and wait from 0 to 300 ms: so a tenth of
// all waits for more than 100 ms, and a hundredth for more than 280. A client that waits for its answers would send one
// request on each of 16 connections, of 2,000, and show a p99 of a millisecond.
func TestAStallShowsInEveryRequestThatWasDueInIt(t *testing.T) {
	const stall = 300 * time.Millisecond
	var stalled atomic.Bool
	var from atomic.Int64
	run := observed(t, func(w http.ResponseWriter, _ *http.Request) {
		from.CompareAndSwap(0, time.Now().UnixNano())
		at := time.Since(time.Unix(0, from.Load()))
		if left := time.Second + stall - at; at > time.Second && left > 0 {
			stalled.Store(true)
			time.Sleep(left)
		}
	}, 1000, 2*time.Second)
	all := run.Phase(report.PhaseAll)
	if !stalled.Load() || run.Lost != 0 {
		t.Fatalf("no stall, or requests lost: %+v", run.Outcomes)
	}
	for _, c := range []struct {
		what       string
		got, least report.MS
	}{
		{"p90", all.P90, 60}, {"p99", all.P99, 250}, {"max", all.Max, 280}, {"longest gap", run.LongestGap, 250},
	} {
		if c.got < c.least {
			t.Errorf("%s is %v, want %v at least", c.what, c.got, c.least)
		}
	}
	if !slices.ContainsFunc(run.Series, func(s report.Slot) bool { return s.Max > 200 }) {
		t.Error("the stall is not in the series")
	}
}

func TestAnswersWithoutTheExpectedTextAreWrong(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text := "welcome"
		if asked.Add(1)%10 == 0 {
			text = "an error page with status 200"
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	r, err := Observe(t.Context(), Observation{
		URL: server.URL, Duration: time.Second, Progress: func(Progress) {},
		Load: Load{Rate: 200, Connections: 4, Timeout: time.Second, Expect: "welcome", Mix: []load.Request{{Method: "GET", Path: "/", Share: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := outcomeOf(r.Runs[0], load.WrongAnswer), asked.Load()/10; got != want || r.Verdict.Passed {
		t.Errorf("%d wrong answers, want %d: %+v", got, want, r.Verdict)
	}
}

// The load is at its rate, also when the answers take longer than the time between two requests.
func TestSlowAnswersDoNotSlowTheLoadDown(t *testing.T) {
	run := observed(t, func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) }, 500, 2*time.Second)
	if run.Requests < 990 || run.Lost != 0 {
		t.Errorf("%d requests, %d lost, want 1,000 and none", run.Requests, run.Lost)
	}
}

func TestAnAddressThatAnswersNothingGoodIsAnErrorBeforeTheLoad(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, err := Observe(t.Context(), Observation{
		URL: server.URL, Duration: time.Minute, Progress: func(Progress) {},
		Load: Load{Rate: 10, Connections: 1, Timeout: time.Second, Mix: []load.Request{{Method: "GET", Path: "/gone", Share: 1}}},
	})
	if err == nil {
		t.Error("no error, and a minute of losses")
	}
}
