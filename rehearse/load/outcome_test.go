package load

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestEachFaultIsCountedExactlyAsWhatItIs(t *testing.T) {
	cutBody := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 100\r\n\r\nonly this"
	cutChunk := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
	noLength := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nConnection: close\r\n\r\nhello"
	for _, test := range []struct {
		name  string
		fault http.HandlerFunc
		want  Outcome
	}{
		{"reset before an answer", raw("", true), Reset},
		{"closed before an answer", raw("", false), Reset},
		{"reset after the status line", raw("HTTP/1.1 200 OK\r\n", true), Cut},
		{"closed inside the body", raw(cutBody, false), Cut},
		{"closed inside a chunked body", raw(cutChunk, false), Cut},
		{"reset inside the body", raw(cutBody, true), Cut},
		{"body without a length", raw(noLength, false), Cut},
		{"not HTTP", raw("220 mail.example.com ESMTP\r\n\r\n", false), Cut},
		{"502 by nginx", status(502, false), Status5xxNginx},
		{"500 by the app", status(500, true), Status5xxApp},
		{"404", status(404, true), OtherStatus},
		{"302 without version", status(302, false), OtherStatus},
	} {
		for _, share := range []float64{0, 1} {
			t.Run(fmt.Sprintf("%s, POST share %g", test.name, share), func(t *testing.T) {
				const requests, nth = 2000, 1000
				server := serve(t, every(nth, test.fault))
				report := run(t, server, requests, Config{Connections: 8, Mix: mixed(share, 64)})
				if got := report.Outcomes[test.want]; got != requests/nth || report.Lost != requests/nth {
					t.Errorf("%s = %d of %d lost, want %d", test.want, got, report.Lost, requests/nth)
				}
				checkFirstLost(t, report, test.want, mixed(share, 0)[int(share)].Method)
				if report.IdleCloses != 0 {
					t.Errorf("idle closes = %d, want 0", report.IdleCloses)
				}
			})
		}
	}
}

func checkFirstLost(t *testing.T, report Report, outcome Outcome, method string) {
	t.Helper()
	if int64(len(report.FirstLost)) != report.Lost {
		t.Fatalf("%d lost requests described, want all %d", len(report.FirstLost), report.Lost)
	}
	for _, lost := range report.FirstLost {
		if lost.Outcome != outcome || lost.Method != method || lost.Error == "" || lost.Time.IsZero() {
			t.Errorf("described as %+v, want a %s with outcome %q", lost, method, outcome)
		}
	}
}

func TestNoListenerIsRefusedWithoutSpinning(t *testing.T) {
	target := Target{Addr: refusingAddr(t)}
	report := Start(t.Context(), Config{Target: target, Connections: 2, MaxRequests: 10}).Wait()
	if report.Outcomes[Refused] != 10 || report.Lost != 10 || report.Connects != 0 {
		t.Errorf("report = %s, want 10 refused", report)
	}
	if report.Duration < 4*refusedPause {
		t.Errorf("10 refusals on 2 connections took %s, want a pause after each", report.Duration)
	}
}

func TestSlowAnswerIsTimeout(t *testing.T) {
	server := serve(t, every(5, stall))
	report := run(t, server, 20, Config{Connections: 2, Timeout: 100 * time.Millisecond})
	if report.Outcomes[Timeout] != 4 || report.Lost != 4 {
		t.Errorf("timeouts = %d of %d lost, want 4", report.Outcomes[Timeout], report.Lost)
	}
}

func TestStallInsideTheBodyIsTimeout(t *testing.T) {
	server := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "begin")
		_ = http.NewResponseController(w).Flush()
		stall(w, r)
	})
	report := run(t, server, 2, Config{Timeout: 50 * time.Millisecond})
	if report.Outcomes[Timeout] != 2 {
		t.Errorf("report = %s, want 2 timeouts", report)
	}
}

func TestIdleCloseIsNotLost(t *testing.T) {
	server := serveConfigured(t, func(s *http.Server) { s.IdleTimeout = 20 * time.Millisecond }, hello)
	report := run(t, server, 12, Config{Connections: 4, Period: 200 * time.Millisecond, Mix: mixed(1, 64)})
	if report.Lost != 0 {
		t.Errorf("lost = %d, want 0", report.Lost)
	}
	// The first request of each of the 4 connections finds none open; every later one finds a closed one.
	if report.IdleCloses != 8 || report.Connects != 12 {
		t.Errorf("idle closes, connects = %d, %d, want 8, 12", report.IdleCloses, report.Connects)
	}
}

func TestIdleResetIsNotLost(t *testing.T) {
	answer := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 2\r\n\r\nok"
	server := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) { raw(answer, true)(w, r) })
	report := run(t, server, 4, Config{Period: 20 * time.Millisecond})
	if report.Lost != 0 || report.IdleCloses != 3 {
		t.Errorf("lost, idle closes = %d, %d, want 0, 3", report.Lost, report.IdleCloses)
	}
}

func TestRequestThatMeetsTheCloseIsLostAlsoWhenItIsAGet(t *testing.T) {
	// The server closes when the second request of a connection is there: nothing a client can see beforehand.
	server := serve(t, every(2, raw("", false)))
	report := run(t, server, 10, Config{})
	if report.Outcomes[Reset] != 5 || report.IdleCloses != 0 {
		t.Errorf("reset, idle closes = %d, %d, want 5, 0", report.Outcomes[Reset], report.IdleCloses)
	}
}

func TestAnnouncedCloseReconnects(t *testing.T) {
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		hello(n, w, r)
	})
	report := run(t, server, 30, Config{Connections: 3, Mix: mixed(0.5, 64)})
	if report.Lost != 0 || report.IdleCloses != 0 || report.Connects != 30 {
		t.Errorf("lost, idle closes, connects = %d, %d, %d, want 0, 0, 30",
			report.Lost, report.IdleCloses, report.Connects)
	}
}

func TestUnaskedBytesAreCut(t *testing.T) {
	answer := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 2\r\n\r\nok"
	server := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) { raw(answer+answer, false)(w, r) })
	report := run(t, server, 4, Config{Period: 20 * time.Millisecond})
	if report.OK != 2 || report.Outcomes[Cut] != 2 {
		t.Errorf("report = %s, want every second request cut", report)
	}
	if !strings.Contains(report.String(), errStray.Error()) {
		t.Errorf("report does not say why:\n%s", report)
	}
}

func TestRequestIsNeverSentTwice(t *testing.T) {
	var seen atomic.Int64
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		every(3, raw("", true))(n, w, r)
	})
	run(t, server, 99, Config{Connections: 3})
	if seen.Load() != 99 {
		t.Errorf("server saw %d requests, want 99", seen.Load())
	}
}

func TestStopWaitsForRequestsUnderWay(t *testing.T) {
	arrived := make(chan struct{})
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		close(arrived)
		time.Sleep(50 * time.Millisecond)
		hello(n, w, r)
	})
	r := Start(context.Background(), Config{Target: Target{Addr: server.Listener.Addr().String()}})
	<-arrived
	report := r.Stop()
	if report.Requests != 1 || report.OK != 1 || r.Sent() != 1 {
		t.Errorf("report = %s, want the one request under way answered", report)
	}
}
