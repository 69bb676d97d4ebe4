// Package e2e tests the built binary against real containers, under load. It imports none of the packages it tests; of
// ours it imports rehearse/load, the client that counts what was lost, which has tests of its own.
//
// Its tests are named after the promises of the README. They need a Docker engine, and run with `make test`.
package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// What TestMain prepares for every test.
var (
	engine     *testcontainers.DockerClient
	binary     string // the bluegreen under test
	helloImage string // examples/hello; releases differ by VERSION in the environment
	nginxImage string
)

// runID is part of every name this process gives, so that several can share an engine.
var runID = randomHex(3)

func TestMain(m *testing.M) {
	if os.Getenv("BLUEGREEN_TEST_ENGINE") != "1" {
		fmt.Fprintln(os.Stderr, "SKIPPED: the end-to-end tests need a Docker engine. Run `make test`, which sets BLUEGREEN_TEST_ENGINE=1.")
		return
	}
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	tclog.SetDefault(log.New(io.Discard, "", 0))
	if engine, err = testcontainers.NewDockerClientWithOpts(ctx); err != nil {
		return 1, fmt.Errorf("reach the Docker engine: %w", err)
	}
	defer engine.Close()
	temp, err := os.MkdirTemp("", "bluegreen-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(temp)
	defer func() { err = errors.Join(err, removeHello()) }()
	if err := prepare(ctx, temp); err != nil {
		return 1, err
	}
	return m.Run(), checkNothingLeft()
}

func prepare(ctx context.Context, temp string) error {
	nginxImage = os.Getenv("BLUEGREEN_NGINX_IMAGE")
	if nginxImage == "" {
		return errors.New("BLUEGREEN_NGINX_IMAGE names no image: run `make test`")
	}
	if binary = os.Getenv("BLUEGREEN_BIN"); binary == "" {
		binary = filepath.Join(temp, "bluegreen")
		if err := build(ctx, binary, "../cmd/bluegreen"); err != nil {
			return err
		}
	}
	hello := filepath.Join(temp, "hello")
	version, err := engine.ServerVersion(ctx)
	if err != nil {
		return fmt.Errorf("ask for the engine's version: %w", err)
	}
	if err := build(ctx, hello, "../examples/hello", "GOOS=linux", "GOARCH="+version.Arch); err != nil {
		return err
	}
	return importHello(ctx, hello)
}

func build(ctx context.Context, out, folder string, env ...string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, folder)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", folder, err, text)
	}
	return nil
}

// importHello makes an image of one file, without a builder.
func importHello(ctx context.Context, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	header := tar.Header{Name: "hello", Mode: 0o755, Size: int64(len(content))}
	if err := errors.Join(w.WriteHeader(&header), write(w, content), w.Close()); err != nil {
		return fmt.Errorf("pack image: %w", err)
	}
	helloImage = "bluegreen-e2e/hello:" + runID
	answer, err := engine.ImageImport(ctx, image.ImportSource{Source: &archive, SourceName: "-"}, helloImage,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/hello"]`, "LABEL bluegreen.e2e=1"}})
	if err != nil {
		return fmt.Errorf("import image %s: %w", helloImage, err)
	}
	defer answer.Close()
	_, err = io.Copy(io.Discard, answer)
	return err
}

func write(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

func removeHello() error {
	if helloImage == "" {
		return nil
	}
	_, err := engine.ImageRemove(context.Background(), helloImage, image.RemoveOptions{Force: true})
	return err
}

// checkNothingLeft is the last test: whatever the others did, the engine is as it was before them.
func checkNothingLeft() error {
	left, err := findAll(context.Background(), runID)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("left behind on the engine: %s", strings.Join(left.names(), ", "))
	}
	return nil
}
