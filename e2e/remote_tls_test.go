//go:build linux

package e2e

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// credentials makes a folder with a certificate and its key, for a server at these addresses or a client, and the certificate of
// the authority whose word its owner takes: what DOCKER_CERT_PATH names.
func (a *authority) credentials(trusts *authority, use x509.ExtKeyUsage, at ...net.IP) (folder string) {
	a.t.Helper()
	key := newKey(a.t)
	made := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "bge2e"}, IPAddresses: at, DNSNames: []string{"shop-1"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{use}, KeyUsage: x509.KeyUsageDigitalSignature,
	}, a.certificate, key)
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	folder = a.t.TempDir()
	for name, text := range map[string][]byte{
		"ca.pem": asPEM("CERTIFICATE", trusts.certificate.Raw), "cert.pem": asPEM("CERTIFICATE", made.Raw), "key.pem": asPEM("EC PRIVATE KEY", secret),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return folder
}

func (a *authority) client() (folder string) { return a.credentials(a, x509.ExtKeyUsageClientAuth) }

// tlsPort is where the second engine listens in its own network namespace.
const tlsPort = "127.0.0.1:2376"

// listening are the flags of an engine that takes connections by TLS, of this authority's clients alone.
func (a *authority) listening(at ...net.IP) []string {
	folder := a.credentials(a, x509.ExtKeyUsageServerAuth, at...)
	file := func(name string) string { return filepath.Join(folder, name) }
	return []string{"--host", "tcp://" + tlsPort, "--tlsverify", "--tlscacert", file("ca.pem"), "--tlscert", file("cert.pem"), "--tlskey", file("key.pem")}
}

// forward passes what comes to a port of this machine's loopback, bytes as they are, on to the engine's TLS port.
func (e *secondEngine) forward(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go e.passOn(t, conn.(*net.TCPConn))
		}
	}()
	return l.Addr().String()
}

func (e *secondEngine) passOn(t *testing.T, client *net.TCPConn) {
	defer client.Close()
	conn, err := e.dial(t.Context(), "tcp", tlsPort)
	if err != nil {
		return
	}
	engine := conn.(*net.TCPConn)
	defer engine.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(client, engine)
		_ = client.CloseWrite()
	}()
	_, _ = io.Copy(engine, client)
	_ = engine.CloseWrite()
	<-ended
}
