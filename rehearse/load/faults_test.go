package load

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// testTime bounds each run of a test.
const testTime = 20 * time.Second

// serve starts a server that answers as version "1", profile "real1", unless handle does otherwise.
func serve(t testing.TB, handle func(n int64, w http.ResponseWriter, r *http.Request)) *httptest.Server {
	t.Helper()
	return serveConfigured(t, func(*http.Server) {}, handle)
}

func serveConfigured(
	t testing.TB, configure func(*http.Server), handle func(n int64, w http.ResponseWriter, r *http.Request),
) *httptest.Server {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(DefaultVersionHeader, "1")
		w.Header().Set(DefaultProfileHeader, "real1")
		handle(requests.Add(1), w, r)
	}))
	configure(server.Config)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func hello(_ int64, w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }

// every makes each nth request meet the fault and all others a good answer.
func every(nth int64, fault http.HandlerFunc) func(int64, http.ResponseWriter, *http.Request) {
	return func(n int64, w http.ResponseWriter, r *http.Request) {
		if n%nth == 0 {
			fault(w, r)
			return
		}
		hello(n, w, r)
	}
}

// raw takes the connection from the server, writes the text to it and ends it: by a reset or by a plain close.
func raw(text string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(text))
		if reset {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
	}
}

// status answers with the status, and as nginx, without version, unless byApp.
func status(code int, byApp bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !byApp {
			w.Header().Del(DefaultVersionHeader)
			w.Header().Del(DefaultProfileHeader)
		}
		w.WriteHeader(code)
	}
}

// stall answers when the client has gone.
func stall(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// run sends exactly the number of requests to the server and reports.
func run(t testing.TB, server *httptest.Server, requests int64, cfg Config) Report {
	t.Helper()
	cfg.Addr = server.Listener.Addr().String()
	cfg.MaxRequests = requests
	cfg.MaxTime = testTime
	report := Start(context.Background(), cfg).Wait()
	t.Logf("%s", report)
	if report.Requests != requests || report.OK+report.Lost != requests {
		t.Errorf("requests = %d (ok %d, lost %d), want %d", report.Requests, report.OK, report.Lost, requests)
	}
	return report
}

// refusingAddr is an address on which nothing listens.
func refusingAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// mixed is GETs, and POSTs with the share of them all.
func mixed(posts float64, bodySize int) []Request {
	return []Request{{Method: http.MethodGet, Share: 1 - posts}, {Method: http.MethodPost, Body: make([]byte, bodySize), Share: posts}}
}

// silent takes what servers say of faults that are meant.
var silent = log.New(io.Discard, "", 0)
