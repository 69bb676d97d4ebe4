package load

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// opaque is a connection without a socket that could be looked at.
type opaque struct{ net.Conn }

// dialing makes connections to the server, for a target of a name that only it knows.
func dialing(t *testing.T, server net.Addr) (to Target, made *atomic.Int64) {
	made = &atomic.Int64{}
	return Target{Addr: "inside.invalid:80", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "inside.invalid:80" {
			t.Errorf("asked to connect to %s", address)
		}
		made.Add(1)
		conn, err := (&net.Dialer{}).DialContext(ctx, network, server.String())
		return opaque{conn}, err
	}}, made
}

func TestEveryKindOfLoadGoesByTheTargetsOwnDial(t *testing.T) {
	plain := serve(t, hello)
	to, made := dialing(t, plain.Listener.Addr())
	if report := Start(t.Context(), Config{Target: to, Connections: 3, Period: 20 * time.Millisecond, MaxRequests: 30}).Wait(); report.OK != 30 || made.Load() != 3 {
		t.Errorf("report = %s, %d connections made; want 30 good answers on 3", report, made.Load())
	}
	streams := http2Server(t, false, hello)
	to, made = dialing(t, streams.Listener.Addr())
	if report := Start(t.Context(), Config{Target: to, HTTP2: true, MaxRequests: 10}).Wait(); report.OK != 10 || made.Load() != 1 {
		t.Errorf("report = %s, %d connections made; want 10 good answers on 1", report, made.Load())
	}
	socket := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) { sockets(attend)(w, r) })
	to, made = dialing(t, socket.Listener.Addr())
	c := StartClients(t.Context(), ClientsConfig{Kind: Websocket, Target: to, Clients: 1, Hold: 50 * time.Millisecond})
	if report := untilDone(t, c, 1); report.Lost != 0 || made.Load() == 0 {
		t.Errorf("report = %+v, %d connections made", report, made.Load())
	}
}

// It is noticed before a request is sent on it.
func TestIdleCloseOfAConnectionWithoutASocketIsNotLost(t *testing.T) {
	server := serveConfigured(t, func(s *http.Server) { s.IdleTimeout = 20 * time.Millisecond }, hello)
	to, made := dialing(t, server.Listener.Addr())
	report := Start(t.Context(), Config{Target: to, Period: 300 * time.Millisecond, MaxRequests: 4}).Wait()
	if report.OK != 4 || report.IdleCloses != 3 || made.Load() != 4 {
		t.Errorf("report = %s, %d connections made; want 4 good answers and 3 idle closes", report, made.Load())
	}
}

func TestUnaskedBytesOnAConnectionWithoutASocketAreCut(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 0\r\n\r\n"
	server := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		fmt.Fprint(conn, answer)
		time.Sleep(20 * time.Millisecond)
		fmt.Fprint(conn, answer)
		time.AfterFunc(time.Second, func() { conn.Close() })
	})
	to, _ := dialing(t, server.Listener.Addr())
	report := Start(t.Context(), Config{Target: to, Period: 300 * time.Millisecond, MaxRequests: 2}).Wait()
	if report.OK != 1 || report.Outcomes[Cut] != 1 {
		t.Errorf("report = %s, want the second request cut", report)
	}
}

// unmade tells of a connection that could not be made only when it is read from.
type unmade struct{ net.Conn }

func (unmade) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}
func (unmade) Write(p []byte) (int, error) { return len(p), nil }

func TestConnectionThatTurnsOutNotToBeMadeIsRefused(t *testing.T) {
	to := Target{Addr: "inside.invalid:80", Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { near.Close(); far.Close() })
		return unmade{near}, nil
	}}
	report := Start(t.Context(), Config{Target: to, Period: 10 * time.Millisecond, MaxRequests: 3}).Wait()
	if report.Outcomes[Refused] != 3 {
		t.Errorf("report = %s, want 3 refused", report)
	}
}
