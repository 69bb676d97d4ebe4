package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
)

// fake is an engine that answers from a table of "METHOD /path" and notes what it was asked.
type fake struct {
	t       *testing.T
	answers map[string]http.HandlerFunc

	mu    sync.Mutex
	asked []string
}

func fakeEngine(t *testing.T, version string, answers map[string]http.HandlerFunc) (*fake, string) {
	t.Helper()
	f := &fake{t: t, answers: answers}
	server := httptest.NewUnstartedServer(f)
	server.Config.Handler = f
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server.Listener.Close()
	server.Listener = listener
	f.answers["GET /_ping"] = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", version) }
	f.answers["HEAD /_ping"] = f.answers["GET /_ping"]
	server.Start()
	t.Cleanup(server.Close)
	return f, "unix://" + socket
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/v1.") {
		path = path[strings.Index(path[1:], "/")+1:]
	}
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+path)
	f.mu.Unlock()
	answer, ok := f.answers[r.Method+" "+path]
	if !ok {
		answer = fails(http.StatusNotFound, "No such thing: "+path)
	}
	answer(w, r)
}

func (f *fake) wasAsked(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if a == what {
			return true
		}
	}
	return false
}

func says(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
}

func fails(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"message": message})
	}
}

// dies ends the connection in the middle of an answer.
func dies(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, _ := w.(http.Hijacker).Hijack()
	io.WriteString(buffered, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{")
	buffered.Flush()
	conn.Close()
}

func dial(t *testing.T, host string) *Client {
	t.Helper()
	c, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestNoEngine(t *testing.T) {
	host := "unix://" + filepath.Join(t.TempDir(), "absent.sock")
	_, err := New(t.Context(), Options{Host: host})
	var gone *UnreachableError
	if !errors.As(err, &gone) || gone.Host != host || !strings.Contains(err.Error(), host) || !strings.Contains(err.Error(), "DOCKER_HOST") {
		t.Errorf("got %v", err)
	}
	if _, err := New(t.Context(), Options{Host: "nonsense"}); !errors.As(err, &gone) {
		t.Errorf("an address that is none: %v", err)
	}
	t.Setenv("DOCKER_HOST", host)
	if _, err := New(t.Context(), Options{}); !errors.As(err, &gone) || gone.Host != host {
		t.Errorf("from the environment: %v", err)
	}
}

func TestEngineTooOld(t *testing.T) {
	_, host := fakeEngine(t, "1.40", map[string]http.HandlerFunc{})
	_, err := New(t.Context(), Options{Host: host})
	var gone *UnreachableError
	if !errors.As(err, &gone) || !strings.Contains(err.Error(), "API 1.40") || !strings.Contains(err.Error(), "20.10") {
		t.Errorf("got %v", err)
	}
}

func TestNoPermissionNamesTheGroup(t *testing.T) {
	err := &UnreachableError{Host: "unix:///var/run/docker.sock", Err: fmt.Errorf("dial: %w", os.ErrPermission)}
	if !strings.Contains(err.Error(), "docker group") {
		t.Errorf("got %v", err)
	}
}

func TestEngineThatDiesIsUnreachable(t *testing.T) {
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"GET /containers/json": dies, "GET /networks": dies, "GET /containers/a/json": dies, "GET /containers/a/top": dies,
		"POST /containers/a/wait": dies, "POST /containers/a/start": dies, "POST /images/create": dies, "POST /containers/a/exec": dies,
		"GET /containers/a/archive": dies,
	})
	c := dial(t, host)
	ctx := t.Context()
	for what, call := range map[string]func() error{
		"list":    func() error { _, err := c.Containers(ctx, nil); return err },
		"network": func() error { _, err := c.Network(ctx, "bluegreen"); return err },
		"inspect": func() error { _, err := c.Container(ctx, "a"); return err },
		"top":     func() error { _, err := c.Top(ctx, "a"); return err },
		"wait":    func() error { return (<-c.Wait(ctx, "a")).Err },
		"pull":    func() error { _, err := c.Pull(ctx, "127.0.0.1:1/a", "", nil); return err },
		"exec":    func() error { _, err := c.Exec(ctx, "a", []string{"x"}); return err },
	} {
		var gone *UnreachableError
		if err := call(); !errors.As(err, &gone) || gone.Host != host {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAbsentThingsAreNotFound(t *testing.T) {
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{"GET /networks": says([]any{map[string]string{"Name": "bluegreen-other"}})})
	c := dial(t, host)
	ctx := t.Context()
	for what, call := range map[string]func() error{
		"container": func() error { _, err := c.Container(ctx, "a"); return err },
		"image":     func() error { _, err := c.Image(ctx, "a"); return err },
		"network":   func() error { _, err := c.Network(ctx, "bluegreen"); return err },
		"start":     func() error { return c.Start(ctx, "a") },
		"rename":    func() error { return c.Rename(ctx, "a", "b") },
		"wait":      func() error { return (<-c.Wait(ctx, "a")).Err },
		"tree":      func() error { _, err := c.ReadTree(ctx, "a", "/x"); return err },
	} {
		if err := call(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, call := range map[string]func() error{
		"remove":         func() error { return c.Remove(ctx, "a") },
		"remove network": func() error { return c.RemoveNetwork(ctx, "a") },
		"remove volume":  func() error { return c.RemoveVolume(ctx, "a") },
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if exists, err := c.VolumeExists(ctx, "a"); exists || err != nil {
		t.Errorf("volume: %t, %v", exists, err)
	}
}

func TestTwoNetworksOfOneName(t *testing.T) {
	two := []any{map[string]string{"Name": "bluegreen", "Id": "one"}, map[string]string{"Name": "bluegreen", "Id": "two"}, map[string]string{"Name": "bluegreen2", "Id": "three"}}
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{"GET /networks": says(two)})
	var duplicate *DuplicateNetworkError
	_, err := dial(t, host).Network(t.Context(), "bluegreen")
	if !errors.As(err, &duplicate) || len(duplicate.IDs) != 2 || !strings.Contains(err.Error(), "docker network rm") {
		t.Errorf("got %v", err)
	}
}

func TestFailedConnectLeavesNoContainer(t *testing.T) {
	var body container.CreateRequest
	f, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"GET /networks": says([]any{map[string]string{"Name": "shop_back", "Id": "back"}}),
		"POST /containers/create": func(w http.ResponseWriter, r *http.Request) {
			json.NewDecoder(r.Body).Decode(&body)
			says(map[string]string{"Id": "made"})(w, r)
		},
		"POST /networks/back/connect": fails(http.StatusInternalServerError, "no more addresses"),
		"DELETE /containers/made":     says(nil),
	})
	_, err := dial(t, host).CreateProfile(t.Context(), ProfileSpec{
		Name: "shop-real1", NetworkID: "bg", NetworkName: "bluegreen", Address: "10.0.0.200", HostPort: 8081, ContainerPort: 8081,
		Service: types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{Networks: map[string]*types.ServiceNetworkConfig{"back": nil}}},
		Project: &types.Project{Networks: types.Networks{"back": {Name: "shop_back"}}},
	})
	if err == nil || !strings.Contains(err.Error(), "no more addresses") || !f.wasAsked("DELETE /containers/made") {
		t.Errorf("got %v after %q", err, f.asked)
	}
	if n := body.NetworkingConfig.EndpointsConfig; len(n) != 1 || n["bluegreen"].IPAMConfig.IPv4Address != "10.0.0.200" {
		t.Errorf("networks at create: %+v", n)
	}
}

func TestNewerKeysNeedANewerEngine(t *testing.T) {
	f, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{})
	start := types.Duration(1)
	_, err := dial(t, host).CreateProfile(t.Context(), ProfileSpec{Service: types.ServiceConfig{
		Name: "web", WorkloadSpec: types.WorkloadSpec{HealthCheck: &types.HealthCheckConfig{StartInterval: &start}}}})
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) || unsupported.Path != "services.web.healthcheck.start_interval" || f.wasAsked("POST /containers/create") {
		t.Errorf("got %v", err)
	}
}

