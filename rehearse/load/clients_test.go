package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// untilDone waits until the clients have ended the number of requests, good or lost, and stops them.
func untilDone(t *testing.T, c *Clients, count int64) ClientsReport {
	t.Helper()
	for deadline := time.Now().Add(testTime); ; time.Sleep(time.Millisecond) {
		if r := c.Report(); r.Done+r.Lost >= count || time.Now().After(deadline) {
			break
		}
	}
	r := c.Stop()
	t.Logf("%+v", r)
	if r.Begun != r.Done+r.Lost || r.Begun < count {
		t.Errorf("begun %d, done %d, lost %d, want at least %d, all ended", r.Begun, r.Done, r.Lost, count)
	}
	return r
}

// events sends an event every 10 ms until the client goes.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for r.Context().Err() == nil {
		fmt.Fprint(w, "data: one\n\n")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

// sockets opens a websocket, and calls handle once it has sent a message.
func sockets(handle func(conn *websocket.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		_ = conn.Write(r.Context(), websocket.MessageText, make([]byte, 100_000))
		handle(conn)
	}
}

// attend answers pings until the client goes.
func attend(conn *websocket.Conn) { _, _, _ = conn.Read(context.Background()) }

func TestEachEndOfALongRequestIsCountedAsWhatItIs(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
	event := "b\r\ndata: one\n\n\r\n"
	for _, test := range []struct {
		kind   Kind
		name   string
		want   Outcome
		handle http.HandlerFunc
	}{
		{Slow, "whole", OK, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(20 * time.Millisecond)
			fmt.Fprint(w, "hello")
		}},
		{Slow, "reset", Reset, raw("", true)},
		{Slow, "cut", Cut, raw(head+event, false)},
		{Slow, "502 by nginx", Status5xxNginx, status(502, false)},
		{Slow, "500 by the app", Status5xxApp, status(500, true)},
		{Slow, "404", OtherStatus, status(404, true)},
		{Stream, "left after the hold time", OK, events},
		{Stream, "ended cleanly", OK, raw(head+event+"0\r\n\r\n", false)},
		{Stream, "cut", Cut, raw(head+event, true)},
		{Stream, "ended inside an event", Cut, raw(head+"5\r\ndata:\r\n0\r\n\r\n", false)},
		{Stream, "no answer", Timeout, stall},
		{Stream, "502 by nginx", Status5xxNginx, status(502, false)},
		{Websocket, "left after the hold time", OK, sockets(attend)},
		{Websocket, "closed by handshake", OK, sockets(func(c *websocket.Conn) { _ = c.Close(websocket.StatusGoingAway, "") })},
		{Websocket, "closed for an error", Cut, sockets(func(c *websocket.Conn) { _ = c.Close(websocket.StatusInternalError, "") })},
		{Websocket, "cut", Cut, sockets(func(c *websocket.Conn) { _ = c.CloseNow() })},
		{Websocket, "reset", Reset, raw("", true)},
		{Websocket, "no answer", Timeout, stall},
		{Websocket, "no answer to a ping", Timeout, sockets(func(*websocket.Conn) { time.Sleep(2 * time.Second) })},
		{Websocket, "502 by nginx", Status5xxNginx, status(502, false)},
		{Websocket, "a plain answer", OtherStatus, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }},
		{Websocket, "elsewhere", OtherStatus, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }},
	} {
		t.Run(string(test.kind)+" "+test.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, every(1, test.handle))
			server.Config.ErrorLog = silent
			hold := 50 * time.Millisecond
			if strings.Contains(test.name, "ping") {
				hold = testTime
			}
			c := StartClients(t.Context(), ClientsConfig{
				Kind: test.kind, Target: targetOf(server, "/long"), Clients: 2, Hold: hold, Timeout: 500 * time.Millisecond,
			})
			r := untilDone(t, c, 4)
			if r.Outcomes[test.want] < 4 || len(r.Outcomes) > 2 || test.want != OK && r.Lost < 4 || test.want == OK && r.Lost > 0 {
				t.Errorf("report = %+v, want all %s", r, test.want)
			}
			if test.want != OK && (r.FirstLost[0].Outcome != test.want || r.FirstLost[0].Error == "" || r.FirstLost[0].Path != "/long") {
				t.Errorf("first lost: %v", r.FirstLost[0])
			}
		})
	}
}

