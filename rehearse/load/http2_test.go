package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// runFrames sends the number of requests to a server of frames.
func runFrames(t *testing.T, addr string, requests int64, cfg Config) Report {
	t.Helper()
	cfg.Addr, cfg.HTTP2, cfg.MaxRequests, cfg.MaxTime = addr, true, requests, testTime
	report := Start(context.Background(), cfg).Wait()
	t.Logf("%s", report)
	if report.Requests != requests {
		t.Errorf("requests = %d, want %d", report.Requests, requests)
	}
	return report
}

// The third request of the first connection is declared unprocessed.
func TestUnprocessedStreamIsSentAgainAndCounted(t *testing.T) {
	for _, test := range []struct {
		name string
		nth  uint32 // stream of the first connection
		deny func(f *frames, stream uint32)
	}{
		{"GOAWAY with a lower last stream", 5, func(f *frames, stream uint32) { f.goAway(stream-2, 0) }},
		{"GOAWAY with an error", 5, func(f *frames, stream uint32) { f.goAway(stream-2, 11) }},
		{"GOAWAY with an error, at once", 1, func(f *frames, _ uint32) { f.goAway(0, 11) }},
		{"REFUSED_STREAM", 5, func(f *frames, stream uint32) { f.reset(stream, refusedStream) }},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				var answered atomic.Int64
				addr := serveFrames(t, func(f *frames, stream uint32) {
					if f.number == 1 && stream == test.nth {
						test.deny(f, stream)
						return
					}
					answered.Add(1)
					f.answer(stream)
				})
				var s seen
				report := runFrames(t, addr, 10, Config{Mix: []Request{{Method: method, Body: []byte("body")}}, Each: s.add})
				if report.OK != 10 || report.Unprocessed != 1 || answered.Load() != 10 {
					t.Errorf("ok %d, unprocessed %d, server answered %d; want 10, 1, 10", report.OK, report.Unprocessed, answered.Load())
				}
				if x := s.all[test.nth/2]; x.Unprocessed != 1 || x.Err != nil {
					t.Errorf("exchange = %+v, want it unprocessed once", x)
				}
			})
		}
	}
}

func TestServerThatRefusesEveryStreamIsGivenUp(t *testing.T) {
	addr := serveFrames(t, func(f *frames, stream uint32) { f.reset(stream, refusedStream) })
	report := runFrames(t, addr, 1, Config{})
	if report.Outcomes[Reset] != 1 || report.Unprocessed != maxSends {
		t.Errorf("report = %s, want one reset after %d times", report, maxSends)
	}
}

// A connection that has said that it goes away still owes an answer; what is due meanwhile goes to another.
func TestConnectionThatGoesAwayTakesNoMore(t *testing.T) {
	addr := serveFrames(t, func(f *frames, stream uint32) {
		if f.number == 1 {
			f.goAway(stream, 0)
			time.Sleep(100 * time.Millisecond)
		}
		f.answer(stream)
	})
	report := runFrames(t, addr, 50, Config{Rate: 500})
	if report.OK != 50 || report.Unprocessed != 0 || report.Connects != 2 || report.IdleCloses != 0 {
		t.Errorf("report = %s, want 50 good answers on 2 connections", report)
	}
}

func TestGoAwayBetweenRequestsIsAnIdleClose(t *testing.T) {
	addr := serveFrames(t, func(f *frames, stream uint32) {
		f.goAway(stream, 0)
		f.answer(stream)
		_ = f.Close()
	})
	report := runFrames(t, addr, 4, Config{Period: 30 * time.Millisecond})
	if report.OK != 4 || report.IdleCloses != 3 || report.Connects != 4 {
		t.Errorf("report = %s, want 4 good answers and 3 idle closes", report)
	}
}

func TestStreamsOfACutConnectionAreLost(t *testing.T) {
	const together = 5
	for _, test := range []struct {
		name string
		cut  func(f *frames)
	}{
		{"closed", func(f *frames) { _ = f.Close() }},
		{"GOAWAY that counts them as processed, then closed", func(f *frames) { f.goAway(2*together, 0); _ = f.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var arrived atomic.Int64
			addr := serveFrames(t, func(f *frames, stream uint32) {
				switch n := arrived.Add(1); {
				case n > together:
					f.answer(stream)
				case n == together:
					test.cut(f)
				}
			})
			report := runFrames(t, addr, 50, Config{Rate: 500})
			// A request may also have been sent into the cut, and was not seen then.
			lost := report.Outcomes[Reset]
			if lost < together || report.OK+lost != 50 || report.OK != arrived.Load()-together {
				t.Errorf("report = %s, server saw %d; want those it saw but %d answered, the others reset", report, arrived.Load(), together)
			}
		})
	}
}

