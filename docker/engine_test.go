package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/image"
)

// What the engine tests make carries this label and a name that begins with testPrefix.
var (
	testLabels = map[string]string{"bluegreen.test": "docker"}
	testPrefix = "bgt-docker-"
)

func engine(t *testing.T) *Client {
	t.Helper()
	if os.Getenv("BLUEGREEN_TEST_ENGINE") != "1" {
		t.Skip("SKIPPED, NOT TESTED: needs a Docker engine; set BLUEGREEN_TEST_ENGINE=1 (make test does)")
	}
	c, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func name(what string) string { return testPrefix + what + "-" + strings.ToLower(rand.Text()[:6]) }

// appProgram is the test program.
var appProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "bgt")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(binary)
})

// app imports an image with the test program; its entry point is /app.
func app(t *testing.T, c *Client, changes ...string) Image {
	t.Helper()
	text, err := appProgram()
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(text))})
	w.Write(text)
	w.Close()
	ref := name("app") + ":latest"
	stream, err := c.api.ImageImport(t.Context(), image.ImportSource{Source: &archive, SourceName: "-"}, ref,
		image.ImportOptions{Changes: append([]string{`ENTRYPOINT ["/app"]`, `CMD ["wait"]`}, changes...)})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if err := readProgress(stream, nil); err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.api.ImageRemove(context.Background(), ref, image.RemoveOptions{Force: true}) })
	return found
}

func testNetwork(t *testing.T, c *Client, what string) Network {
	t.Helper()
	n, err := c.CreateNetwork(t.Context(), name(what), "", testLabels)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeNetwork(t, c, n.Name) })
	return n
}

// removeNetwork goes by name: a test may have made it anew.
func removeNetwork(t *testing.T, c *Client, name string) {
	t.Helper()
	n, err := c.Network(context.Background(), name)
	if errors.Is(err, ErrNotFound) {
		return
	}
	if err == nil {
		err = c.RemoveNetwork(context.Background(), n.ID)
	}
	if err != nil {
		t.Errorf("clean up network %s: %v", name, err)
	}
}

// remove takes a container away at the end of the test, by name: also when it was made anew.
func remove(t *testing.T, c *Client, name string) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Remove(context.Background(), name); err != nil {
			t.Errorf("clean up container %s: %v", name, err)
		}
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// profile is a spec of a waiting app on a network of its own.
func profile(t *testing.T, c *Client, service types.ServiceConfig) ProfileSpec {
	t.Helper()
	n := testNetwork(t, c, "net")
	port := freePort(t)
	address, err := n.Address(port)
	if err != nil {
		t.Fatal(err)
	}
	s := ProfileSpec{
		Name: name("profile"), Image: app(t, c), Service: service, Labels: testLabels,
		NetworkID: n.ID, NetworkName: n.Name, Address: address, HostPort: port, ContainerPort: port,
	}
	remove(t, c, s.Name)
	return s
}

func create(t *testing.T, c *Client, s ProfileSpec) string {
	t.Helper()
	id, err := c.CreateProfile(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func start(t *testing.T, c *Client, id string) Container {
	t.Helper()
	if err := c.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return inspect(t, c, id)
}

func inspect(t *testing.T, c *Client, id string) Container {
	t.Helper()
	found, err := c.Container(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func waitForLog(t *testing.T, c *Client, id, text string) {
	t.Helper()
	var out bytes.Buffer
	for range 1500 {
		out.Reset()
		if err := c.Logs(t.Context(), id, LogOptions{}, &out, &out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("log %q lacks %q", out.String(), text)
}
