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

var appImage = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bgt")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
})

// app imports an image with the test program; its entry point is /app.
func app(t *testing.T, c *Client, changes ...string) Image {
	t.Helper()
	binary, err := appImage()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(binary)
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

func TestProfileKeepsItsFixedAddress(t *testing.T) {
	c := engine(t)
	compose := testNetwork(t, c, "compose")
	s := profile(t, c, types.ServiceConfig{
		Name:          "web",
		ContainerSpec: types.ContainerSpec{Networks: map[string]*types.ServiceNetworkConfig{"default": nil, "back": nil}},
	})
	s.Project = &types.Project{Networks: types.Networks{"back": {Name: compose.Name}, "default": {Name: name("absent")}}}
	id := create(t, c, s)
	if got := inspect(t, c, id); got.State != "created" || got.RestartPolicy != "no" || got.ImageID != s.Image.ID || got.Image != s.Image.ID {
		t.Errorf("after create: %+v", got)
	}
	for _, when := range []string{"first start", "second start"} {
		got := start(t, c, id)
		if e := got.Networks[s.NetworkName]; e.Address != s.Address || e.Fixed != s.Address || e.NetworkID != s.NetworkID {
			t.Errorf("%s: on the bluegreen network %+v, want address %s", when, e, s.Address)
		}
		e, ok := got.Networks[compose.Name]
		if !ok || e.Fixed != "" {
			t.Errorf("%s: on the compose network %+v, %t", when, e, ok)
		}
		if len(got.Networks) != 2 || !got.Running() {
			t.Errorf("%s: networks %v, state %s", when, got.Networks, got.State)
		}
		if want := (Port{"127.0.0.1", s.HostPort, s.ContainerPort}); len(got.Ports) != 1 || got.Ports[0] != want {
			t.Errorf("%s: ports %v, want %v", when, got.Ports, want)
		}
		if err := c.Stop(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Stop(t.Context(), id); err != nil {
		t.Errorf("stopping a stopped container: %v", err)
	}
}

func TestLostAddressComesBackWithConnect(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	id := create(t, c, s)
	start(t, c, id)
	if err := c.Disconnect(t.Context(), s.NetworkID, id); err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(t.Context(), s.NetworkID, id, s.Address); err != nil {
		t.Fatal(err)
	}
	if e := inspect(t, c, id).Networks[s.NetworkName]; e.Address != s.Address || e.Fixed != s.Address {
		t.Errorf("after connecting again: %+v, want %s", e, s.Address)
	}
}

func TestExplicitNetworkMustExist(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{
		Name: "web", ContainerSpec: types.ContainerSpec{Networks: map[string]*types.ServiceNetworkConfig{"back": nil}},
	})
	_, err := c.CreateProfile(t.Context(), s)
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "docker compose up") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Container(t.Context(), s.Name); !errors.Is(err, ErrNotFound) {
		t.Errorf("a container was left: %v", err)
	}
}

func TestVolumesOfTheProject(t *testing.T) {
	c := engine(t)
	volume := name("volume")
	t.Cleanup(func() { c.RemoveVolume(context.Background(), volume) })
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Volumes: []types.ServiceVolumeConfig{{Type: "volume", Source: "data", Target: "/data"}},
	}})
	s.Project = &types.Project{Name: "shop", Volumes: types.Volumes{"data": {Name: volume, External: true}}}
	if _, err := c.CreateProfile(t.Context(), s); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), volume) {
		t.Errorf("an external volume that is missing: %v", err)
	}
	s.Project.Volumes = types.Volumes{"data": {Name: volume}}
	got := inspect(t, c, create(t, c, s))
	if len(got.Mounts) != 1 || got.Mounts[0].Name != volume || got.Mounts[0].Target != "/data" {
		t.Errorf("mounts %+v", got.Mounts)
	}
	made, err := c.api.VolumeInspect(t.Context(), volume)
	if err != nil || made.Labels["com.docker.compose.project"] != "shop" || made.Labels["com.docker.compose.volume"] != "data" {
		t.Errorf("volume %+v, %v", made, err)
	}
}

