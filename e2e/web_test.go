package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

// shop is the service's address as people know it, with TLS and without.
const (
	shop      = "https://" + shopName
	plainShop = "http://" + shopName
)

// The password of visitors is "let me in", hashed as `htpasswd -B` does.
const visitors = "ann:$2y$05$abcdefghijklmnopqrstuu4h2R.N3/mVBA7Xh7aLzKSJDAsK61n52\n"

// A site that nobody may look at without a password.
func guarded(h *host) {
	h.write("passwords", []byte(visitors))
	ownKey("basic_auth", map[string]any{"file": "passwords", "realm": "the shop"})(h)
}

// What an ACME client lays into the webroot is served for the service's names by plain HTTP, whatever else the site does.
func TestChallengesOfACertificateAuthorityAreAnsweredAlsoInMaintenance(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil { // nginx's workers are to read there
		t.Fatal(err)
	}
	h := newHost(t, withTLS(newAuthority(t)), topKey("x-bluegreen.nginx.webroot", folder), guarded)
	h.deploy("v1")
	challenge := "/.well-known/acme-challenge/a-token_of-43-characters"
	layChallenge(t, folder+challenge, "the answer")
	if err := os.Symlink("/etc/hostname", folder+challenge+"-of-a-link"); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"", "maintenance on", "maintenance off"} {
		if state != "" {
			h.must(strings.Fields(state)...)
		}
		h.wantFrom(t, plainShop+challenge, wants{status: 200, version: "-", body: "the answer", header: map[string]string{"Content-Type": "text/plain"}})
		h.wantFrom(t, plainShop+challenge+"-of-nobody", wants{status: 404, version: "-"})
		h.wantFrom(t, plainShop+challenge+"-of-a-link", wants{status: 403, version: "-"})
		h.wantFrom(t, plainShop+"/version", wants{status: map[bool]int{true: 503, false: 308}[state == "maintenance on"], version: "-"})
	}
}