func TestWebsocketOverTLSIsAskedForSignsOfLife(t *testing.T) {
	var pings atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			OnPingReceived: func(context.Context, []byte) bool { pings.Add(1); return true },
		})
		if err != nil {
			return
		}
		attend(conn)
		_ = conn.CloseNow()
	}))
	defer server.Close()
	target := Target{Addr: server.Listener.Addr().String(), Host: "example.com", TLS: trusting(server)}
	c := StartClients(t.Context(), ClientsConfig{Kind: Websocket, Target: target, Hold: 3 * pingEvery})
	if r := untilDone(t, c, 1); r.Lost != 0 || pings.Load() < 2 {
		t.Errorf("report = %+v after %d pings", r, pings.Load())
	}
}

func TestNoListenerIsRefusedForEveryKind(t *testing.T) {
	for _, kind := range []Kind{Slow, Stream, Websocket} {
		r := untilDone(t, StartClients(t.Context(), ClientsConfig{Kind: kind, Target: Target{Addr: refusingAddr(t)}}), 1)
		if r.Outcomes[Refused] != r.Begun {
			t.Errorf("report = %+v, want all refused", r)
		}
	}
}

func TestStopLeavesPolitelyAndWaitsForSlowAnswers(t *testing.T) {
	slow := func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(200 * time.Millisecond)
		fmt.Fprint(w, "hello")
	}
	var left atomic.Int64
	// The answer to a close is on its way before Read returns here.
	var handled sync.WaitGroup
	handled.Add(3)
	for kind, handle := range map[Kind]http.HandlerFunc{
		Slow: slow, Stream: events,
		Websocket: sockets(func(c *websocket.Conn) {
			defer handled.Done()
			if _, _, err := c.Read(context.Background()); websocket.CloseStatus(err) == websocket.StatusNormalClosure {
				left.Add(1)
			}
		}),
	} {
		var arrived atomic.Int64
		server := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
			arrived.Add(1)
			handle(w, r)
		})
		c := StartClients(context.Background(), ClientsConfig{Kind: kind, Target: targetOf(server, "/"), Clients: 3, Hold: time.Hour})
		for arrived.Load() < 3 {
			time.Sleep(time.Millisecond)
		}
		if r := c.Stop(); r.Begun != 3 || r.Done != 3 || r.Lost != 0 || r.Kind != kind {
			t.Errorf("report = %+v, want 3 done", r)
		}
	}
	handled.Wait()
	if left.Load() != 3 {
		t.Errorf("%d websockets were closed by handshake, want 3", left.Load())
	}
}

func TestPreflightNamesWhatGetsNoGoodAnswer(t *testing.T) {
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			hello(n, w, r)
		case "/events":
			events(w, r)
		case "/ws":
			sockets(attend)(w, r)
		default:
			http.NotFound(w, r)
		}
	})
	target := targetOf(server, "/good")
	long := func(kind Kind, path string) []ClientsConfig {
		return []ClientsConfig{{Kind: kind, Target: targetOf(server, path)}}
	}
	for _, test := range []struct {
		name, want string
		mix        []Request
		long       []ClientsConfig
	}{
		{"all good", "", mixed(0.5, 10), append(append(long(Slow, "/good"), long(Stream, "/events")...), long(Websocket, "/ws")...)},
		{"no such path", "POST /bad: other status: 404 Not Found", []Request{{}, {Method: "POST", Path: "/bad"}}, nil},
		{"no such slow path", "slow GET /bad: other status: 404", nil, long(Slow, "/bad")},
		{"no such stream", "stream GET /bad: other status: 404", nil, long(Stream, "/bad")},
		{"no websocket", "websocket GET /good: other status", nil, long(Websocket, "/good")},
		{"no such kind", "no such kind of client", nil, long("other", "/good")},
		{"no method", `PO ST /good: cannot be sent: net/http: invalid method "PO ST"`, []Request{{Method: "PO ST"}}, nil},
		{"path with a space", "character ' '", []Request{{Path: "/a b"}}, nil},
		{"path that is none", "does not begin with a slash", []Request{{Path: "good"}}, nil},
		{"negative share", "share is -1", []Request{{Share: 1}, {Share: -1}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkError(t, Preflight(t.Context(), Config{Target: target, Mix: test.mix, Rate: 1000}, test.long...), test.want)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	checkError(t, Preflight(ctx, Config{Target: target}), context.Canceled.Error())
}