func TestEachFaultOfAStreamIsCountedAsWhatItIs(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault func(f *frames, stream uint32)
		want  Outcome
	}{
		{"reset before an answer", func(f *frames, stream uint32) { f.reset(stream, 2) }, Reset},
		{"reset inside an answer", func(f *frames, stream uint32) { f.headers(stream, 0); f.reset(stream, 2) }, Cut},
		{"connection closed inside an answer", func(f *frames, stream uint32) { f.headers(stream, 0); _ = f.Close() }, Cut},
		{"no answer", func(*frames, uint32) {}, Timeout},
		{"not HTTP/2", func(f *frames, _ uint32) { _, _ = f.Write([]byte("220 mail.example.com ESMTP")); _ = f.Close() }, Reset},
	} {
		t.Run(test.name, func(t *testing.T) {
			var n atomic.Int64
			addr := serveFrames(t, func(f *frames, stream uint32) {
				if n.Add(1)%5 == 0 {
					test.fault(f, stream)
					return
				}
				f.answer(stream)
			})
			report := runFrames(t, addr, 20, Config{Timeout: 300 * time.Millisecond})
			if report.Outcomes[test.want] != 4 || report.Lost != 4 || n.Load() != 20 {
				t.Errorf("report = %s, server saw %d; want 4 %s, 20 seen", report, n.Load(), test.want)
			}
		})
	}
}

// http2Server speaks HTTP/2 with and without TLS, and HTTP/1.1.
func http2Server(t *testing.T, secure bool, handle func(n int64, w http.ResponseWriter, r *http.Request)) *httptest.Server {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(DefaultVersionHeader, "1")
		handle(requests.Add(1), w, r)
	}))
	server.Config.ErrorLog = silent
	if secure {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Config.Protocols = &http.Protocols{}
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.Config.Protocols.SetHTTP1(true)
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

// trusting is the TLS configuration of a client that trusts the test server.
func trusting(server *httptest.Server) *tls.Config {
	if server.TLS == nil {
		return nil
	}
	return server.Client().Transport.(*http.Transport).TLSClientConfig
}

func TestRequestIsNeverSentTwiceOverAnyProtocol(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, http2 := range []bool{false, true} {
			for _, mix := range [][]Request{mixed(0, 0), mixed(1, 64)} {
				t.Run(fmt.Sprintf("TLS %t, HTTP/2 %t, %s", secure, http2, mix[int(mix[1].Share)].Method), func(t *testing.T) {
					var seen, wrong atomic.Int64
					server := http2Server(t, secure, func(n int64, w http.ResponseWriter, r *http.Request) {
						seen.Add(1)
						if (r.ProtoMajor == 2) != http2 || (r.TLS != nil) != secure || r.Host != "example.com" {
							wrong.Add(1)
						}
						if n%3 == 0 {
							panic(http.ErrAbortHandler)
						}
						hello(n, w, r)
					})
					cfg := Config{Target: Target{Host: "example.com", TLS: trusting(server)}, HTTP2: http2, Mix: mix}
					cfg.Connections = 3
					report := run(t, server, 99, cfg)
					cfg.Rate = 1000
					again := run(t, server, 99, cfg)
					if seen.Load() != 198 || report.Outcomes[Reset] != 33 || again.Outcomes[Reset] != 33 || wrong.Load() != 0 {
						t.Errorf("server saw %d requests, %d of them otherwise than sent, want 198, with 33 reset of 99", seen.Load(), wrong.Load())
					}
				})
			}
		}
	}
}

func TestServerWithoutHTTP2IsRefused(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = silent
	defer server.Close()
	report := run(t, server, 1, Config{Target: Target{TLS: trusting(server), Host: "example.com"}, HTTP2: true})
	if report.Outcomes[Refused] != 1 {
		t.Errorf("report = %s, want one refused", report)
	}
	if !strings.Contains(report.String(), "HTTP/2") && !strings.Contains(report.String(), "application protocol") {
		t.Errorf("report does not say why:\n%s", report)
	}
}

func TestStreamsShareAConnection(t *testing.T) {
	var all sync.WaitGroup
	all.Add(20)
	server := http2Server(t, false, func(n int64, w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait() // until all are under way at once
		hello(n, w, r)
	})
	report := run(t, server, 20, Config{HTTP2: true, Connections: 2, Rate: 1000})
	if report.OK != 20 || report.Connects != 2 {
		t.Errorf("report = %s, want 20 good answers on 2 connections", report)
	}
}