func layChallenge(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPlainHTTPIsRedirectedAndPasswordsAreAskedFor(t *testing.T) {
	t.Parallel()
	h := newHost(t, withTLS(newAuthority(t)), guarded, ownKey("tls.hsts", "8760h"), ownKey("headers", map[string]any{"X-Frame-Options": "DENY"}))
	h.deploy("v1")
	const hsts = "Strict-Transport-Security"
	for _, method := range []func(*http.Request){func(*http.Request) {}, posts([]byte("text"))} {
		h.wantFrom(t, plainShop+"/a%20page/?q=a%2Fb&r=%C3%A9", wants{status: 308, version: "-", header: map[string]string{
			"Location": fmt.Sprintf("https://%s:%d/a%%20page/?q=a%%2Fb&r=%%C3%%A9", shopName, h.httpsPort), hsts: "", "X-Frame-Options": "DENY",
		}}, method)
	}
	always := map[string]string{hsts: "max-age=31536000", "X-Frame-Options": "DENY"}
	asked := h.wantFrom(t, shop+"/", wants{status: 401, version: "-", header: always})
	if got := asked.Get("Www-Authenticate"); got != `Basic realm="the shop"` {
		t.Errorf("asked for a password with %q", got)
	}
	h.wantFrom(t, shop+"/", wants{status: 401, version: "-"}, as("ann", "let me out"))
	h.wantFrom(t, shop+"/stream", wants{status: 401, version: "-", header: always}, forEvents)
	h.wantFrom(t, plainShop+"/stream", wants{status: 308, version: "-"}, forEvents)
	h.wantFrom(t, shop+"/stream?for=1ms", wants{status: 200, version: "v1", header: always, body: "done"}, as("ann", "let me in"), forEvents)
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v1", header: always}, as("ann", "let me in"))
	h.wantFrom(t, shop+"/echo", wants{status: 200, version: "v1"}, as("ann", "let me in"), posts([]byte("text")))
	h.wantFrom(t, shop+"/nothing", wants{status: 404, version: "v1", header: always}, as("ann", "let me in"))
	h.deploy("v2") // its health and its verification need no password
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v2"}, as("ann", "let me in"))

	h.write("passwords", []byte("# everybody has left\nbob:{SHA}iRsFQLjXOXG71c+4gFtlLzbnzUE=\n"))
	h.must("reload")
	h.wantFrom(t, shop+"/", wants{status: 401, version: "-"}, as("ann", "let me in"))
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v2"}, as("bob", "let me in"))
	if mode := h.exec(h.nginx(), "sh", "-c", "stat -c '%a %U' /etc/nginx/bluegreen/sites/*/files/*.key"); mode != "600 root\n" {
		t.Errorf("the key's file is %q", mode)
	}
}

func TestPagesSnippetSizesAndCompressionOfASite(t *testing.T) {
	t.Parallel()
	h := newHost(t, withTLS(newAuthority(t)), ownKey("tls.redirect", false), ownKey("gzip", true), ownKey("max_body", "1m"),
		ownKey("error_pages", map[string]any{"404": "sorry.html", "413": "large.html", "502": "sorry.html", "504": "sorry.html"}), ownKey("snippet", "more.inc"),
		ownKey("headers", map[string]any{"X-Frame-Options": "DENY"}))
	h.write("sorry.html", []byte("<p>sorry</p>\n"))
	h.write("large.html", []byte("<p>too large</p>\n"))
	h.write("more.inc", []byte("location = /robots.txt {\n    return 200 \"Disallow: /\\n\";\n}\n"))
	long := "v1-" + strings.Repeat("x", 1500) // so that an answer is worth compressing
	h.deploy(long)

	h.wantFrom(t, plainShop+"/", wants{status: 200, version: long})
	h.wantFrom(t, shop+"/robots.txt", wants{status: 200, version: "-", body: "Disallow: /"})
	page := map[string]string{"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY"}
	h.wantFrom(t, shop+"/echo", wants{status: 200, version: long, body: "1000000"}, posts(make([]byte, 1_000_000)))
	h.wantFrom(t, shop+"/echo", wants{status: 413, version: "-", body: "<p>too large</p>", header: page}, posts(make([]byte, 2_000_000)))
	h.wantFrom(t, shop+"/echo", wants{status: 200, version: long, body: "1000000"}, posts(make([]byte, 1_000_000)), forEvents)
	h.wantFrom(t, shop+"/echo", wants{status: 413, version: "-", body: "<p>too large</p>", header: page}, posts(make([]byte, 2_000_000)), forEvents)
	h.wantFrom(t, shop+"/nothing", wants{status: 404, version: long, body: "404 page not found"}) // the app's own word
	h.wantFrom(t, shop+"/.bluegreen/"+h.service+"/sorry", wants{status: 404})

	plain := h.wantFrom(t, shop+"/", wants{status: 200, header: map[string]string{"Content-Encoding": "", "Vary": "Accept-Encoding"}})
	packed := h.wantFrom(t, shop+"/", wants{status: 200, version: long, header: map[string]string{"Content-Encoding": "gzip"}},
		func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	if unpacked, err := gunzip(packed.body); err != nil || unpacked != plain.body || len(packed.body) > len(plain.body)/2 {
		t.Errorf("%d bytes are packed into %d that mean %.100q, %v", len(plain.body), len(packed.body), unpacked, err)
	}
	h.allowList(t, long)

	stop := 0
	if err := engine.ContainerStop(t.Context(), h.container("real1"), container.StopOptions{Timeout: &stop}); err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{"*/*", "text/event-stream"} {
		got := h.asks(t, shop+"/", func(r *http.Request) { r.Header.Set("Accept", accept) })
		// 504 where nobody answers to the address in time.
		if got.status != 502 && got.status != 504 || got.body != "<p>sorry</p>\n" || got.Get("Content-Type") != page["Content-Type"] || got.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: want the page in the place of nginx's own 502 or 504: %v", accept, got)
		}
	}
}

func gunzip(text string) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader([]byte(text)))
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(r)
	return string(all), err
}

