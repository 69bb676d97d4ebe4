package nginx

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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

// TestSwapsLoseNoHTTP2Request: at a reload nginx ends each HTTP/2 connection in good order (GOAWAY): what it did not
// take, it says so of, and a client may send it again, as Go's does.
func TestSwapsLoseNoHTTP2Request(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		if !SupportsHTTP2Switch(e.version()) {
			t.Skipf("nginx %s has no HTTP/2 beside HTTP/1.1", e.version())
		}
		e.startBackend()
		e.waitForBackend()
		const clients, swaps = 16, 5
		ctx, stop := context.WithCancel(t.Context())
		var load sync.WaitGroup
		var answered atomic.Int64
		for range clients {
			client := http2Client(t)
			load.Go(func() {
				for ctx.Err() == nil {
					if err := e.post(client); err != nil {
						t.Errorf("after %d answers: %v", answered.Load(), err)
						return
					}
					answered.Add(1)
				}
			})
		}
		for i := range swaps {
			e.swap(Target{"shop", []string{"real2", "real1"}[i%2], i + 2})
		}
		stop()
		load.Wait()
		t.Logf("%d requests, %d swaps", answered.Load(), swaps)
	})
}

// post sends a body and checks that it came whole.
func (e *engine) post(client *http.Client) error {
	const size = 2000
	resp, err := client.Do(e.request("POST", "/", strings.NewReader(strings.Repeat("x", size))))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var seen echo
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		return fmt.Errorf("%s %s: %w", resp.Proto, resp.Status, err)
	}
	if seen.Size != size || resp.ProtoMajor != 2 {
		return fmt.Errorf("%s %s, %d bytes arrived", resp.Proto, resp.Status, seen.Size)
	}
	return nil
}
