//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// An engine elsewhere: behind real ssh, and behind TLS. It has a network namespace of its own, so that this machine's loopback
// leads to none of its ports, as with another machine; bluegreen asks from inside its nginx. The load goes to the published
// port, as users do.
func TestEverythingWorksAgainstAnEngineElsewhere(t *testing.T) {
	skipShort(t)
	second := startSecondEngine(t)
	second.load(t, helloImage, nginxImage)
	t.Run("over ssh", func(t *testing.T) {
		env := append(sshd(t), "DOCKER_HOST=ssh://bge2e"+filepath.Join(second.dir, "docker.sock"))
		h := newHost(t)
		second.from(h, env)
		second.fullRound(t, h)
		second.rehearsed(t, h)
		h.must("down", "--volumes")
		second.wantNothing(t, h)
	})
	t.Run("by TLS", func(t *testing.T) {
		ca := newAuthority(t, "bge2e")
		address := ca.behindTLS(filepath.Join(second.dir, "docker.sock"))
		h := newHost(t)
		second.from(h, []string{"DOCKER_HOST=tcp://" + address, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + ca.clientFolder(ca)})
		second.smallRound(t, h, ca, address)
		wrongCertificates(t, h, ca, address)
		h.must("down", "--volumes")
		second.wantNothing(t, h)
	})
}

// fullRound is everything that a service's life has.
func (e *secondEngine) fullRound(t *testing.T, h *host) {
	h.deploy("v1")
	l := newTraffic(h)
	l.version["real1"] = "v1"
	l.releases.Live("v1", time.Now().Add(-time.Hour))
	l.begin(steadyConnections, steadyPeriod)
	out := h.deploy("v2")
	l.deployed("v2", out)
	t.Logf("deploy: %v, switched in %d ms", out.took.Round(time.Millisecond), out.result().SwitchMS)
	back := h.rollback() // v1 may answer again, and v2 while it drains
	t.Logf("rollback: %v, switched in %d ms", back.took.Round(time.Millisecond), back.result().SwitchMS)
	l.wantNoLoss()
	s := h.status()
	if s.Live != "real1" || !s.Serving || s.Nginx == nil || s.Nginx.Workers == 0 {
		t.Errorf("%+v", s)
	}
	for _, p := range s.Profiles {
		if p.Health != "ok" {
			t.Errorf("%s is asked from inside nginx, and says %s", p.Name, p.Health)
		}
	}
	h.wantFindings(t, nil)
	if lines := strings.Count(strings.TrimSpace(h.must("history", "-o", "json").stdout), "\n"); lines != 2 {
		t.Errorf("want three lines of history, not %d", lines+1)
	}
	if logs := h.must("logs"); logs.stdout+logs.stderr == "" {
		t.Error("the live profile's log is empty")
	}
	e.lockIsSeenAndBroken(t, h)
	failed := h.deployFaulty("v3", "500", "--probe", "container")
	if failed.code != 1 || !strings.Contains(failed.stderr+failed.stdout, "through "+h.nginx()) {
		t.Errorf("want exit 1, and where it was asked: %v", failed)
	}
	e.wantAnswer(t, h, "v1", "real1")
}

// steadyConnections are not busy ones: both ends of ssh, and of the load, are on this machine, too.
const steadyConnections = 32

// lockIsSeenAndBroken leaves a lock as somebody's run elsewhere would.
func (e *secondEngine) lockIsSeenAndBroken(t *testing.T, h *host) {
	args := []string{"create", "--name", h.service + "-lock"}
	for k, v := range map[string]string{
		"role": "lock", "network": h.network, "service": h.service, "run": "0123456789ab", "lock.who": "ann", "lock.where": "ci-7",
		"lock.command": "bluegreen deploy", "lock.pid": "4711", "lock.since": time.Now().UTC().Format(time.RFC3339), "lock.boot-id": "another",
		"lock.pid-namespace": "pid:[1]", "lock.process-start": "1",
	} {
		args = append(args, "--label", "bluegreen."+k+"="+v)
	}
	e.docker(t, append(args, helloImage)...)
	if lock := h.status().Lock; lock == nil || lock.Owner != "ann" {
		t.Errorf("want ann's lock in the status: %+v", lock)
	}
	if out := h.run("rollback"); out.code != 3 || !strings.Contains(out.stderr, "locked by ann on ci-7") {
		t.Errorf("want exit 3: %v", out)
	}
	h.must("unlock", "--yes")
	if lock := h.status().Lock; lock != nil {
		t.Errorf("the lock is still there: %+v", lock)
	}
}

