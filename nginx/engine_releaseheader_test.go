package nginx

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestReleaseHeaderSaysWhoAnswered: the live release on every answer of the app, also on its failures, and on none that
// nginx made itself.
func TestReleaseHeaderSaysWhoAnswered(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		e.startBackend()
		e.waitForBackend()
		e.withReleaseHeader(t)
		for i, profile := range []string{"real1", "real2", "real1"} {
			release := i + 1
			if release > 1 {
				e.swap(Target{"shop", profile, release})
			}
			for _, c := range []struct {
				method, host, path string
				status             int
				answered           bool
			}{
				{"GET", "shop", "/", http.StatusOK, true},
				{"POST", "shop", "/", http.StatusOK, true},
				{"GET", "shop", "/status/500", http.StatusInternalServerError, true},
				{"POST", "shop", "/status/503", http.StatusServiceUnavailable, true},
				{"GET", "shop", "/status/404", http.StatusNotFound, true},
				{"POST", "shop", "/close", http.StatusBadGateway, false},
				{"GET", "shop", "/hang", http.StatusGatewayTimeout, false},
				{"GET", "gone.example.com", "/", http.StatusBadGateway, false},
				{"GET", "other.example.com", "/", http.StatusNotFound, false},
			} {
				want := []string(nil)
				if c.answered {
					want = []string{strconv.Itoa(release)}
				}
				e.wantRelease(t, c.method, c.host, c.path, c.status, want)
			}
		}
		if log := docker(t, "logs", e.name); strings.Contains(log, "[warn]") {
			t.Errorf("nginx warns:\n%s", log)
		}
	})
}

// withReleaseHeader gives two sites the header, one of them a service whose app refuses every connection.
func (e *engine) withReleaseHeader(t *testing.T) {
	t.Helper()
	c := defaultSite()
	c.Upstreams = []Upstream{{"real1", "127.0.0.1", 9001}, {"real2", "127.0.0.1", 9002}}
	c.ServerNames, c.ReleaseHeader, c.ProxyTimeout = []string{"shop"}, "X-Bluegreen-Release", 300*time.Millisecond
	gone := c
	gone.Service, gone.ServerNames = "gone", []string{"gone.example.com"}
	gone.Upstreams = []Upstream{{"real1", "127.0.0.1", 9003}}
	before, err := ReadWorkers(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	change := Change{Run: "header", Test: true, Reload: true, Files: slices.Concat(
		Site(c), Site(gone), []File{{Path: PartPath("shop", ""), Remove: true}, {Path: IncludePath("gone"), Text: Include(Target{"gone", "real1", 7})}},
	)}
	if err := Apply(t.Context(), e, change); err != nil {
		t.Fatal(err)
	}
	if err := Confirm(t.Context(), e, Confirmation{Before: before, Listener: e.status, Deadline: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
}

func (e *engine) wantRelease(t *testing.T, method, host, path string, status int, want []string) {
	t.Helper()
	req := e.request(method, path, nil)
	req.Host, req.Close = host, true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%s %s of %s: %v", method, path, host, err)
	}
	if got := resp.Header.Values("X-Bluegreen-Release"); resp.StatusCode != status || !slices.Equal(got, want) {
		t.Errorf("%s %s of %s: %s, release %q; want %d, %q", method, path, host, resp.Status, got, status, want)
	}
}
