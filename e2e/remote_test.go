//go:build linux

package e2e

import (
	"crypto/x509"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Another machine's load is not this test's matter: both ends of ssh, and of the load, are on this one.
const (
	remoteConnections = 8
	remoteDeadline    = "3s" // for a release that never answers
)

// TestEverythingWorksAgainstAnEngineElsewhere: behind a real sshd, and behind TLS. The engine has a network namespace of its
// own, so that this machine's loopback leads to none of its ports, as with another machine: bluegreen asks from inside its
// nginx. The load comes to the published ports, as clients do.
func TestEverythingWorksAgainstAnEngineElsewhere(t *testing.T) {
	skipShort(t)
	ca := newAuthority(t)
	second := startSecondEngine(t, ca.listening(net.IPv4(127, 0, 0, 1))...)
	second.load(t, helloImage, nginxImage)
	t.Run("over ssh", func(t *testing.T) {
		server := startSSHD(t)
		h := second.from(t, append(server.client("good", "user", "known", server.shared()...), "DOCKER_HOST="+second.overSSH()))
		second.life(t, h)
		second.stages(t, h)
		second.refusedBySSH(t, h, server)
		h.must("down", "--volumes")
		second.wantNothing(t, h)
	})
	t.Run("by TLS", func(t *testing.T) {
		address := second.forward(t)
		h := second.from(t, byTLS(address, ca.client()))
		second.swaps(t, h)
		second.rehearsed(t, h) // over ssh it is the same, and each of its connections the start of a docker command
		second.byContext(t, h, ca, address)
		second.refusedByTLS(t, h, ca, address)
		h.must("down", "--volumes")
		second.wantNothing(t, h)
	})
}

// overSSH is the engine's address, by the name that the ssh commands of the test know.
func (e *secondEngine) overSSH() string { return "ssh://bge2e" + filepath.Join(e.dir, "docker.sock") }

// byTLS is an environment for an engine behind TLS.
func byTLS(address, folder string) []string {
	return []string{"DOCKER_HOST=tcp://" + address, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + folder}
}

// from is a host on the engine, reached as env says.
func (e *secondEngine) from(t *testing.T, env []string) *host {
	t.Helper()
	h := newHost(t, ownKey("health.deadline", remoteDeadline))
	h.env, h.dial = env, e.dial
	return h
}

// life is what a service meets: swaps under load, questions, somebody else's lock, a release that does not come up.
func (e *secondEngine) life(t *testing.T, h *host) {
	e.swaps(t, h)
	h.wantFindings(t, nil)
	if lines := strings.Count(strings.TrimSpace(h.must("history", "-o", "json").stdout), "\n") + 1; lines != 3 {
		t.Errorf("want three lines of history, not %d", lines)
	}
	if logs := h.must("logs"); logs.stdout+logs.stderr == "" {
		t.Error("the live profile's log is empty")
	}
	e.lockIsSeenAndBroken(t, h)
	failed := h.deployFaulty("v3", "never-listen")
	if failed.code != 1 || !strings.Contains(failed.stderr, "not ready within "+remoteDeadline) || !strings.Contains(failed.stderr, "(through container "+h.nginx()+")") {
		t.Errorf("want exit 1, and where it was asked: %v", failed)
	}
	e.wantAnswer(t, h, "v1", "real1")
}

// swaps deploys twice and rolls back, under load from the first release on.
func (e *secondEngine) swaps(t *testing.T, h *host) {
	t.Helper()
	h.deploy("v1")
	l := newTraffic(h)
	l.version["real1"] = "v1"
	l.releases.Live("v1", time.Now().Add(-time.Hour))
	l.begin(remoteConnections, steadyPeriod)
	out := h.deploy("v2")
	l.deployed("v2", out)
	back := h.rollback() // v1 may answer again, and v2 while it drains
	time.Sleep(busyTail)
	l.wantNoLoss()
	t.Logf("deploy in %v, switched in %d ms; rollback in %v, switched in %d ms", out.took.Round(time.Millisecond), out.result().SwitchMS,
		back.took.Round(time.Millisecond), back.result().SwitchMS)
	s := h.status()
	if s.Live != "real1" || s.Release != 1 || !s.Serving || s.Nginx == nil || s.Nginx.Workers == 0 {
		t.Errorf("%+v", s)
	}
	for _, p := range s.Profiles {
		if p.Health != "ok" {
			t.Errorf("%s is asked from inside nginx, and says %s", p.Name, p.Health)
		}
	}
}

// lockIsSeenAndBroken leaves a lock as somebody's run on a third machine would.
func (e *secondEngine) lockIsSeenAndBroken(t *testing.T, h *host) {
	t.Helper()
	args := []string{"create", "--name", h.service + "-lock"}
	for label, value := range h.labelsOfAnotherLock() {
		args = append(args, "--label", label+"="+value)
	}
	e.docker(t, append(args, helloImage)...)
	if lock := h.status().Lock; lock == nil || lock.Owner != "ann" {
		t.Errorf("want ann's lock in the status: %+v", lock)
	}
	h.wantExit(3, "locked by ann on ci-7", "rollback")
	h.must("unlock", "--yes")
	if lock := h.status().Lock; lock != nil {
		t.Errorf("the lock is still there: %+v", lock)
	}
}

// stages is a deploy in the steps of a script.
func (e *secondEngine) stages(t *testing.T, h *host) {
	t.Helper()
	if out := h.must("profile"); strings.TrimSpace(out.stdout) != "real2" {
		t.Errorf("want real2 idle: %v", out)
	}
	for _, stage := range []string{"stop", "start", "health", "switch"} {
		h.mustWith([]string{"VERSION=v4"}, stage)
	}
	e.wantAnswer(t, h, "v4", "real2")
}

// rehearsed swaps a copy there.
func (e *secondEngine) rehearsed(t *testing.T, h *host) {
	t.Helper()
	r, _ := h.rehearse(0, "--swaps", "1", "--duration", "6s", "--rate", "20", "--connections", "4")
	if !r.Verdict.Passed || r.Runs[0].Lost != 0 || len(r.Runs[0].Swaps) != 1 {
		t.Errorf("%+v", r)
	}
	if !slices.ContainsFunc(r.Setup.Notes, func(n string) bool { return strings.Contains(n, "goes through the nginx container") }) {
		t.Errorf("the report does not say what its times include: %q", r.Setup.Notes)
	}
	t.Logf("rehearsal: %s", r.Verdict.Text)
}

// refusedBySSH tries a host that nobody answers at, one that does not know the key, and one that is not who it was.
func (e *secondEngine) refusedBySSH(t *testing.T, h *host, server *sshd) {
	good, before := h.env, e.things(t)
	defer func() { h.env = good }()
	for name, try := range map[string]struct {
		env        []string
		host, says string
	}{
		"nobody listens":  {good, fmt.Sprintf("ssh://root@127.0.0.1:%d", freePort(t)), "Connection refused"},
		"key is unknown":  {server.client("stranger-client", "stranger", "known"), e.overSSH(), "Permission denied"},
		"host is another": {server.client("wary", "user", "unknown"), e.overSSH(), "Host key verification failed"},
		"no engine there": {good, "ssh://bge2e/nowhere/docker.sock", "/nowhere/docker.sock"},
	} {
		h.env = append(slices.Clone(try.env), "VERSION=v5", "DOCKER_HOST="+try.host)
		t.Log(name)
		h.wantExit(5, try.says, "deploy")
	}
	e.wantSame(t, before)
}

// byContext goes on by a docker context with the same certificates.
func (e *secondEngine) byContext(t *testing.T, h *host, ca *authority, address string) {
	t.Helper()
	config, folder := t.TempDir(), ca.client()
	tool(t, "docker", "--config", config, "context", "create", "elsewhere", "--docker",
		fmt.Sprintf("host=tcp://%s,ca=%[2]s/ca.pem,cert=%[2]s/cert.pem,key=%[2]s/key.pem", address, folder))
	was := h.env
	defer func() { h.env = was }()
	h.env = []string{"DOCKER_HOST=", "DOCKER_CONFIG=" + config, "DOCKER_CONTEXT=elsewhere"}
	h.rollback() // to v2: it was live before
	e.wantAnswer(t, h, "v2", "real2")
	h.env = []string{"DOCKER_HOST=", "DOCKER_CONFIG=" + config}
	if out := h.must("--context", "elsewhere", "status", "-o", "json"); !strings.Contains(out.stdout, `"live":"real2"`) {
		t.Errorf("%v", out)
	}
	h.wantExit(2, `docker context "elswhere" does not exist`, "--context", "elswhere", "deploy")
}

// refusedByTLS tries certificates of another authority, on either side, and none.
func (e *secondEngine) refusedByTLS(t *testing.T, h *host, ca *authority, address string) {
	good, before, other := h.env, e.things(t), newAuthority(t)
	defer func() { h.env = good }()
	for name, try := range map[string]struct {
		env  []string
		code int
		says string
	}{
		"a client of another authority":   {byTLS(address, other.credentials(ca, x509.ExtKeyUsageClientAuth)), 5, "certificates do not fit"},
		"a server of another authority":   {byTLS(address, ca.credentials(other, x509.ExtKeyUsageClientAuth)), 5, "certificates do not fit"},
		"a server by another name":        {byTLS(strings.Replace(address, "127.0.0.1", "127.0.0.2", 1), ca.client()), 5, "127.0.0.2"},
		"no TLS":                          {[]string{"DOCKER_HOST=tcp://" + address, "DOCKER_TLS_VERIFY="}, 5, "certificates do not fit"},
		"certificates that are not there": {byTLS(address, t.TempDir()), 2, "ca.pem"},
	} {
		h.env = append(slices.Clone(try.env), "VERSION=v5")
		t.Log(name)
		h.wantExit(try.code, try.says, "deploy")
	}
	e.wantSame(t, before)
}

// things are the containers, networks and volumes of the engine.
func (e *secondEngine) things(t *testing.T) string {
	t.Helper()
	var all []string
	for _, list := range [][]string{{"ps", "-a", "--no-trunc", "--format", "{{.Names}} {{.ID}} {{.State}}"}, {"network", "ls", "-q"}, {"volume", "ls", "-q"}} {
		all = append(all, e.docker(t, list...))
	}
	return strings.Join(all, "\n")
}

func (e *secondEngine) wantSame(t *testing.T, before string) {
	t.Helper()
	if after := e.things(t); after != before {
		t.Errorf("there is\n%s\nwhere there was\n%s", after, before)
	}
}

// wantNothing makes sure that the engine has nothing of the host any more.
func (e *secondEngine) wantNothing(t *testing.T, h *host) {
	t.Helper()
	if all := e.things(t); strings.Contains(all, h.id) {
		t.Errorf("something is left of %s:\n%s", h.id, all)
	}
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

// wantExit runs a command that must fail so, with these words.
func (h *host) wantExit(code int, words string, args ...string) {
	h.t.Helper()
	if out := h.run(args...); out.code != code || !strings.Contains(out.stderr, words) {
		h.t.Errorf("want exit %d and %q: %v", code, words, out)
	}
}

// TestAWrongWayToAnEngineIsNamed: what says where it is, and says it wrongly, is told before anything is asked.
func TestAWrongWayToAnEngineIsNamed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.env = []string{"DOCKER_CONTEXT=", "DOCKER_TLS_VERIFY="}
	h.wantExit(2, `docker context "nosuch" does not exist`, "--context", "nosuch", "deploy")
	h.wantExit(2, "choose one", "--context", "default", "-H", "unix:///x", "status")
	h.wantExit(2, "invalid bind address format", "-H", "nope://x", "status")
	h.wantExit(5, "start Docker there", "-H", fmt.Sprintf("tcp://127.0.0.1:%d", freePort(t)), "status")
	h.change(topKey("x-bluegreen.probe", "contianer"))
	h.wantExit(2, "did you mean container?", "deploy")
}