// rehearsed swaps a copy there.
func (e *secondEngine) rehearsed(t *testing.T, h *host) {
	out := h.run("rehearse", "--swaps", "1", "--duration", "6s", "--rate", "20", "--connections", "4", "-o", "json")
	var r rehearsal
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil || out.code != 0 || !r.Verdict.Passed || r.Runs[0].Lost != 0 || len(r.Runs[0].Swaps) != 1 {
		t.Fatalf("%v: %v", err, out)
	}
	if !slices.ContainsFunc(r.Setup.Notes, func(n string) bool { return strings.Contains(n, "includes the way to the engine") }) {
		t.Errorf("the report does not say what its times include: %q", r.Setup.Notes)
	}
	t.Logf("rehearsal: %s", r.Verdict.Text)
}

// smallRound deploys by the environment, and goes on by a docker context with the same certificates.
func (e *secondEngine) smallRound(t *testing.T, h *host, ca *authority, address string) {
	h.deploy("v1")
	h.deploy("v2")
	folder := ca.clientFolder(ca)
	config := t.TempDir()
	create := exec.CommandContext(t.Context(), "docker", "--config", config, "context", "create", "elsewhere", "--docker",
		fmt.Sprintf("host=tcp://%s,ca=%[2]s/ca.pem,cert=%[2]s/cert.pem,key=%[2]s/key.pem", address, folder))
	if text, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	was := h.env
	h.env = []string{"DOCKER_HOST=", "DOCKER_CONFIG=" + config, "DOCKER_CONTEXT=elsewhere"}
	h.rollback()
	e.wantAnswer(t, h, "v1", "real1")
	h.env = []string{"DOCKER_HOST=", "DOCKER_CONFIG=" + config}
	if out := h.must("--context", "elsewhere", "status", "-o", "json"); !strings.Contains(out.stdout, `"live":"real1"`) {
		t.Errorf("%v", out)
	}
	h.wantExit(2, `docker context "elswhere" does not exist`, "--context", "elswhere", "status")
	h.env = was
	h.wantFindings(t, nil)
}

// wantExit runs a command that must fail so, with these words.
func (h *host) wantExit(code int, words string, args ...string) {
	h.t.Helper()
	if out := h.run(args...); out.code != code || !strings.Contains(out.stderr, words) {
		h.t.Errorf("want exit %d and %q: %v", code, words, out)
	}
}

// wrongCertificates tries those of another authority, on either side, and none.
func wrongCertificates(t *testing.T, h *host, ca *authority, address string) {
	other := newAuthority(t, "somebody else")
	was := h.env
	defer func() { h.env = was }()
	for name, folder := range map[string]string{"client": other.clientFolder(ca), "server": ca.clientFolder(other)} {
		h.env = []string{"DOCKER_HOST=tcp://" + address, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + folder}
		t.Log("the wrong authority: " + name)
		h.wantExit(5, "certificates do not fit", "status")
	}
	h.env = []string{"DOCKER_HOST=tcp://" + address}
	h.wantExit(5, "certificates do not fit", "status")
	h.env = []string{"DOCKER_HOST=tcp://" + address, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + t.TempDir()}
	h.wantExit(2, "ca.pem", "status")
}

// wantNothing makes sure that the engine has nothing of the host any more.
func (e *secondEngine) wantNothing(t *testing.T, h *host) {
	t.Helper()
	for _, list := range [][]string{{"ps", "-a"}, {"network", "ls"}, {"volume", "ls"}} {
		if text := e.docker(t, append(list, "-q", "--filter", "name="+h.id)...); text != "" {
			t.Errorf("docker %s: %s is left", strings.Join(list, " "), text)
		}
	}
}

// What says where the engine is, and says it wrongly, is told before anything is asked.
func TestWrongWaysToAnEngineAreNamed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.env = []string{"DOCKER_CONTEXT=", "DOCKER_TLS_VERIFY="}
	h.wantExit(2, `docker context "nosuch" does not exist`, "--context", "nosuch", "deploy")
	h.wantExit(2, "choose one", "--context", "default", "-H", "unix:///x", "status")
	h.wantExit(2, "--probe", "--probe", "nonsense", "status")
	h.wantExit(2, "invalid bind address format", "-H", "nope://x", "status")
	h.wantExit(5, "Connection refused", "-H", fmt.Sprintf("ssh://root@127.0.0.1:%d", freePort(t)), "status")
	h.wantExit(5, "start Docker there", "-H", fmt.Sprintf("tcp://127.0.0.1:%d", freePort(t)), "status")
	h.change(topKey("x-bluegreen.probe", "contianer"))
	h.wantExit(2, "did you mean container?", "deploy")
}