func TestRecreateKeepsNameConfigurationAndAddress(t *testing.T) {
	c := engine(t)
	compose := testNetwork(t, c, "compose")
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Networks: map[string]*types.ServiceNetworkConfig{"back": nil},
	}})
	s.Project = &types.Project{Networks: types.Networks{"back": {Name: compose.Name}}}
	s.Env = map[string]string{"PROFILE": "real1"}
	id := create(t, c, s)
	before := start(t, c, id)
	if err := c.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	// The compose project goes down and up again: its network has a new id, and the old container cannot start.
	if err := c.RemoveNetwork(t.Context(), compose.ID); err != nil {
		t.Fatal(err)
	}
	again, err := c.CreateNetwork(t.Context(), compose.Name, "", testLabels)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("start of the old container: %v", c.Start(t.Context(), id))
	c.Stop(t.Context(), id)

	newID, err := c.Recreate(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	after := start(t, c, newID)
	if after.Name != before.Name || after.ImageID != before.ImageID || after.Labels["bluegreen.test"] != "docker" {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if e := after.Networks[s.NetworkName]; e.Address != s.Address {
		t.Errorf("address %+v, want %s", e, s.Address)
	}
	if e := after.Networks[compose.Name]; e.NetworkID != again.ID {
		t.Errorf("compose network %+v, want %s", e, again.ID)
	}
	if _, err := c.Container(t.Context(), id); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old container is still there: %v", err)
	}
}

func TestRenameListAndPolicy(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	run := rand.Text()
	s.Labels = map[string]string{"bluegreen.test": "docker", "bluegreen.run": run}
	id := create(t, c, s)
	renamed := s.Name + "-prev"
	if err := c.Rename(t.Context(), id, renamed); err != nil {
		t.Fatal(err)
	}
	if err := c.SetRestartPolicy(t.Context(), id, "on-failure:3"); err != nil {
		t.Fatal(err)
	}
	for _, labels := range []map[string]string{{"bluegreen.run": run}, {"bluegreen.run": run, "bluegreen.test": ""}} {
		found, err := c.Containers(t.Context(), labels)
		if err != nil || len(found) != 1 || found[0].Name != renamed || found[0].RestartPolicy != "on-failure:3" {
			t.Errorf("%v: %+v, %v", labels, found, err)
		}
	}
	for range 2 {
		if err := c.Remove(t.Context(), id); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
}

func TestWaitReportsTheExit(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Command: []string{"print", "out", "err", "7"},
	}})
	id := create(t, c, s)
	start(t, c, id)
	for range 2 { // the second time it has long ended
		select {
		case exit := <-c.Wait(t.Context(), id):
			if exit.Code != 7 || exit.OOMKilled || exit.Err != nil {
				t.Errorf("exit %+v", exit)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no exit")
		}
	}
	var out, errs bytes.Buffer
	if err := c.Logs(t.Context(), id, LogOptions{Tail: 5}, &out, &errs); err != nil || out.String() != "out\n" || errs.String() != "err\n" {
		t.Errorf("log %q %q %v", out.String(), errs.String(), err)
	}
}

func TestLogOfATerminal(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web",
		ContainerSpec: types.ContainerSpec{Command: []string{"print", "out", "err", "0"}}, WorkloadSpec: types.WorkloadSpec{Tty: true}})
	id := create(t, c, s)
	start(t, c, id)
	<-c.Wait(t.Context(), id)
	var out bytes.Buffer
	if err := c.Logs(t.Context(), id, LogOptions{}, &out, nil); err != nil || out.String() != "out\r\nerr\r\n" {
		t.Errorf("log %q %v", out.String(), err)
	}
}

func TestStopUsesTheContainersOwnSignal(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{StopSignal: "SIGUSR1"}})
	id := create(t, c, s)
	start(t, c, id)
	waitForLog(t, c, id, "waiting")
	if err := c.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	waitForLog(t, c, id, "got user defined signal 1")
}

func waitForLog(t *testing.T, c *Client, id, text string) {
	t.Helper()
	var out bytes.Buffer
	for range 100 {
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
