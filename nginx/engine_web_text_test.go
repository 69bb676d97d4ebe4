package nginx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// webSamples are services with generated values in the keys of their sites, all of which are let through.
func webSamples(t *testing.T) (list []SiteConfig) {
	t.Helper()
	odd := rapid.OneOf(
		rapid.StringMatching(`[!-#%-~]([ -#%-~]{0,30}[!-#%-~])?`),
		rapid.SampledFrom([]string{`a "b" \ ; } {`, `\n\t\r`, `\\`, `"`, `'`, `#`, `{`, `};`, `%00`, `default-src 'self'; report-uri "/csp"`, strings.Repeat("x", longestWord-2), strings.Repeat(`"`, longestWord/2-1), "a\tb"}),
	)
	realm := rapid.OneOf(rapid.StringMatching(`[!#%-\[\]-~]([ !#%-\[\]-~]{0,30}[!#%-\[\]-~])?`), rapid.SampledFrom([]string{"a; b", "{", "back office", "'", "on"}))
	path := rapid.StringMatching(`(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,12}){1,3}`)
	generated := rapid.Custom(func(t *rapid.T) Web {
		w := Web{
			Headers:    map[string]string{"X-A": odd.Draw(t, "value"), rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{3,60}`).Draw(t, "name"): odd.Draw(t, "other")},
			BasicAuth:  &BasicAuth{File: "00cc.htpasswd", Realm: realm.Draw(t, "realm")},
			ErrorPages: map[int]string{rapid.SampledFrom([]int{400, 404, 413, 418, 494, 497, 502, 503, 599}).Draw(t, "status"): "00ee.html"},
			Gzip:       rapid.Bool().Draw(t, "gzip"), Unbuffered: rapid.Bool().Draw(t, "unbuffered"),
		}
		w.Allow = rapid.SampledFrom([][]string{nil, {"0.0.0.0/0", "::/0"}, {"0.0.0.0/0", "2001:db8::1", "::ffff:10.0.0.0/104"}}).Draw(t, "allow")
		if rapid.Bool().Draw(t, "grpc") {
			w.GRPCPaths = []string{path.Draw(t, "path")}
		}
		return w
	})
	for i := range sampled {
		w := generated.Example(i)
		for name, value := range w.Headers {
			if ValidHeader(name) != nil {
				delete(w.Headers, name)
			} else if err := ValidHeaderValue(value); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range w.GRPCPaths {
			if ValidPathPrefix(p) != nil {
				w.GRPCPaths = nil
			}
		}
		if err := ValidRealm(w.BasicAuth.Realm); err != nil {
			t.Fatal(err)
		}
		c := defaultSite()
		c.Service, c.Web = fmt.Sprintf("web%d", i), w
		c.ServerNames = []string{c.Service + ".example.com"}
		list = append(list, c)
	}
	return list
}

// selfSigned is a certificate with its key, as PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"tls.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// TestNginxSaysWhatASitesKeysSay: nginx takes what config lets through, and clients read it as it was typed.
func TestNginxSaysWhatASitesKeysSay(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := newEngine(t, image)
		list := webSamples(t)
		secure := defaultSite()
		secure.Service, secure.ServerNames = "tls", []string{"tls.example.com"}
		secure.Web = Web{TLS: &TLS{Certificate: "00aa.crt", Key: "00bb.key", Redirect: true, HSTS: 63072000, Stapling: true}, Maintenance: &Maintenance{RetryAfter: 63072000}, GRPC: true}
		certificate, key := selfSigned(t)
		c := Change{Run: "samples", Test: true, Files: []File{
			{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: time.Minute, HTTPS: 65535})},
			{Path: FilePath("tls", "00aa.crt"), Text: certificate}, {Path: FilePath("tls", "00bb.key"), Text: key},
		}}
		for _, s := range append(list, secure) {
			c.Files = append(append(c.Files, Site(s)...), File{Path: IncludePath(s.Service), Text: Include(Target{s.Service, "real1", 1})})
		}
		if err := Apply(t.Context(), e, c); err != nil {
			t.Fatal(err)
		}
		e.start()
		for _, s := range list {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.http+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = s.ServerNames[0]
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatalf("%s: %v", s.Service, err)
			}
			resp.Body.Close()
			if want := `Basic realm="` + s.Web.BasicAuth.Realm + `"`; resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != want {
				t.Errorf("%s: %s, %q, want %q", s.Service, resp.Status, resp.Header.Get("WWW-Authenticate"), want)
			}
			for name, value := range s.Web.Headers {
				if got := resp.Header.Values(name); len(got) != 1 || got[0] != value {
					t.Errorf("%s: %s is %q, want %q", s.Service, name, got, value)
				}
			}
		}
	})
}
