//go:build linux

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sshd starts a real one on a port of loopback, with a key of its own, and returns the environment in which the ssh command
// reaches it under the name bge2e: OpenSSH reads its configuration from the home of the account, whatever HOME says.
func sshd(t *testing.T) (env []string) {
	t.Helper()
	server, err := exec.LookPath("sshd")
	if err != nil {
		server = "/usr/sbin/sshd"
	}
	for _, need := range []string{server, "ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("SKIPPED, NOT TESTED: an engine over ssh needs %s (scripts/ensure-sshd.sh): %v", need, err)
		}
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "user"} {
		tool(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(key))
	}
	public := read(t, file("user.pub"))
	short, err := os.MkdirTemp("", "bge2e-") // the name of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	control := filepath.Join(short, "ssh")
	port := freePort(t)
	save(t, file("authorized"), public, 0o600)
	save(t, file("known"), fmt.Sprintf("[127.0.0.1]:%d %s", port, read(t, file("host.pub"))), 0o600)
	save(t, file("sshd_config"), fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nMaxStartups 200\n",
		port, file("host"), file("authorized")), 0o600)
	save(t, file("ssh_config"), fmt.Sprintf("Host bge2e\n HostName 127.0.0.1\n Port %d\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n StrictHostKeyChecking yes\n BatchMode yes\n"+
		" ControlMaster auto\n ControlPath %s\n ControlPersist 60s\n", port, file("user"), file("known"), control), 0o600) // as docs/remote.md advises
	ssh, _ := exec.LookPath("ssh")
	if err := os.Mkdir(file("bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	save(t, file("bin/ssh"), fmt.Sprintf("#!/bin/sh\nexec %s -F %s \"$@\"\n", ssh, file("ssh_config")), 0o755)
	_ = os.MkdirAll("/run/sshd", 0o755) // where it locks its unprivileged half in
	log, err := os.Create(file("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(server, "-D", "-e", "-f", file("sshd_config"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command(ssh, "-F", file("ssh_config"), "-O", "exit", "bge2e").Run()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s", read(t, file("log")))
		}
	})
	awaitPort(t, port)
	return []string{"PATH=" + file("bin") + ":" + os.Getenv("PATH")}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func save(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func awaitPort(t *testing.T, port int) {
	t.Helper()
	for range 200 {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nobody listens on port %d", port)
}

// authority is a certificate authority of this test alone.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	text []byte // its own certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate with its key, for a server at 127.0.0.1 or a client.
func (a *authority) issue(use x509.ExtKeyUsage) (cert, key []byte) {
	a.t.Helper()
	k := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "bge2e"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{use}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
}

// clientFolder is what DOCKER_CERT_PATH names: a client of this authority, who trusts another one's servers.
func (a *authority) clientFolder(trusts *authority) string {
	a.t.Helper()
	dir := a.t.TempDir()
	cert, key := a.issue(x509.ExtKeyUsageClientAuth)
	for name, text := range map[string][]byte{"ca.pem": trusts.text, "cert.pem": cert, "key.pem": key} {
		save(a.t, filepath.Join(dir, name), string(text), 0o600)
	}
	return dir
}

// behindTLS takes connections of this authority's clients, by TLS, and passes them on to the engine's socket.
func (a *authority) behindTLS(socket string) (address string) {
	a.t.Helper()
	cert, key := a.issue(x509.ExtKeyUsageServerAuth)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(a.cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go passOn(conn.(*tls.Conn), socket)
		}
	}()
	return l.Addr().String()
}

func passOn(client *tls.Conn, socket string) {
	defer client.Close()
	var noTLS tls.RecordHeaderError
	if err := client.Handshake(); errors.As(err, &noTLS) && noTLS.Conn != nil {
		_, _ = io.WriteString(noTLS.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n") // as the engine does
		return
	} else if err != nil {
		return
	}
	there, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer there.Close()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(client, there)
		_ = client.CloseWrite()
		close(ended)
	}()
	_, _ = io.Copy(there, client)
	_ = there.(*net.UnixConn).CloseWrite()
	<-ended
}

// from makes a host one of the second engine, reached as env says, whose load goes to the ports that the engine publishes.
func (e *secondEngine) from(h *host, env []string) {
	h.env = env
	h.dial = func(ctx context.Context, address string) (net.Conn, error) { return e.dial(ctx, "tcp", address) }
}

// docker runs the docker command against the engine.
func (e *secondEngine) docker(t *testing.T, args ...string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "docker", append([]string{"--host", e.host()}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	return strings.TrimSpace(string(text))
}