// allowList changes who may come in by reloads alone. The tests come from an address of Docker's.
func (h *host) allowList(t *testing.T, version string) {
	t.Helper()
	h.change(ownKey("allow", []string{"192.0.2.0/24", "2001:db8::1"}))
	h.must("reload")
	h.wantFrom(t, shop+"/", wants{status: 403, version: "-"})
	h.wantFrom(t, plainShop+"/", wants{status: 403, version: "-"})
	h.wantFrom(t, shop+"/", wants{status: 403, version: "-"}, forEvents)
	if s := h.status(); !s.Serving {
		t.Errorf("want it to serve: %+v", s)
	}
	h.change(ownKey("allow", []string{"192.0.2.0/24", "0.0.0.0/0"}))
	h.must("reload")
	h.wantFrom(t, shop+"/", wants{status: 200, version: version})
}

// Users get the page; deploys, rollbacks and their health checks go on, and nothing of them ends it.
func TestMaintenanceAnswersUsersAndLastsThroughADeployAndARollback(t *testing.T) {
	t.Parallel()
	h := newHost(t, withTLS(newAuthority(t)), ownKey("maintenance", map[string]any{"page": "soon.html", "retry_after": "5m"}))
	h.write("soon.html", []byte("<p>back soon</p>\n"))
	h.deploy("v1")
	h.must("maintenance", "on")
	down := wants{status: 503, version: "-", body: "<p>back soon</p>", header: map[string]string{"Retry-After": "300", "Content-Type": "text/html; charset=utf-8"}}
	isDown := func() {
		t.Helper()
		h.wantFrom(t, shop+"/", down)
		h.wantFrom(t, shop+"/echo", down, posts([]byte("text")))
		if s := h.status(); s.Maintenance == nil {
			t.Errorf("want maintenance in the status: %+v", s)
		}
	}
	isDown()
	h.deploy("v2")
	isDown()
	if out := h.deployFaulty("v3", "wrong-profile", "--timeout", "5s"); out.code != 1 {
		t.Errorf("want exit 1, health checks reach the app: %v", out)
	}
	isDown()
	h.rollback()
	isDown()
	if out := h.must("maintenance", "on"); !strings.Contains(out.stdout+out.stderr, "already") {
		t.Errorf("want it said that it is on already: %v", out)
	}
	h.must("maintenance", "off")
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v1", header: map[string]string{"Retry-After": ""}})
	if s := h.status(); s.Maintenance != nil || s.Live != "real1" {
		t.Errorf("want real1 live and no maintenance: %+v", s)
	}
	h.rollback()
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v2"})
}

// Ports are keys of the whole host: a deploy does not change them in passing, and a certificate needs one.
func TestNginxRecreateAppliesPorts(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	h.deploy("v2")
	was, port := h.httpPort, freePort(t)
	h.change(topKey("x-bluegreen.nginx.http", port))
	h.wantPortsKept(t, fmt.Sprint(was), fmt.Sprint(port))
	h.change(topKey("x-bluegreen.nginx.http", was), withTLS(newAuthority(t)))
	h.wantPortsKept(t, "https", fmt.Sprint(h.httpsPort))
	h.wantFrom(t, plainShop+"/", wants{status: 200, version: "v2"})

	h.change(topKey("x-bluegreen.nginx.http", port))
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		t.Fatal(err)
	}
	since := h.nginxSince(t)
	if out := h.run("nginx", "recreate", "--yes"); out.code != 1 || !strings.Contains(out.stderr, fmt.Sprintf("port %d of the Docker host is taken by", port)) {
		t.Errorf("want exit 1 that names the port somebody has: %v", out)
	}
	if now := h.nginxSince(t); now != since {
		t.Errorf("nginx was stopped for nothing: it runs since %s, not %s", now, since)
	}
	h.wantFrom(t, plainShop+"/", wants{status: 200, version: "v2"})
	_ = other.Close()
	out := h.must("nginx", "recreate", "--yes")
	h.httpPort = port
	h.wantFrom(t, plainShop+"/", wants{status: 200, version: "v2"})
	if !strings.Contains(out.stdout+out.stderr, "this is an outage") || !strings.Contains(out.stdout+out.stderr, "nothing answered for") {
		t.Errorf("want it said that this is an outage, and how long it was: %v", out)
	}
	h.must("reload")
	h.wantFrom(t, plainShop+"/", wants{status: 308})
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v2"})
	h.rollback()
	h.deploy("v3")
	h.wantFrom(t, shop+"/", wants{status: 200, version: "v3"})
	if out := h.must("nginx", "recreate", "--yes", "-o", "json"); out.result().Outcome != "unchanged" {
		t.Errorf("want nothing to do the second time: %v", out)
	}
}

