package nginx

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// longName is as long as a service's name may be, and longer than what nginx's maps take as a key.
var longName = "shop.v2-" + strings.Repeat("x", maxNameLength-len("shop.v2-"))

// withPreview is a service of the backend's under a public name and that of a preview.
func withPreview(service, public string, edit func(*SiteConfig)) SiteConfig {
	c := defaultSite()
	c.Service, c.ServerNames, c.ReleaseHeader, c.ProxyTimeout = service, []string{public}, "X-Bluegreen-Release", 300*time.Millisecond
	c.Upstreams = []Upstream{{"real1", "127.0.0.1", 9001}, {"real2", "127.0.0.1", 9002}}
	c.Web = Web{ErrorPages: map[int]string{502: "00ee.html"}, Preview: &Preview{ServerNames: []string{"next.example.com"}}}
	if edit != nil {
		edit(&c)
	}
	return c
}

// previewing is a running nginx with two services that share the name of their previews; the one with all but /b is longName.
func previewing(t *testing.T, image string) *engine {
	t.Helper()
	e := newEngine(t, image)
	c := Change{Run: "preview", Test: true, Files: []File{{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: time.Minute})}}}
	for _, s := range []SiteConfig{withPreview(longName, "shop.example.com", nil), withPreview("shop_v2", "b.example.com", func(c *SiteConfig) { c.Paths = []string{"/b"} })} {
		c.Files = append(append(c.Files, Site(s)...), File{Path: FilePath(s.Service, "00ee.html"), Text: "<p>sorry</p>\n"},
			File{Path: IncludePath(s.Service), Text: Include(Target{s.Service, "real1", 1})})
	}
	if err := Apply(t.Context(), e, c); err != nil {
		t.Fatal(err)
	}
	e.start()
	e.startBackend()
	e.waitFor("shop.example.com")
	return e
}

// looks is an answer under a name, on a connection of its own, and the profile that gave it, "" when that was nginx.
func (e *engine) looks(t *testing.T, host, path string, events bool) (resp *http.Response, profile, body string) {
	t.Helper()
	req := e.request(http.MethodGet, path, nil)
	if req.Host, req.Close = host, true; events {
		req.Header.Set("Accept", "text/event-stream")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s%s: %v", host, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s%s: %v", host, path, err)
	}
	var seen echo
	_ = json.Unmarshal(text, &seen) // what nginx says is none
	return resp, seen.Profile, string(text)
}

