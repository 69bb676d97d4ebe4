package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Answers without a body, of unknown length, or after others, each followed by more on the same connection.
func TestEveryKindOfAnswerIsReadToItsEnd(t *testing.T) {
	for _, test := range []struct {
		name, method string
		handle       http.HandlerFunc
		want         Outcome
	}{
		{"HEAD with a length", "HEAD", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "100") }, OK},
		{"HEAD of unknown length", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Transfer-Encoding", "identity")
			w.WriteHeader(200)
		}, OK},
		{"204", "DELETE", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, OK},
		{"304", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, OtherStatus},
		{"307, not followed", "POST", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, OtherStatus},
		{"chunked", "GET", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "one")
			_ = http.NewResponseController(w).Flush()
			fmt.Fprint(w, "two")
		}, OK},
		{"empty", "PATCH", func(http.ResponseWriter, *http.Request) {}, OK},
		{"103 before 200", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(103)
			fmt.Fprint(w, "hello")
		}, OK},
		{"a method of its own", "PURGE", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method) }, OK},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", test.name, http2), func(t *testing.T) {
				server := http2Server(t, false, func(_ int64, w http.ResponseWriter, r *http.Request) {
					if r.Method != test.method || r.URL.Path != "/path" {
						w.WriteHeader(500)
						return
					}
					test.handle(w, r)
				})
				mix := []Request{{Method: test.method, Path: "/path?query=1"}}
				report := run(t, server, 10, Config{Mix: mix, HTTP2: http2})
				if report.Outcomes[test.want] != 10 || report.Connects != 1 {
					t.Errorf("report = %s, want 10 %s on one connection", report, test.want)
				}
			})
		}
	}
}

func TestCheckSeesTheWholeAnswerAndMakesItWrong(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		server := http2Server(t, false, func(n int64, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Place", "two")
			if n%5 == 0 {
				fmt.Fprint(w, "other")
				return
			}
			fmt.Fprintf(w, "hello %s", r.Method)
		})
		var checked atomic.Int64
		report := run(t, server, 100, Config{
			HTTP2: http2, Connections: 4, Mix: mixed(0.5, 10), ProfileHeader: "X-Place",
			Check: func(c Checked) error {
				checked.Add(1)
				if c.Status != 200 || c.Version != "1" || c.Profile != "two" || c.Header.Get("X-Place") != "two" {
					t.Errorf("checked %+v, want 200 by version 1 in two", c)
				}
				if want := "hello " + c.Request.Method; string(c.Body) != want {
					return fmt.Errorf("got %q, want %q", c.Body, want)
				}
				return nil
			},
		})
		if report.Outcomes[WrongAnswer] != 20 || report.Lost != 20 || checked.Load() != 100 || report.Profiles["two"] != 80 {
			t.Errorf("report = %s, %d checked; want 20 of 100 wrong", report, checked.Load())
		}
		if !strings.Contains(report.String(), `got "other"`) {
			t.Errorf("report does not say why:\n%s", report)
		}
	}
}

func TestCheckedBodyIsBounded(t *testing.T) {
	server := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 3*checkedBody)) })
	report := run(t, server, 3, Config{Check: func(c Checked) error {
		if len(c.Body) != checkedBody {
			return fmt.Errorf("%d bytes", len(c.Body))
		}
		return nil
	}})
	if report.OK != 3 || report.Connects != 1 {
		t.Errorf("report = %s, want 3 good answers on one connection", report)
	}
}