// nginxSince is when nginx was started.
func (h *host) nginxSince(t *testing.T) string {
	t.Helper()
	found, err := engine.ContainerInspect(t.Context(), h.network+"-nginx")
	if err != nil {
		t.Fatal(err)
	}
	return found.State.StartedAt
}

// wantPortsKept wants commands to say what differs, and to do nothing.
func (h *host) wantPortsKept(t *testing.T, said ...string) {
	t.Helper()
	for _, command := range []string{"deploy", "reload", "nginx recreate"} {
		out := h.run(strings.Fields(command)...)
		code, said := 2, said
		if command == "nginx recreate" { // nobody can be asked here
			code, said = 1, []string{"--yes"}
		}
		if out.code != code || slices.ContainsFunc(said, func(s string) bool { return !strings.Contains(out.stderr, s) }) {
			t.Errorf("%s: want exit %d that says %q: %v", command, code, said, out)
		}
	}
}

// nginx holds an answer back that may go on, over TLS with HTTP/1.1, and where it ends with its connection. Not that of an app
// that says so, as hello does; nor where a request asks for events, as browsers do; nor where the compose file says so. The
// snippet has nginx not listen to hello.
func TestEventsOfAStreamComeAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, withTLS(newAuthority(t)), ownKey("gzip", true))
	h.deploy("v1")
	const chunks, noChunks = "/stream?for=2s&every=1s", "/stream?for=2s&every=1s&chunked=false"
	want := func(path string, atOnce bool, changes ...func(*http.Request)) {
		t.Helper()
		for _, http2 := range []bool{false, true} {
			took := h.firstEvent(t, path, http2, changes...)
			t.Logf("%s, HTTP/2 %v: the first event after %v", path, http2, took)
			if atOnce != (took < time.Second) {
				t.Errorf("%s, HTTP/2 %v: the first event took %v", path, http2, took)
			}
		}
	}
	want(noChunks, true)
	h.change(deaf)
	h.must("reload")
	want(noChunks, false)
	want(chunks, true, forEvents)
	want(noChunks, true, forEvents)
	h.change(ownKey("buffering", false))
	h.must("reload")
	want(chunks, true)
	want(noChunks, true)
}

// deaf has nginx not listen to what an app says of buffering.
func deaf(h *host) {
	h.write("more.inc", []byte("proxy_ignore_headers X-Accel-Buffering;\n"))
	ownKey("snippet", "more.inc")(h)
}

// firstEvent is how long the first event of a stream takes.
func (h *host) firstEvent(t *testing.T, path string, http2 bool, changes ...func(*http.Request)) time.Duration {
	t.Helper()
	began, through := time.Now(), h.through()
	if http2 {
		through.Protocols = &http.Protocols{}
		through.Protocols.SetHTTP2(true)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shop+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(request)
	}
	got, err := through.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if _, err := got.Body.Read(make([]byte, 1)); err != nil || got.ProtoMajor == 2 != http2 {
		t.Fatalf("%s: %v", got.Proto, err)
	}
	return time.Since(began)
}
