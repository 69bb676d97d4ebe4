package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// startApp serves an app as real1, version v1, with the FAULT given; stop is its SIGTERM.
func startApp(t *testing.T, faultText string) (url string, stop context.CancelFunc) {
	t.Helper()
	f, err := parseFault(faultText)
	if err != nil {
		t.Fatal(err)
	}
	stopping, stop := context.WithCancel(t.Context())
	a := newApp(stopping, settings{version: "v1", profile: "real1", hostname: "box"}, f)
	server := httptest.NewServer(a.handler())
	t.Cleanup(func() { stop(); server.Close() })
	return server.URL, stop
}

func ask(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPages(t *testing.T) {
	const helloSHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	url, _ := startApp(t, "")
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/profile", "", 200, "real1"},
		{"GET", "/", "", 200, "hello v1 from real1 on box\n"},
		{"POST", "/", "some text", 200, "hello v1 from real1 on box\n"},
		{"GET", "/version", "", 200, `{"version":"v1","profile":"real1"}` + "\n"},
		{"GET", "/healthz", "", 200, "ok\n"},
		{"POST", "/echo", "hello", 200, `{"length":5,"sha256":"` + helloSHA + `"}` + "\n"},
		{"GET", "/slow?for=1ms", "", 200, "hello v1 from real1 on box\n"},
		{"GET", "/slow?for=6m", "", 400, "for=6m: want 0s to 5m0s\n"},
		{"GET", "/slow?for=x", "", 400, "read for: time: invalid duration \"x\"\n"},
		{"GET", "/stream?every=-1s", "", 400, "every=-1s: want 0s to 5m0s\n"},
		{"GET", "/nothing", "", 404, "404 page not found\n"},
	} {
		answer, body := ask(t, request(t, tt.method, url+tt.path, tt.body))
		if answer.StatusCode != tt.status || body != tt.want {
			t.Errorf("%s %s: got %d %q, want %d %q", tt.method, tt.path, answer.StatusCode, body, tt.status, tt.want)
		}
		if answer.Header.Get("X-Version") != "v1" || answer.Header.Get("X-Profile") != "real1" {
			t.Errorf("%s %s: headers %v", tt.method, tt.path, answer.Header)
		}
	}
}

// TestPostSaysWhatArrived: a client can tell that its body came whole without a page of its own.
func TestPostSaysWhatArrived(t *testing.T) {
	const helloSHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	url, _ := startApp(t, "")
	for path, want := range map[string]string{"/": helloSHA, "/slow?for=0s": helloSHA, "/version": ""} {
		method := "POST"
		if want == "" {
			method = "GET"
		}
		answer, _ := ask(t, request(t, method, url+path, "hello"))
		if got := answer.Header.Get("X-Body-SHA256"); got != want {
			t.Errorf("%s %s: sum %q, want %q", method, path, got, want)
		}
	}
}

func TestIndexAsJSON(t *testing.T) {
	url, _ := startApp(t, "")
	r := request(t, "GET", url, "")
	r.Header.Set("Accept", "application/json")
	answer, body := ask(t, r)
	if want := `{"version":"v1","profile":"real1"}` + "\n"; body != want {
		t.Errorf("got %q, want %q", body, want)
	}
	if got := answer.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
}

func TestStreamEndsInTime(t *testing.T) {
	url, _ := startApp(t, "")
	_, body := ask(t, request(t, "GET", url+"/stream?for=60ms&every=20ms", ""))
	if !strings.HasPrefix(body, "id: 1\ndata: v1 real1\n\nid: 2\n") || !strings.HasSuffix(body, "event: end\ndata: done\n\n") {
		t.Errorf("got %q", body)
	}
}

func TestStreamEndsPolitelyOnStop(t *testing.T) {
	url, stop := startApp(t, "")
	time.AfterFunc(50*time.Millisecond, stop)
	_, body := ask(t, request(t, "GET", url+"/stream?for=1m&every=10ms", ""))
	if !strings.HasSuffix(body, "event: end\ndata: stopping\n\n") {
		t.Errorf("got %q", body)
	}
}

func TestWebsocketEchoesAndEndsPolitelyOnStop(t *testing.T) {
	url, stop := startApp(t, "")
	conn, answer, err := websocket.Dial(t.Context(), url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := answer.Header.Get("X-Profile"); got != "real1" {
		t.Errorf("X-Profile is %q", got)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "ping" {
		t.Fatalf("got %q, %v", got, err)
	}
	stop()
	if _, _, err = conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("after stop: %v, want close status 1001", err)
	}
}
