package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// label marks what these tests make at the engine.
const label = "bgt-nginx"

// images are the nginx versions tried: a current one, and one without keepalive_min_timeout.
var images = []string{"bluegreen/nginx:1.30-debian2", "bluegreen/nginx:1.22-debian2"}

// onImages runs a test for each image that the engine has.
func onImages(t *testing.T, test func(t *testing.T, image string)) {
	if os.Getenv("BLUEGREEN_TEST_ENGINE") != "1" {
		t.Skip("needs a Docker engine: BLUEGREEN_TEST_ENGINE=1 (make test sets it)")
	}
	if err := exec.Command("docker", "image", "inspect", images[0]).Run(); err != nil {
		t.Fatalf("no image %s: make nginx-image builds it", images[0])
	}
	for _, image := range images {
		t.Run(strings.TrimPrefix(image, "bluegreen/nginx:"), func(t *testing.T) {
			if err := exec.Command("docker", "image", "inspect", image).Run(); err != nil {
				t.Skipf("no image %s", image)
			}
			test(t, image)
		})
	}
}

// engine is a managed-like nginx: its container's name is also the volume's.
type engine struct {
	t           *testing.T
	image, name string
	http        string // address of the public port
	status      StatusListener
	down        bool // run commands in a container of their own
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func newEngine(t *testing.T, image string) *engine {
	t.Helper()
	e := &engine{t: t, image: image, down: true, name: fmt.Sprintf("%s-%d", label, time.Now().UnixNano())}
	t.Cleanup(func() {
		exec.Command("docker", "rm", "-f", "-v", e.name+"-app", e.name).Run()
		exec.Command("docker", "volume", "rm", "-f", e.name).Run()
	})
	docker(t, "volume", "create", "--label", label, e.name)
	return e
}

// start starts nginx on what the volume holds, and the backend in its network.
func (e *engine) start() {
	e.t.Helper()
	docker(e.t, "run", "-d", "--name", e.name, "--label", label, "--stop-signal", "SIGQUIT", "-v", e.name+":"+Root,
		"-p", "127.0.0.1::80", "-p", "127.0.0.1::8079", e.image, "-c", Root+"/nginx.conf", "-g", "daemon off;")
	e.down = false
	e.findPorts()
}

func (e *engine) findPorts() {
	e.http = docker(e.t, "port", e.name, "80/tcp")
	e.status = StatusListener{URL: "http://" + docker(e.t, "port", e.name, "8079/tcp")}
	until := time.Now().Add(10 * time.Second)
	for {
		resp, err := http.Get(e.status.URL)
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(until) {
			e.t.Fatalf("nginx does not start: %v: %s", err, docker(e.t, "logs", e.name))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (e *engine) startBackend() {
	e.t.Helper()
	binary := filepath.Join(e.t.TempDir(), "backend")
	build := exec.Command("go", "build", "-o", binary, "./testdata/backend")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		e.t.Fatalf("build backend: %v: %s", err, out)
	}
	docker(e.t, "create", "--name", e.name+"-app", "--label", label, "--network", "container:"+e.name,
		"--entrypoint", "/backend", e.image)
	docker(e.t, "cp", binary, e.name+"-app:/backend")
	docker(e.t, "start", e.name+"-app")
}

func (e *engine) command(cmd []string) []string {
	if e.down {
		return append([]string{"run", "--rm", "--label", label, "--network", "none", "-v", e.name + ":" + Root,
			"--entrypoint", cmd[0], e.image}, cmd[1:]...)
	}
	return append([]string{"exec", "-u", "0", e.name}, cmd...)
}

func (e *engine) Run(ctx context.Context, cmd []string) (Result, error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, "docker", e.command(cmd)...)
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	r := Result{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.ExitCode = exit.ExitCode()
		return r, nil
	}
	return r, err
}

func (e *engine) Top(ctx context.Context) ([]Process, error) {
	out, err := exec.CommandContext(ctx, "docker", "top", e.name, "-eo", "pid,args").Output()
	if err != nil {
		return nil, err
	}
	var processes []Process
	for line := range strings.Lines(string(out)) {
		pid, title, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(pid); err == nil {
			processes = append(processes, Process{PID: n, Title: strings.TrimSpace(title)})
		}
	}
	return processes, nil
}

// site is the service's, with both profiles served by the backend.
func (e *engine) site() []File {
	c := defaultSite()
	c.Upstreams = []Upstream{{"real1", "127.0.0.1", 9001}, {"real2", "127.0.0.1", 9002}}
	return Site(c)
}

func (e *engine) version() string {
	e.t.Helper()
	v, err := Version(e.t.Context(), e)
	if err != nil {
		e.t.Fatal(err)
	}
	return v
}

// deployed is a running nginx with real1 live.
func deployed(t *testing.T, image string) *engine {
	t.Helper()
	e := newEngine(t, image)
	c := firstDeploy("first")
	c.Files = append(e.site(),
		File{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: 2 * time.Minute})},
		File{Path: IncludePath("shop"), Text: Include(Target{"shop", "real1", 1})})
	c.Reload = false
	if err := Apply(t.Context(), e, c); err != nil {
		t.Fatal(err)
	}
	e.start()
	return e
}

func swapTo(run string, t Target) Change {
	return Change{
		Run: run, Test: true, Reload: true,
		First: []File{{Path: StatePath(t.Service), Text: fmt.Sprintf(`{"intent":%d}`, t.Release)}},
		Files: []File{{Path: IncludePath(t.Service), Text: Include(t)}},
	}
}

// swap applies and confirms, and says how long each took.
func (e *engine) swap(want Target) (applied, confirmed time.Duration) {
	e.t.Helper()
	before, err := ReadWorkers(e.t.Context(), e)
	if err != nil {
		e.t.Fatal(err)
	}
	start := time.Now()
	if err := Apply(e.t.Context(), e, swapTo(fmt.Sprintf("run-%d", want.Release), want)); err != nil {
		e.t.Fatal(err)
	}
	applied = time.Since(start)
	if err := Confirm(e.t.Context(), e, Confirmation{Before: before, Listener: e.status, Want: &want, Deadline: 10 * time.Second}); err != nil {
		e.t.Fatal(err)
	}
	return applied, time.Since(start)
}
