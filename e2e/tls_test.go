package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The load over TLS, beside the busy connections. A handshake costs more than most requests.
const (
	slowOverTLS  = 60 // of each period
	lightOverTLS = 4
	http2Streams = 4 // of which each has one request under way
)

// Keep-alive POSTs over HTTP/1.1 are never sent again. Over HTTP/2 those are that nginx says it did not begin, which is no
// loss; h2load and Debian 12's curl count each of them, and nginx's log says that it did not begin it.
func TestSwapsOverTLSLoseNoRequest(t *testing.T) {
	t.Parallel()
	needClients(t, "h2load", "curl")
	h := newHost(t, withTLS(newAuthority(t)))
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.beginSlow(slowOverTLS)
	l.begin(lightOverTLS, steadyPeriod)
	l.beginHTTP2(http2Streams, steadyPeriod)
	l.beginHTTP2(http2Streams, time.Second)
	streams := h.streams(t, "https://"+shopName+"/version", "--connect-to="+h.httpsAddr())
	const seconds, rate = 25, 10
	curl := startCurl(t, "https://"+shopName+"/echo", seconds*rate, rate, "--data", "some text", "--http2",
		"--cacert", filepath.Join(h.dir, authorityName), "--connect-to", fmt.Sprintf("%s:443:%s", shopName, h.httpsAddr()))
	l.deploy("v2", "switch")
	back := l.under("", nil, "rollback")
	l.deploy("v3", "retire")
	again := l.under("", nil, "rollback")
	h.wantLogged(t, "/version", streams())
	h.wantLogged(t, "/echo", curl.counts().withoutRefused())
	l.wantNoLoss()
	for _, out := range []output{back, again} {
		if out.result().Outcome != "rolled_back" {
			t.Errorf("want rolled_back: %v", out)
		}
	}
}

// What an ACME client's hook runs: `bluegreen reload`.
func TestReloadShowsARenewedCertificateAndLosesNoRequest(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	h := newHost(t, withTLS(ca))
	l := newTraffic(h)
	l.deployed("v1", h.deploy("v1"))
	l.deployed("v2", h.deploy("v2"))
	l.begin(slowOverTLS, time.Second)
	l.beginHTTP2(http2Streams, steadyPeriod)

	renewed := ca.issue(inDays(80), shopName)
	h.renew(renewed)
	if out := l.under("", nil, "reload"); out.result().Live != "real2" {
		t.Errorf("want real2 live as before: %v", out)
	}
	h.wantShown(t, renewed, "after the reload")
	if s := h.status(); s.Certificate == nil || !s.Certificate.NotAfter.Equal(renewed.until.UTC().Truncate(time.Second)) || s.Release != 2 {
		t.Errorf("want release 2, and a certificate until %v: %+v", renewed.until, s)
	}
	if out := h.must("reload", "-o", "json"); out.result().Outcome != "unchanged" {
		t.Errorf("want nothing to do when it was not renewed: %v", out)
	}
	files := strings.Fields(h.exec(h.nginx(), "ls", "/etc/nginx/bluegreen/sites/"+h.service+"/files"))
	if len(files) != 2 {
		t.Errorf("want the new certificate and its key, and no old ones: %v", files)
	}

	brokenRenewals(t, h, ca)
	h.wantShown(t, renewed, "after renewals that are broken")
	h.lose(t, keyName)
	if out := l.under("", nil, "rollback"); out.result().Live != "real1" {
		t.Errorf("want a rollback without the certificate's files: %v", out)
	}
	h.wantShown(t, renewed, "after a rollback")
	l.wantNoLoss()
}

// brokenRenewals are each refused, by a reload and by a deploy.
func brokenRenewals(t *testing.T, h *host, ca *authority) {
	t.Helper()
	good := ca.issue(inDays(85), shopName)
	for _, test := range []struct {
		name, says string
		certificate,
		key []byte
	}{
		{"of another key", "is not the key of the certificate", good.certificate, ca.issue(inDays(85), shopName).key},
		{"expired", "expired on", nil, nil},
		{"of another name", "is not for " + shopName, nil, nil},
		{"half written", "holds a certificate that cannot be read", good.certificate[:len(good.certificate)/2], good.key},
		{"gone", "cannot read", nil, nil},
	} {
		p := pair{certificate: test.certificate, key: test.key}
		switch test.name {
		case "expired":
			p = ca.issue(inDays(-1), shopName)
		case "of another name":
			p = ca.issue(inDays(85), "example.com")
		}
		if h.renew(p); test.name == "gone" {
			h.lose(t, certificateName)
		}
		for _, command := range []string{"reload", "deploy"} {
			if out := h.run(command); out.code != 2 || !strings.Contains(out.stderr, test.says) {
				t.Errorf("%s, %s: want exit 2 and %q: %v", test.name, command, test.says, out)
			}
		}
	}
	h.renew(good)
}

// lose removes a file of the host's folder.
func (h *host) lose(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(h.dir, name)); err != nil {
		t.Fatal(err)
	}
}
