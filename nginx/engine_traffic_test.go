package nginx

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTraffic(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		e.startBackend()
		e.waitForBackend()
		t.Run("headers", func(t *testing.T) { e.testHeaders(t) })
		t.Run("events pass at once", func(t *testing.T) { e.testEvents(t) })
		t.Run("websockets pass", func(t *testing.T) { e.testUpgrade(t) })
		t.Run("no h2c", func(t *testing.T) { e.testNoH2C(t) })
		t.Run("http/2 beside http/1.1", func(t *testing.T) { e.testHTTP2(t) })
		t.Run("large bodies", func(t *testing.T) { e.testBodies(t) })
		t.Run("without a host", func(t *testing.T) { e.testNoHost(t) })
		t.Run("unknown hosts", func(t *testing.T) { e.testUnknownHost(t) })
		t.Run("log", func(t *testing.T) { e.testLog(t) })
	})
}

func (e *engine) waitForBackend() {
	e.t.Helper()
	for range 1500 {
		if resp, err := http.Get("http://" + e.http); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	e.t.Fatal("the backend does not answer")
}

// echo is what the backend saw.
type echo struct {
	Profile, URI, Host string
	Size               int
	Header             http.Header
}

func (e *engine) send(t *testing.T, req *http.Request) echo {
	t.Helper()
	return e.sendBy(t, http.DefaultClient, req, 1)
}

func (e *engine) sendBy(t *testing.T, client *http.Client, req *http.Request, major int) echo {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != major {
		t.Errorf("answered by %s", resp.Proto)
	}
	var seen echo
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return seen
}

func (e *engine) request(method, path string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, "http://"+e.http+path, body)
	if err != nil {
		e.t.Fatal(err)
	}
	return req
}

func (e *engine) testHeaders(t *testing.T) {
	req := e.request("GET", "/a%2Fb/%E4?token=secret", nil)
	req.Host = "shop.example.com:8080"
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	seen := e.send(t, req)
	if seen.Host != req.Host || seen.URI != "/a%2Fb/%E4?token=secret" || seen.Profile != "real1" {
		t.Errorf("saw %+v", seen)
	}
	h := seen.Header
	if !strings.HasPrefix(h.Get("X-Forwarded-For"), "192.0.2.1, ") || h.Get("X-Real-Ip") == "" ||
		h.Get("X-Forwarded-Proto") != "http" || h.Get("Connection") != "" || h.Get("Upgrade") != "" {
		t.Errorf("saw %v", h)
	}
}

func (e *engine) testEvents(t *testing.T) {
	start := time.Now()
	resp, err := http.Get("http://" + e.http + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for i := 0; lines.Scan(); {
		if lines.Text() != fmt.Sprintf("data: %d", i) {
			continue
		}
		late := time.Since(start) - time.Duration(i)*time.Second
		t.Logf("event %d came %v after it was sent", i, late)
		if late > 500*time.Millisecond {
			t.Errorf("event %d came %v late", i, late)
		}
		i++
	}
}

// exchange writes to nginx directly and reads one answer's head.
func (e *engine) exchange(t *testing.T, request string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", e.http)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, request)
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, reader, resp
}

func (e *engine) testUpgrade(t *testing.T) {
	conn, reader, resp := e.exchange(t, "GET /upgrade HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %s", resp.Status)
	}
	io.WriteString(conn, "hello\n")
	if line, err := reader.ReadString('\n'); line != "hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

func (e *engine) testNoH2C(t *testing.T) {
	_, _, resp := e.exchange(t, "GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
	var seen echo
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil || seen.Header.Get("Connection") != "" {
		t.Errorf("%s, saw %v, %v", resp.Status, seen.Header, err)
	}
}

func (e *engine) testBodies(t *testing.T) {
	const size = 5 << 20
	if seen := e.send(t, e.request("POST", "/upload", strings.NewReader(strings.Repeat("x", size)))); seen.Size != size {
		t.Errorf("%d bytes arrived", seen.Size)
	}
	req := e.request("POST", "/upload", nil)
	_, _, resp := e.exchange(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n", req.URL.Path, 101<<20))
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("101 MiB: %s", resp.Status)
	}
}

func (e *engine) testNoHost(t *testing.T) {
	_, _, resp := e.exchange(t, "GET / HTTP/1.0\r\n\r\n")
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %s", resp.Status)
	}
}

// testUnknownHost takes the default site away; its service keeps the status listener's answer out, too.
func (e *engine) testUnknownHost(t *testing.T) {
	c := defaultSite()
	c.ServerNames = []string{"shop.example.com"}
	before, err := ReadWorkers(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	change := Change{Run: "names", Test: true, Reload: true, Files: append(Site(c), File{Path: PartPath("shop", ""), Remove: true})}
	if err := Apply(t.Context(), e, change); err != nil {
		t.Fatal(err)
	}
	if err := Confirm(t.Context(), e, Confirmation{Before: before, Listener: e.status, Deadline: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"other.example.com", "localhost", "_"} {
		_, _, resp := e.exchange(t, "GET /unknown HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 16))
		if resp.StatusCode != http.StatusNotFound || string(body) != "no such service\n" {
			t.Errorf("%s: %s %q", host, resp.Status, body)
		}
	}
}

// testLog comes last: it reads what the others left.
func (e *engine) testLog(t *testing.T) {
	e.exchange(t, "BAD\r\n\r\n")
	time.Sleep(100 * time.Millisecond)
	log := docker(t, "logs", e.name)
	for _, not := range []string{"secret", "uninitialized", "[warn]", "conflicting"} {
		if strings.Contains(log, not) {
			t.Errorf("the log has %q:\n%s", not, log)
		}
	}
	proxied := 0
	for line := range strings.Lines(log) {
		var entry struct {
			URI, Service, Profile, Release string
			Upstream_Status                string
			Status                         int
		}
		if !strings.HasPrefix(line, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if entry.URI == "/a%2Fb/%E4" && entry.Service == "shop" && entry.Profile == "real1" && entry.Release == "1" && entry.Upstream_Status == "200" {
			proxied++
		}
	}
	if proxied != 1 {
		t.Errorf("%d entries for the request with the headers:\n%s", proxied, log)
	}
}
