package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func targetOf(server *httptest.Server, path string) Target {
	return Target{Addr: server.Listener.Addr().String(), Host: "shop.example.com", Path: path}
}

func TestSlow(t *testing.T) {
	cut := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 100\r\n\r\nonly this"
	for _, test := range []struct {
		name, want string // want is part of the error, or empty
		handle     http.HandlerFunc
	}{
		{"complete", "", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(20 * time.Millisecond)
			fmt.Fprint(w, "hello")
		}},
		{"cut", "after 9 bytes", raw(cut, true)},
		{"reset", "read answer", raw("", true)},
		{"502 by nginx", "502 Bad Gateway", status(502, false)},
		{"no version", "no X-Version", status(200, false)},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, every(1, test.handle))
			answer, err := GetSlow(t.Context(), targetOf(server, "/slow"))
			checkError(t, err, test.want)
			if err == nil && (answer.Version != "1" || answer.Bytes != 5 || answer.Took < 20*time.Millisecond) {
				t.Errorf("answer = %+v, want 5 bytes by version 1", answer)
			}
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error = %v, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error = %v, want one with %q", err, want)
	}
}

func TestSlowEndsWithItsContext(t *testing.T) {
	server := serve(t, every(1, stall))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := GetSlow(ctx, targetOf(server, "/slow"))
	checkError(t, err, context.DeadlineExceeded.Error())
}

func TestStream(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nX-Version: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := "11\r\nid: 1\ndata: one\n\n\r\n"
	half := "5\r\ndata:\r\n"
	end := "0\r\n\r\n"
	for _, test := range []struct {
		name, answer, want string
		events             int
	}{
		{"clean", head + chunk + chunk + end, "", 2},
		{"cut between events", head + chunk + chunk, "after 2 events", 2},
		{"cut inside an event", head + chunk + half, "after 1 events", 1},
		{"ended inside an event", head + chunk + half + end, "inside event 2", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, every(1, raw(test.answer, false)))
			answer, err := ReadStream(t.Context(), targetOf(server, "/stream"))
			checkError(t, err, test.want)
			if answer.Events != test.events || answer.Last != "one" || answer.Version != "1" {
				t.Errorf("answer = %+v, want %d events by version 1, the last %q", answer, test.events, "one")
			}
		})
	}
}

func TestWebsocket(t *testing.T) {
	for _, test := range []struct {
		name, want string
		after      func(n int, conn *websocket.Conn, message []byte) []byte
	}{
		{"echoed", "", func(_ int, _ *websocket.Conn, m []byte) []byte { return m }},
		{"cut", "after 2 echoes", func(n int, conn *websocket.Conn, m []byte) []byte {
			if n == 3 {
				_ = conn.CloseNow()
			}
			return m
		}},
		{"changed", "back", func(int, *websocket.Conn, []byte) []byte { return []byte("other") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, every(1, echoWebsocket(test.after)))
			answer, err := EchoWebsocket(t.Context(), targetOf(server, "/ws"), 10*time.Millisecond, 50*time.Millisecond)
			checkError(t, err, test.want)
			if answer.Version != "1" || answer.Status != http.StatusSwitchingProtocols {
				t.Errorf("answer = %+v, want 101 by version 1", answer)
			}
			if err == nil && answer.Events != 5 {
				t.Errorf("echoes = %d, want 5", answer.Events)
			}
		})
	}
}

func echoWebsocket(after func(int, *websocket.Conn, []byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.example.com" {
			http.Error(w, r.Host, http.StatusBadRequest)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for n := 1; ; n++ {
			kind, message, err := conn.Read(r.Context())
			if err != nil || conn.Write(r.Context(), kind, after(n, conn, message)) != nil {
				return
			}
		}
	}
}

func TestLongRequestsOverTLS(t *testing.T) {
	server := serveTLSFor(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			echoWebsocket(func(_ int, _ *websocket.Conn, m []byte) []byte { return m })(w, r)
			return
		}
		fmt.Fprint(w, "data: one\n\n")
	})
	target := func(path string) Target {
		to := targetOf(server, path)
		to.TLS = trusting(server).Clone()
		to.TLS.ServerName = "example.com" // which the certificate is for
		return to
	}
	if answer, err := ReadStream(t.Context(), target("/stream")); err != nil || answer.Events != 1 {
		t.Errorf("stream = %+v, %v, want one event", answer, err)
	}
	if answer, err := EchoWebsocket(t.Context(), target("/ws"), time.Millisecond, 2*time.Millisecond); err != nil || answer.Events != 2 {
		t.Errorf("websocket = %+v, %v, want two echoes", answer, err)
	}
	plain := target("/stream")
	plain.TLS = nil
	if _, err := ReadStream(t.Context(), plain); err == nil {
		t.Error("want plain HTTP refused by a server with TLS")
	}
}

func serveTLSFor(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(DefaultVersionHeader, "1")
		handle(w, r)
	}))
	server.Config.ErrorLog = silent
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestUpload(t *testing.T) {
	const size = 1_000_003
	for _, test := range []struct {
		name, want string
		handle     http.HandlerFunc
	}{
		{"whole", "", echoSum(func(length int64, sum []byte) (int64, []byte) { return length, sum })},
		{"short", "server got 1000002 bytes", echoSum(func(n int64, sum []byte) (int64, []byte) { return n - 1, sum })},
		{"changed", "with SHA-256 00", echoSum(func(n int64, sum []byte) (int64, []byte) { return n, make([]byte, 32) })},
		{"refused early", "413", status(413, true)},
		{"reset", "upload.test", raw("", true)},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, every(1, test.handle))
			answer, err := Upload(t.Context(), targetOf(server, "/upload.test"), size, 200*time.Millisecond)
			checkError(t, err, test.want)
			if err == nil && answer.Took < 190*time.Millisecond {
				t.Errorf("took %s, want it spread over 200 ms", answer.Took)
			}
		})
	}
}

func echoSum(lie func(int64, []byte) (int64, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		digest := sha256.New()
		length, _ := io.Copy(digest, r.Body)
		length, sum := lie(length, digest.Sum(nil))
		_ = json.NewEncoder(w).Encode(map[string]any{"length": length, "sha256": hex.EncodeToString(sum)})
	}
}
