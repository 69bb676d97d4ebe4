package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

const socket = "/var/run/docker.sock"

// The image needs the engine's socket, the host's network (for the profiles' loopback ports) and the compose file.
func TestTheImageDeploysAndRollsBack(t *testing.T) {
	if engine.DaemonHost() != "unix://"+socket {
		t.Skipf("SKIPPED: the engine is at %s, not at %s of this machine", engine.DaemonHost(), socket)
	}
	h := newHost(t)
	ref := bluegreenImage(t)
	for i, version := range []string{"v1", "v2"} {
		out := h.runImage(t, ref, map[string]string{"VERSION": version}, "deploy")
		if want := []string{"is live in real1", "is live in real2"}[i]; out.code != 0 || !strings.Contains(out.stdout, want) {
			t.Fatalf("want exit 0 and %q: %v", want, out)
		}
		h.wantAnswer(t, version, []string{"real1", "real2"}[i])
	}
	out := h.runImage(t, ref, nil, "status", "-o", "json")
	var inside status
	if err := json.Unmarshal([]byte(out.stdout), &inside); err != nil || out.code != 0 {
		t.Fatalf("%v: %v", err, out)
	}
	if outside := h.status(); inside.Live != "real2" || inside.profile("real2").Health != "ok" || outside.Live != inside.Live || outside.Release != inside.Release {
		t.Errorf("status from the image %+v, from the binary %+v", inside, outside)
	}
	if out := h.runImage(t, ref, nil, "rollback"); out.code != 0 || !strings.Contains(out.stdout, "is live in real1") {
		t.Errorf("want exit 0, real1 live: %v", out)
	}
	h.wantAnswer(t, "v1", "real1")
	if out := h.runImage(t, ref, nil, "deploy", "nosuch"); out.code != 2 || !strings.Contains(out.stderr, `no service "nosuch"`) {
		t.Errorf("want exit 2: %v", out)
	}
}

// bluegreenImage builds the repository's Dockerfile under a name of this test's own.
func bluegreenImage(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	version, err := engine.ServerVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	static := filepath.Join(t.TempDir(), "bluegreen")
	if err := build(ctx, static, "../cmd/bluegreen", "GOOS=linux", "GOARCH="+version.Arch); err != nil {
		t.Fatal(err)
	}
	ref := "bluegreen-e2e/bluegreen:" + runID
	t.Cleanup(func() {
		if _, err := engine.ImageRemove(context.Background(), ref, image.RemoveOptions{Force: true}); err != nil {
			t.Errorf("remove image: %v", err)
		}
	})
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	_, err = provider.BuildImage(ctx, &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: archiveOf(t, map[string]string{"Dockerfile": "../Dockerfile", "bin/image/bluegreen": static}),
		Repo:           "bluegreen-e2e/bluegreen", Tag: runID, KeepImage: true,
	}})
	if err != nil {
		t.Fatalf("build the image: %v", err)
	}
	return ref
}

// archiveOf packs files under other names.
func archiveOf(t *testing.T, files map[string]string) *bytes.Reader {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, file := range files {
		content, err := os.ReadFile(file)
		header := tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}
		if err := errors.Join(err, w.WriteHeader(&header), write(w, content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(archive.Bytes())
}

// runImage runs one command of the image in the host's folder.
func (h *host) runImage(t *testing.T, ref string, env map[string]string, args ...string) output {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	start := time.Now()
	c, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		Started: true,
		ContainerRequest: testcontainers.ContainerRequest{
			Image: ref, Cmd: args, Env: env, WaitingFor: wait.ForExit(),
			ConfigModifier: func(c *container.Config) { c.WorkingDir = "/app" },
			HostConfigModifier: func(c *container.HostConfig) {
				c.NetworkMode, c.Binds = "host", []string{socket + ":" + socket, h.dir + ":/app:ro"}
			},
		},
	})
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatalf("run %s of the image: %v", args, err)
	}
	state, err := c.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := logs(t, c.GetContainerID())
	return output{command: "image: " + strings.Join(args, " "), stdout: stdout, stderr: stderr, code: state.ExitCode, took: time.Since(start)}
}

// logs is what a container has written.
func logs(t *testing.T, id string) (stdout, stderr string) {
	t.Helper()
	stream, err := engine.ContainerLogs(t.Context(), id, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var out, errs bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &errs, stream); err != nil {
		t.Fatal(err)
	}
	return out.String(), errs.String()
}