func TestOverlappingPoolIsTriedAgain(t *testing.T) {
	var subnets []string
	tries := 0
	f, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"GET /networks/probe":    says(map[string]any{"Name": "p", "Id": "probe", "IPAM": map[string]any{"Config": []any{map[string]string{"Subnet": "172.30.0.0/16"}}}}),
		"DELETE /networks/probe": says(nil),
	})
	var probe string
	f.answers["GET /networks"] = func(w http.ResponseWriter, r *http.Request) {
		says([]any{map[string]string{"Name": probe, "Id": "probe"}})(w, r)
	}
	f.answers["POST /networks/create"] = func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Name string
			IPAM struct {
				Config []struct{ Subnet, IPRange string }
			}
		}
		json.NewDecoder(r.Body).Decode(&asked)
		if len(asked.IPAM.Config) == 0 {
			probe = asked.Name
			says(map[string]string{"Id": "probe"})(w, r)
			return
		}
		subnets = append(subnets, asked.IPAM.Config[0].Subnet+" "+asked.IPAM.Config[0].IPRange)
		if tries++; tries < 3 {
			fails(http.StatusForbidden, "Pool overlaps with other one on this address space")(w, r)
			return
		}
		says(map[string]string{"Id": "bg"})(w, r)
	}
	c := dial(t, host)
	n, err := c.CreateNetwork(t.Context(), "bluegreen", "", nil)
	if err != nil || n.ID != "bg" || len(subnets) != 3 || subnets[0] != "172.30.0.0/16 172.30.0.0/17" {
		t.Errorf("got %+v, %v, %q", n, err, subnets)
	}
	tries = 0
	if _, err := c.CreateNetwork(t.Context(), "bluegreen", "10.0.0.0/24", nil); err == nil || tries != 1 {
		t.Errorf("a subnet that was given: %d tries, %v", tries, err)
	}
}

func TestPullReportsProgressAndFailure(t *testing.T) {
	stream := `{"status":"Pulling","id":"a"}
{"status":"Downloading","id":"a","progressDetail":{"current":5,"total":10}}
{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}
`
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"POST /images/create": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("platform") != "linux/arm64" || r.URL.Query().Get("tag") != "1" || r.Header.Get("X-Registry-Auth") == "" {
				t.Errorf("asked %s with %s", r.URL, r.Header)
			}
			io.WriteString(w, stream)
		},
	})
	login := `{"auths":{"registry.example":{"auth":"dTpw"}}}`
	t.Setenv("DOCKER_AUTH_CONFIG", login)
	var seen []PullProgress
	_, err := dial(t, host).Pull(t.Context(), "registry.example/shop:1", "linux/arm64", func(p PullProgress) { seen = append(seen, p) })
	if err == nil || !strings.Contains(err.Error(), "manifest unknown") {
		t.Errorf("got %v", err)
	}
	if want := (PullProgress{Layer: "a", Status: "Downloading", Current: 5, Total: 10}); len(seen) != 2 || seen[1] != want {
		t.Errorf("progress %+v", seen)
	}
}
