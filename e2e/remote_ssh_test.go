//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sshd is a real one, on a port of loopback, with keys of its own. OpenSSH reads its configuration from the home of the
// account, whatever HOME says: a command of the same name, before it in PATH, names another one.
type sshd struct {
	t    *testing.T
	dir  string
	port int
}

func startSSHD(t *testing.T) *sshd {
	t.Helper()
	server, err := exec.LookPath("sshd")
	if err != nil {
		server = "/usr/sbin/sshd"
	}
	for _, need := range []string{server, "ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("SKIPPED, NOT TESTED: an engine over ssh needs %s (make ensure-sshd): %v", need, err)
		}
	}
	// Not t.TempDir: the name of the control socket is short.
	dir, err := os.MkdirTemp("", "bge2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &sshd{t: t, dir: dir, port: freePort(t)}
	for _, key := range []string{"host", "user", "stranger"} {
		tool(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.file(key))
	}
	s.save("authorized", s.read("user.pub"), 0o600)
	s.save("known", fmt.Sprintf("[127.0.0.1]:%d %s", s.port, s.read("host.pub")), 0o600)
	s.save("unknown", fmt.Sprintf("[127.0.0.1]:%d %s", s.port, s.read("stranger.pub")), 0o600)
	s.save("sshd_config", fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nMaxStartups 100\nMaxSessions 100\n",
		s.port, s.file("host"), s.file("authorized")), 0o600)
	_ = os.MkdirAll("/run/sshd", 0o755) // where it locks its unprivileged half in
	log, err := os.Create(s.file("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(server, "-D", "-e", "-f", s.file("sshd_config"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("ssh", "-F", s.file("good/config"), "-O", "exit", "bge2e").Run() // the one that shares its connection
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s", s.read("log"))
		}
	})
	s.awaitPort()
	return s
}

// client makes the folder of an ssh command that reaches the server as bge2e, with a key, a list of known hosts and further
// settings, and returns the environment that has it.
func (s *sshd) client(name, key, known string, settings ...string) (env []string) {
	s.t.Helper()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.Mkdir(s.file(name), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.save(name+"/config", fmt.Sprintf("Host bge2e\n HostName 127.0.0.1\n Port %d\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n"+
		" StrictHostKeyChecking yes\n BatchMode yes\n %s\n", s.port, s.file(key), s.file(known), strings.Join(settings, "\n ")), 0o600)
	s.save(name+"/ssh", fmt.Sprintf("#!/bin/sh\nexec %s -F %s \"$@\"\n", ssh, s.file(name+"/config")), 0o700)
	return []string{"PATH=" + s.file(name) + ":" + os.Getenv("PATH")}
}

// shared is a client's settings as docs/remote.md advises them.
func (s *sshd) shared() []string {
	return []string{"ControlMaster auto", "ControlPath " + s.file("mux"), "ControlPersist 60s"}
}

func (s *sshd) file(name string) string { return filepath.Join(s.dir, name) }

func (s *sshd) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *sshd) save(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sshd) awaitPort() {
	s.t.Helper()
	for range 400 {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
			conn.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("sshd does not listen: %s", s.read("log"))
}
