package nginx

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// http2Client speaks HTTP/2 without TLS from its first byte on.
func http2Client(t *testing.T) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// testHTTP2: one port serves both, where nginx can; the app sees HTTP/1.1 as always.
func (e *engine) testHTTP2(t *testing.T) {
	client := http2Client(t)
	if !SupportsHTTP2Switch(e.version()) {
		if resp, err := client.Get("http://" + e.http); err == nil {
			t.Errorf("nginx %s answers %s", e.version(), resp.Proto)
		}
		return
	}
	const size = 1 << 20
	post := e.request("POST", "/a%2Fc?x=1", strings.NewReader(strings.Repeat("x", size)))
	post.Host = "shop.example.com:8080"
	seen := e.sendBy(t, client, post, 2)
	if seen.Size != size || seen.Profile != "real1" || seen.Host != post.Host || seen.URI != "/a%2Fc?x=1" {
		t.Errorf("over HTTP/2 the app saw %+v", seen)
	}
	if h := seen.Header; h.Get("X-Real-Ip") == "" || h.Get("X-Forwarded-Proto") != "http" || h.Get("Connection") != "" || h.Get("Upgrade") != "" {
		t.Errorf("over HTTP/2 the app saw %v", h)
	}
	if seen := e.sendBy(t, http.DefaultClient, e.request("GET", "/", nil), 1); seen.Profile != "real1" || seen.Host != e.http {
		t.Errorf("over HTTP/1.1 the app saw %+v", seen)
	}
	if seen := e.sendBy(t, client, e.request("GET", "/", nil), 2); seen.Host != e.http {
		t.Errorf("over HTTP/2 the app saw %+v", seen)
	}
}