func TestHeadersArriveAsConfigured(t *testing.T) {
	header := http.Header{"X-Token": {"a", "b"}, "User-Agent": {"own"}, "Host": {"never"}, "X-Split": {"a\r\nX-Other: b"}}
	for _, http2 := range []bool{false, true} {
		server := http2Server(t, false, func(n int64, w http.ResponseWriter, r *http.Request) {
			if fmt.Sprint(r.Header["X-Token"]) != "[a b]" || r.UserAgent() != "own" || r.Host != "shop.example.com" ||
				r.Header.Get("X-Other") != "" || r.Header.Get("Content-Type") != contentType {
				w.WriteHeader(400)
			}
			hello(n, w, r)
		})
		if http2 {
			header.Del("X-Split") // net/http refuses it
		}
		report := run(t, server, 2, Config{Target: Target{Host: "shop.example.com", Header: header}, Mix: mixed(1, 3), HTTP2: http2})
		if report.OK != 2 {
			t.Errorf("report = %s, want 2 good answers", report)
		}
	}
}

func TestMixIsExact(t *testing.T) {
	mix := []Request{{Path: "/a", Share: 1}, {Path: "/b", Share: 2}, {Path: "/c", Share: 5}, {Path: "/d", Share: 2}}
	for _, connections := range []int{1, 2, 7, 10} {
		s, counts := newSource(Config{Mix: mix, Connections: connections, MaxRequests: 1000}), map[string]int{}
		for n := 1; ; n++ {
			_, q, ok := s.take()
			if !ok {
				break
			}
			counts[q.Path]++
			for _, r := range mix {
				if off := float64(counts[r.Path]) - r.Share/10*float64(n); off > 2 || off < -2 {
					t.Fatalf("%d connections: after %d requests %v, which is off by %.1f for %s", connections, n, counts, off, r.Path)
				}
			}
		}
		if connections != 7 && fmt.Sprint(counts) != "map[/a:100 /b:200 /c:500 /d:200]" {
			t.Errorf("%d connections: of 1000 requests %v", connections, counts)
		}
	}
}

func TestEachIsCalledOnceForEveryRequest(t *testing.T) {
	server := serve(t, every(10, raw("", true)))
	for _, rate := range []float64{0, 5000} {
		var s seen
		report := run(t, server, 500, Config{Rate: rate, Connections: 5, Mix: mixed(0.5, 8), Each: s.add})
		numbers, lost := map[int64]bool{}, int64(0)
		for _, x := range s.all {
			numbers[x.Number] = true
			if x.Outcome != OK {
				lost++
			}
			if (x.Err == nil) != (x.Outcome == OK) || x.Request == nil || x.Done.Before(x.Sent) || x.Sent.Before(x.Due) || x.Late < 0 {
				t.Errorf("exchange = %+v", x)
			}
		}
		if len(s.all) != 500 || len(numbers) != 500 || lost != report.Lost {
			t.Errorf("called %d times for %d requests with %d lost, want 500, 500, %d", len(s.all), len(numbers), lost, report.Lost)
		}
	}
}

func TestMemoryDoesNotGrowWithTheNumberOfRequests(t *testing.T) {
	heapAfter := func(requests int64) uint64 {
		r := Start(context.Background(), Config{
			Target: Target{Addr: bareServer()}, Rate: 50_000, Connections: 8, MaxConnections: 8, MaxRequests: requests,
			Check: func(c Checked) error {
				if !bytes.HasPrefix(c.Body, []byte("hello")) {
					return errors.New("no hello")
				}
				return nil
			},
		})
		if report := r.Wait(); report.OK != requests {
			t.Errorf("report = %s, want %d good answers", report, requests)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(r)
		return m.HeapAlloc
	}
	few, many := heapAfter(20_000), heapAfter(200_000)
	if many > few+1<<20 {
		t.Errorf("heap of %d bytes after 20,000 requests, %d after 200,000", few, many)
	}
}

func TestRunWithARateEndsAtItsLimits(t *testing.T) {
	server := serve(t, hello)
	start := time.Now()
	report := Start(t.Context(), Config{
		Target: Target{Addr: server.Listener.Addr().String()}, Rate: 0.1, MaxTime: 50 * time.Millisecond,
	}).Wait()
	if report.OK != 1 || time.Since(start) > 5*time.Second {
		t.Errorf("report = %s after %v, want the one request that was due", report, time.Since(start))
	}
}
