package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dockerEndsPlugins is the first docker command that tells a plugin of its own end (docker/cli, cli-plugins/socket).
const dockerEndsPlugins = 26

// installPlugin installs the binary as a plugin of the docker command, for this test alone, and returns the environment
// (K=V) with which docker finds it.
func installPlugin(t *testing.T, h *host, oldest int) []string {
	t.Helper()
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("SKIPPED: there is no docker command here, so nothing can be its plugin")
	}
	if out, err := exec.Command("docker", "info", "--format", "{{json .ClientInfo.Plugins}}").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: this docker command has no plugins: %s", out)
	}
	version, err := exec.Command("docker", "version", "--format", "{{.Client.Version}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(string(version), ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		t.Skipf("SKIPPED: docker %s does not tell its plugins when it ends; %d does", strings.TrimSpace(string(version)), oldest)
	}
	dir := t.TempDir()
	env := []string{"DOCKER_CONFIG=" + dir}
	h.mustWith(env, "plugin", "install")
	if _, err := os.Stat(filepath.Join(dir, "cli-plugins", "docker-bluegreen")); err != nil {
		t.Fatal(err)
	}
	return env
}

// docker runs `docker ARGS` with the plugin.
func (h *host) docker(env []string, args ...string) output {
	h.t.Helper()
	return h.startAs(env, "docker", args...).wait()
}

func TestDockerBluegreenIsBluegreen(t *testing.T) {
	h := newHost(t)
	env := installPlugin(t, h, 0)
	if out := h.docker(append(env, "VERSION=v1"), "bluegreen", "deploy"); out.code != 0 || !strings.Contains(out.stdout, "release 1 ") {
		t.Fatalf("%v", out)
	}
	h.wantAnswer(t, "v1", "real1")
	if out := exec.Command("docker", "context", "create", "here", "--docker", "host="+engine.DaemonHost()); true {
		out.Env = append(os.Environ(), env...)
		if text, err := out.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	for _, args := range [][]string{{"bluegreen"}, {"--context", "here", "bluegreen"}, {"-H", engine.DaemonHost(), "bluegreen"}} {
		var s status
		out := h.docker(env, append(args, "status", "-o", "json")...)
		if err := json.Unmarshal([]byte(out.stdout), &s); err != nil || s.Live != "real1" || s.Release != 1 || !s.Serving {
			t.Errorf("%v, %v", err, out)
		}
	}
	for _, c := range []struct {
		env, args []string
		code      int
		says      string
	}{
		{nil, []string{"bluegreen", "--help"}, 0, "docker bluegreen rollback "},
		{nil, []string{"help", "bluegreen", "deploy"}, 0, "docker bluegreen deploy [SERVICE]"},
		{nil, []string{"bluegreen", "depoy"}, 2, "See 'docker bluegreen --help'"},
		{nil, []string{"-H", "unix:///nowhere.sock", "bluegreen", "status"}, 5, "/nowhere.sock"},
		{nil, []string{"--context", "nosuch", "bluegreen", "status"}, 2, `"nosuch"`},
		{nil, []string{"__complete", "bluegreen", "status", ""}, 0, h.service},
		{[]string{"VERSION=bad", "FAULT=exit-at-boot"}, []string{"bluegreen", "deploy"}, 1, "run `docker bluegreen deploy` again"},
	} {
		out := h.docker(append(c.env, env...), c.args...)
		if out.code != c.code || !strings.Contains(out.stdout+out.stderr, c.says) {
			t.Errorf("want exit %d and %q: %v", c.code, c.says, out)
		}
	}
	h.wantAnswer(t, "v1", "real1")
	if out := h.docker(env, "bluegreen", "plugin", "uninstall"); out.code != 0 {
		t.Errorf("%v", out)
	}
	if out := h.docker(env, "bluegreen", "status"); out.code == 0 {
		t.Errorf("it is a plugin still: %v", out)
	}
}

// How the docker command may come to its end; what it started has to end by itself then.
var dockerEnds = []struct {
	name string
	do   func(docker *os.Process) error
	code int
}{
	{"killed", func(p *os.Process) error { return p.Kill() }, -1},
	{"terminated", func(p *os.Process) error { return p.Signal(syscall.SIGTERM) }, 130},
	// A terminal's Ctrl-C is for docker and for the plugin, and is one: the second would leave at once.
	{"interrupted with its plugin", func(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGINT) }, 130},
}

// TestKilledDockerEndsItsPluginAndTheNextDeployCarriesOn: the plugin writes to what the test reads until it ends, so that
// wait waits for it and not for docker alone.
func TestKilledDockerEndsItsPluginAndTheNextDeployCarriesOn(t *testing.T) {
	const long = 60 * time.Second // of what is under way, when nothing ends it
	h, l := newPair(t, ownKey("health.deadline", long.String()))
	env := installPlugin(t, h, dockerEndsPlugins)
	end := func(t *testing.T, i int, step, version, fault string) output {
		t.Helper()
		// setsid makes docker the leader of a group, as a shell does with what it starts in the foreground.
		p := h.startAs(append(env, "VERSION="+version, "FAULT="+fault), "setsid", "docker", "bluegreen", "deploy", "-o", "json")
		p.awaitStep(step)
		if err := dockerEnds[i].do(p.cmd.Process); err != nil {
			t.Fatal(err)
		}
		ended := time.Now()
		out := p.wait()
		l.interrupted(version, out)
		if took := time.Since(ended); took > long/2 || out.code != dockerEnds[i].code || out.result().Outcome != "interrupted" || strings.Contains(out.stderr, "left at once") {
			t.Errorf("want exit %d, everything undone and not after %v: %v", dockerEnds[i].code, took, out)
		}
		h.wantTruth(t)
		h.wantNothingHalfMade(t)
		return out
	}
	for i, c := range dockerEnds {
		t.Run(c.name, func(t *testing.T) {
			live := h.status().Live
			if end(t, i, "health", "never"+strconv.Itoa(i), "never-listen"); h.status().Live != live {
				t.Errorf("%s is live no more", live)
			}
		})
	}
	h.change(ownKey("watch", long.String()))
	t.Run("killed in the watch", func(t *testing.T) {
		live := h.status().Live
		out := end(t, 0, "watch", "kept", "")
		if s := h.status(); s.Live == live || s.Live != out.result().Live || !s.Serving {
			t.Errorf("want the new release live: %+v", s)
		}
	})
	h.change(ownKey("watch", "500ms"))
	l.deployed("last", h.deploy("last"))
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	h.wantTidyVolume(t)
	l.wantNoLoss()
}
