//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"
)

// engineUp is how long an engine may take to start or to stop.
const engineUp = time.Minute

// When the engine itself restarts, as with its host, everything comes back with the release that was made live last:
// nginx, and both profiles under their addresses. The engine of the other tests is not touched: this is a second one.
func TestTheEnginesRestartBringsEverythingBack(t *testing.T) {
	skipShort(t)
	t.Parallel()
	second := startSecondEngine(t)
	second.load(t, helloImage, nginxImage)
	h := newHost(t)
	deploy := []string{"-H", second.host(), "deploy", "-o", "json"}
	second.must(t, h, "v1", deploy...)
	second.must(t, h, "v2", deploy...)
	second.wantAnswer(t, h, "v2", "real2")

	second.stop(t)
	second.start(t)
	second.wantAnswer(t, h, "v2", "real2")
	var s status
	if err := json.Unmarshal([]byte(second.must(t, h, "", "-H", second.host(), "status", "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	if s.Live != "real2" || s.Release != 2 || s.Nginx == nil || s.Nginx.State != "running" {
		t.Errorf("want release 2 live in real2, nginx running: %+v", s)
	}
	for _, p := range s.Profiles {
		if p.State != "running" || p.Health != "ok" {
			t.Errorf("profile %s is %s: %s", p.Name, p.State, p.Health)
		}
	}
	second.must(t, h, "", "-H", second.host(), "rollback")
	second.wantAnswer(t, h, "v1", "real1")
	second.must(t, h, "v3", deploy...)
	second.must(t, h, "", "-H", second.host(), "down", "--volumes")
}

// secondEngine is a Docker engine of its own: in a network namespace, with its own folders and socket.
type secondEngine struct {
	dir, namespace string
	flags          []string // of dockerd, beside where it has its things
	cmd            *exec.Cmd
	ended          chan struct{}
}

func (e *secondEngine) host() string { return "unix://" + filepath.Join(e.dir, "docker.sock") }

func startSecondEngine(t *testing.T, flags ...string) *secondEngine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: a second engine needs root")
	}
	for _, tool := range []string{"dockerd", "containerd", "ip", "nsenter", "iptables", "docker"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: a second engine needs %s: %v", tool, err)
		}
	}
	info, err := engine.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: the name of a socket is short.
	dir, err := os.MkdirTemp("", "bge2e-")
	if err != nil {
		t.Fatal(err)
	}
	e := &secondEngine{dir: dir, namespace: fmt.Sprintf("bge2e-%s-%d", runID, hosts.Add(1)), flags: flags}
	t.Cleanup(func() { e.remove(t) })
	config := fmt.Sprintf(`{"storage-driver": %q}`, info.Driver) // one that works here
	if err := os.WriteFile(filepath.Join(dir, "daemon.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "ip", "netns", "add", e.namespace)
	tool(t, "nsenter", e.enter("ip", "link", "set", "lo", "up")...)
	e.start(t)
	return e
}

// enter is nsenter's arguments for a command in the namespace. `ip netns exec` would hide the control groups.
func (e *secondEngine) enter(command ...string) []string {
	return append([]string{"--net=/run/netns/" + e.namespace}, command...)
}

func (e *secondEngine) start(t *testing.T) {
	t.Helper()
	file := func(name string) string { return filepath.Join(e.dir, name) }
	log, err := os.OpenFile(file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	// nsenter becomes dockerd: its process is the engine's.
	e.cmd = exec.Command("nsenter", e.enter(append([]string{"dockerd", "--config-file", file("daemon.json"), "--host", e.host(),
		"--data-root", file("data"), "--exec-root", file("exec"), "--pidfile", file("pid")}, e.flags...)...)...)
	e.cmd.Stdout, e.cmd.Stderr, e.ended = log, log, make(chan struct{})
	if err := e.cmd.Start(); err != nil {
		t.Fatalf("start the second engine: %v", err)
	}
	go func() { _ = e.cmd.Wait(); close(e.ended) }()
	e.awaitAnswer(t)
}

func (e *secondEngine) awaitAnswer(t *testing.T) {
	t.Helper()
	api, err := client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	ctx, cancel := context.WithTimeout(t.Context(), engineUp)
	defer cancel()
	for {
		if _, err = api.Ping(ctx); err == nil {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
			continue
		case <-e.ended:
			err = errors.New("it has ended")
		case <-ctx.Done():
		}
		log, _ := os.ReadFile(filepath.Join(e.dir, "log"))
		t.Fatalf("the second engine does not answer: %v\n%s", err, log[max(0, len(log)-4000):])
	}
}

// stop ends the engine as its host's shutdown would, and with it its containers.
func (e *secondEngine) stop(t *testing.T) {
	t.Helper()
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stop the second engine: %v", err)
	}
	select {
	case <-e.ended:
	case <-time.After(engineUp):
		t.Errorf("the second engine did not stop within %v", engineUp)
	}
}

// remove leaves nothing of the engine: its process, its mounts, its namespace, its folders.
func (e *secondEngine) remove(t *testing.T) {
	if e.cmd != nil && e.cmd.Process != nil {
		e.stop(t)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Error(err)
	}
	// The innermost mount is the last one listed.
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], e.dir+"/") {
			if err := syscall.Unmount(f[1], syscall.MNT_DETACH); err != nil {
				t.Errorf("unmount %s: %v", f[1], err)
			}
		}
	}
	if text, err := exec.Command("ip", "netns", "delete", e.namespace).CombinedOutput(); err != nil {
		t.Errorf("delete network namespace %s: %v\n%s", e.namespace, err, text)
	}
	if err := os.RemoveAll(e.dir); err != nil {
		t.Error(err)
	}
}

// load brings images over from the engine of the other tests.
func (e *secondEngine) load(t *testing.T, refs ...string) {
	t.Helper()
	from, err := engine.ImageSave(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	cmd := exec.CommandContext(t.Context(), "docker", "--host", e.host(), "load", "--quiet")
	cmd.Stdin = from
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("load images: %v\n%s", err, text)
	}
}

// must runs bluegreen beside the engine, whose published ports are on the loopback of its namespace.
func (e *secondEngine) must(t *testing.T, h *host, version string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", e.enter(append([]string{binary}, args...)...)...)
	cmd.Dir, cmd.Env = h.dir, append(cleanEnv(), "VERSION="+version)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr.String())
	}
	return string(stdout)
}

// wantAnswer waits until the engine's nginx answers with this release.
func (e *secondEngine) wantAnswer(t *testing.T, h *host, version, profile string) {
	t.Helper()
	wantAnswer(t, &http.Client{Transport: &http.Transport{DialContext: e.dial}}, h.addr(), version, profile)
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
}
