package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shopName is the name of a service that has a certificate for it.
const shopName = "shop.example.com"

// The files of a host's certificate, in its folder.
const certificateName, keyName, authorityName = "fullchain.pem", "privkey.pem", "authority.pem"

// authority is a certificate authority of one test's own.
type authority struct {
	t           testing.TB
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	issued      int64
}

// pair is a certificate with its key, both as PEM.
type pair struct {
	certificate, key []byte
	leaf             []byte // as it is sent
	until            time.Time
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bluegreen's tests"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-90 * 24 * time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	a.certificate = a.sign(template, template, a.key)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes the certificate of a key.
func (a *authority) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made
}

// issue makes a certificate for names that counts until then.
func (a *authority) issue(until time.Time, names ...string) pair {
	a.t.Helper()
	a.issued++
	key := newKey(a.t)
	made := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1 + a.issued), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: a.certificate.NotBefore, NotAfter: until,
	}, a.certificate, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pair{
		certificate: asPEM("CERTIFICATE", made.Raw), key: asPEM("PRIVATE KEY", der), leaf: made.Raw, until: made.NotAfter,
	}
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// trusted makes clients take what the authority issued, and nothing else.
func (a *authority) trusted() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return &tls.Config{RootCAs: pool}
}

// inDays is the end of a certificate.
func inDays(days int) time.Time { return time.Now().Add(time.Duration(days) * 24 * time.Hour) }

// withTLS gives a host's service a name, and a certificate for it.
func withTLS(a *authority) option {
	return func(h *host) {
		h.ca, h.httpsPort, h.serverName = a, freePort(h.t), shopName
		topKey("x-bluegreen.nginx.https", h.httpsPort)(h)
		ownKey("server_names", []string{shopName})(h)
		ownKey("tls", map[string]any{"certificate": certificateName, "key": keyName})(h)
		h.write(authorityName, asPEM("CERTIFICATE", a.certificate.Raw))
		h.renew(a.issue(inDays(30), shopName))
	}
}

// renew lays a certificate where the compose file names it.
func (h *host) renew(p pair) {
	h.t.Helper()
	h.write(certificateName, p.certificate)
	h.write(keyName, p.key)
}

// write makes a file in the host's folder.
func (h *host) write(name string, text []byte) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), text, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// httpsAddr is where nginx serves the service with its certificate.
func (h *host) httpsAddr() string { return fmt.Sprintf("127.0.0.1:%d", h.httpsPort) }

// shown is the certificate that a new connection is shown.
func (h *host) shown(t testing.TB) []byte {
	t.Helper()
	trust := h.ca.trusted()
	trust.ServerName = h.serverName
	dialer := tls.Dialer{Config: trust}
	conn, err := dialer.DialContext(t.Context(), "tcp", h.httpsAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw
}

// wantShown checks which certificate new connections are shown.
func (h *host) wantShown(t *testing.T, want pair, when string) {
	t.Helper()
	if !bytes.Equal(h.shown(t), want.leaf) {
		t.Errorf("%s: nginx shows another certificate", when)
	}
}

// through reaches the host whatever the name in a URL is, on the port for its scheme, as DNS would have it.
func (h *host) through() *http.Transport {
	trust := &tls.Config{}
	if h.ca != nil {
		trust = h.ca.trusted()
	}
	return &http.Transport{
		TLSClientConfig: trust, DisableCompression: true, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to := h.httpsAddr()
			if strings.HasSuffix(addr, ":80") {
				to = h.addr()
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		},
	}
}

// answered is what came back.
type answered struct {
	status int
	http.Header
	body string
}

func (a answered) String() string { return fmt.Sprintf("%d %v\n%.300s", a.status, a.Header, a.body) }

// asks sends one request on a connection of its own, and follows no redirect. Its changes are made to it before.
func (h *host) asks(t testing.TB, url string, changes ...func(*http.Request)) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(request)
	}
	got, err := h.through().RoundTrip(request)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return answered{got.StatusCode, got.Header, string(body)}
}

// posts makes a request a POST.
func posts(body []byte) func(*http.Request) {
	return func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
}

// as sends a name and a password.
func as(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

// forEvents asks for an event stream.
func forEvents(r *http.Request) { r.Header.Set("Accept", "text/event-stream") }

// wants is what an answer has to be; what is empty is not looked at.
type wants struct {
	status  int
	version string            // by which release; "-" by nginx itself
	header  map[string]string // "" none
	body    string            // part of it
}

func (h *host) wantFrom(t *testing.T, url string, want wants, changes ...func(*http.Request)) answered {
	t.Helper()
	got := h.asks(t, url, changes...)
	version := got.Get("X-Version")
	bad := got.status != want.status || !strings.Contains(got.body, want.body)
	bad = bad || want.version == "-" && version != "" || want.version != "" && want.version != "-" && version != want.version
	for name, value := range want.header {
		bad = bad || got.Get(name) != value
	}
	if bad {
		t.Errorf("%s: want %+v, got %v", url, want, got)
	}
	return got
}