// replace brings another site of longName, and confirms it.
func (e *engine) replace(t *testing.T, edit func(*SiteConfig)) {
	t.Helper()
	before, err := ReadWorkers(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if err := Apply(t.Context(), e, Change{Run: "again", Test: true, Reload: true, Files: Site(withPreview(longName, "shop.example.com", edit))}); err != nil {
		t.Fatal(err)
	}
	if err := Confirm(t.Context(), e, Confirmation{Before: before, Listener: e.status, Deadline: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
}

// TestAPreviewShowsTheOtherProfileThanItsServicesPublicName, from the very reload on that switches that.
func TestAPreviewShowsTheOtherProfileThanItsServicesPublicName(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := previewing(t, image)
		for i, live := range []string{"real1", "real2", "real1", "real2"} {
			if i > 0 {
				e.swap(Target{longName, live, i + 1})
			}
			idle := map[string]string{"real1": "real2", "real2": "real1"}[live]
			for range 20 {
				for _, events := range []bool{false, true} {
					for host, want := range map[string]string{"shop.example.com": live, "next.example.com": idle, "NEXT.example.com": idle} {
						if _, got, body := e.looks(t, host, "/", events); got != want {
							t.Fatalf("swap %d, events %v: %s is answered by %q, not %s: %s", i, events, host, got, want, body)
						}
					}
					// The neighbour swaps by itself.
					if _, got, _ := e.looks(t, "next.example.com", "/b/c", events); got != "real2" {
						t.Fatalf("swap %d: the neighbour's preview is answered by %q", i, got)
					}
				}
			}
		}
	})
}

func TestWhatAPreviewSays(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := previewing(t, image)
		const nobody = "no release answers in the idle profile"
		for _, x := range []struct {
			host, path string
			status     int
			body       string
		}{
			{"next.example.com", "/", 200, `"host":"next.example.com"`},
			{"next.example.com", "/status/502", 502, ""}, {"next.example.com", "/status/504", 504, ""}, {"next.example.com", "/status/503", 503, ""}, // the app's own
			{"next.example.com", "/close", 503, nobody}, {"next.example.com", "/hang", 503, nobody}, {"next.example.com", "/b/close", 200, ""},
			{"shop.example.com", "/close", 502, "sorry"}, {"b.example.com", "/", 404, "no such service"}, {"else.example.com", "/", 404, "no such service"},
		} {
			for _, events := range []bool{false, true} {
				resp, _, body := e.looks(t, x.host, x.path, events)
				if resp.StatusCode != x.status || !strings.Contains(body, x.body) || x.body == "" && strings.Contains(body, nobody) {
					t.Errorf("%s%s, events %v: %s %q; want %d %q", x.host, x.path, events, resp.Status, body, x.status, x.body)
				}
				if x.host != "next.example.com" {
					continue
				}
				for name, want := range map[string][]string{"Cache-Control": {"no-store"}, "X-Robots-Tag": {"noindex"}, "X-Bluegreen-Release": nil} {
					if got := resp.Header.Values(name); !slices.Equal(got, want) {
						t.Errorf("%s%s, events %v: %s is %q, want %q", x.host, x.path, events, name, got, want)
					}
				}
			}
		}
		if resp, _, _ := e.looks(t, "shop.example.com", "/", false); resp.Header.Get("Cache-Control")+resp.Header.Get("X-Robots-Tag") != "" || resp.Header.Get("X-Bluegreen-Release") != "1" {
			t.Errorf("the public name says %v", resp.Header)
		}
		e.replace(t, func(c *SiteConfig) { c.Web.Maintenance = &Maintenance{RetryAfter: 60} })
		if resp, _, body := e.looks(t, "shop.example.com", "/", false); resp.StatusCode != 503 || !strings.Contains(body, "maintenance") {
			t.Errorf("in maintenance the public name says %s %q", resp.Status, body)
		}
		if resp, got, _ := e.looks(t, "next.example.com", "/", false); resp.StatusCode != 200 || got != "real2" || resp.Header.Get("Retry-After") != "" {
			t.Errorf("in maintenance the preview says %s %v, by %q", resp.Status, resp.Header, got)
		}
		e.replace(t, func(c *SiteConfig) { c.Upstreams[1].Port = 9003 })
		if resp, _, body := e.looks(t, "next.example.com", "/", false); resp.StatusCode != 503 || !strings.Contains(body, nobody) {
			t.Errorf("with nobody there the preview says %s %q", resp.Status, body)
		}
		e.testPreviewLog(t)
	})
}

// testPreviewLog: the log names the profile that a preview shows, and no release.
func (e *engine) testPreviewLog(t *testing.T) {
	t.Helper()
	log := docker(t, "logs", e.name)
	if strings.Contains(log, "uninitialized") {
		t.Errorf("nginx warns:\n%s", log)
	}
	said := map[string]int{}
	for line := range strings.Lines(log) {
		var entry struct{ Host, Service, Profile, Release string }
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &entry) == nil && entry.Service == longName {
			said[fmt.Sprintf("%s by %q, release %q", entry.Host, entry.Profile, entry.Release)]++
		}
	}
	if len(said) != 2 || said[`next.example.com by "real2", release ""`] == 0 || said[`shop.example.com by "real1", release "1"`] == 0 {
		t.Errorf("the log says %v", said)
	}
}
