package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"bluegreen/rehearse/load"
)

// host is one bluegreen installation of its own on the shared engine: its own network, and with it its own nginx,
// volume and locks, its own ports and its own service. Tests with a host each may run in parallel.
type host struct {
	t                    testing.TB
	id                   string // in every name
	network, service     string
	serverName           string // "": any
	httpPort, statusPort int
	httpsPort            int        // 0: without TLS
	ca                   *authority // whom clients of its TLS trust
	real1Port, real2Port int
	dir, file            string         // working directory of every command, and the compose file in it
	env                  []string       // K=V added to the environment of every command
	dial                 dialer         // how the load reaches nginx; nil: by this machine's network
	project, app, own    map[string]any // the compose file, its one service, and that one's x-bluegreen
}

// shortWatch is how long a deploy is watched where no test is about that: for an answer or two.
const shortWatch = "100ms"

// dialer makes a connection to an address, HOST:PORT.
type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// option changes a host before its compose file is written.
type option func(h *host)

// topKey sets a key of the compose file, such as "x-bluegreen.nginx.shutdown_timeout".
func topKey(path string, value any) option {
	return func(h *host) { put(h.project, path, value) }
}

// serviceKey sets a key of the compose service, such as "stop_grace_period".
func serviceKey(path string, value any) option {
	return func(h *host) { put(h.app, path, value) }
}

// ownKey sets a key in the service's x-bluegreen, such as "health.deadline".
func ownKey(path string, value any) option {
	return func(h *host) { put(h.own, path, value) }
}

var hosts atomic.Int64

// newHost writes a compose file for a host of its own, and deploys nothing. Whatever the test makes there is removed
// when it ends.
func newHost(t testing.TB, options ...option) *host {
	t.Helper()
	id := fmt.Sprintf("%s-%03d", runID, hosts.Add(1))
	h := &host{
		t: t, dir: t.TempDir(), id: id, network: "bge2e-" + id, service: "app-" + id,
		httpPort: freePort(t), statusPort: freePort(t), real1Port: freePort(t), real2Port: freePort(t),
	}
	h.file = filepath.Join(h.dir, "compose.yaml")
	h.own = map[string]any{"watch": shortWatch, "profiles": map[string]any{"real1": h.real1Port, "real2": h.real2Port}}
	h.app = map[string]any{
		"image": helloImage, "stop_grace_period": "35s", "x-bluegreen": h.own,
		"environment": map[string]any{"VERSION": "${VERSION:-v1}", "FAULT": "${FAULT:-}"},
	}
	h.project = map[string]any{
		"name":     h.service,
		"services": map[string]any{h.service: h.app},
		"x-bluegreen": map[string]any{
			"network": map[string]any{"name": h.network},
			"nginx":   map[string]any{"http": h.httpPort, "status": h.statusPort, "image": nginxImage},
		},
	}
	for _, o := range options {
		o(h)
	}
	t.Cleanup(h.remove)
	h.writeFile()
	return h
}

// change applies options to a host that may be in use already, for its next command.
func (h *host) change(options ...option) {
	h.t.Helper()
	for _, o := range options {
		o(h)
	}
	h.writeFile()
}

func (h *host) writeFile() {
	h.t.Helper()
	text, err := yaml.Marshal(h.project)
	if err != nil {
		h.t.Fatalf("write compose file: %v", err)
	}
	if err := os.WriteFile(h.file, text, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// addr is where nginx serves the service.
func (h *host) addr() string { return fmt.Sprintf("127.0.0.1:%d", h.httpPort) }

// target is a page of the service for load: over TLS where it has that.
func (h *host) target(path string) load.Target {
	to := load.Target{Addr: h.addr(), Host: h.serverName, Path: path, Dial: h.dial}
	if h.httpsPort != 0 {
		to.Addr, to.TLS = h.httpsAddr(), h.ca.trusted()
	}
	return to
}

// nginx and container are names of containers.
func (h *host) nginx() string                   { return h.network + "-nginx" }
func (h *host) container(profile string) string { return h.service + "-" + profile }

// put sets a dotted path in nested maps.
func put(into map[string]any, path string, value any) {
	first, rest, more := strings.Cut(path, ".")
	if !more {
		into[first] = value
		return
	}
	inner, ok := into[first].(map[string]any)
	if !ok {
		inner = map[string]any{}
		into[first] = inner
	}
	put(inner, rest, value)
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

var taken sync.Map // ports given out by this process

// freePort is a port nobody else of this process gets. It lies below the range that the kernel takes the ports of
// outgoing connections from: the load of other tests could meet it there.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20_000 + mathrand.IntN(12_000)
		if _, dup := taken.LoadOrStore(port, true); dup {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal("found no free port")
	return 0
}

// status is what `status -o json` prints.
type status struct {
	Service  string
	Live     string
	Serving  bool
	Release  int
	Profiles []profileStatus
	Nginx    *struct {
		Container, Image, Version, State string
		Workers                          int
		DrainingWorkers                  int  `json:"draining_workers"`
		KeepaliveMinTimeout              bool `json:"keepalive_min_timeout"`
	}
	Certificate *struct {
		Names    []string
		NotAfter time.Time `json:"not_after"`
	}
	Maintenance *struct{ Since time.Time }
	Paused      *struct {
		Release int
		Profile string
	}
	Preview []string
	Lock    *struct {
		Owner, Host, PID, Command, Since, Renewed string
		Gone                                      bool
	}
	Notes []string
}

type profileStatus struct {
	Name      string
	Port      int
	Address   string
	Container string
	Image     string
	ImageID   string `json:"image_id"`
	Release   int
	State     string
	Health    string
	Live      bool
}

// profile is one profile of a status.
func (s status) profile(name string) profileStatus {
	for _, p := range s.Profiles {
		if p.Name == name {
			return p
		}
	}
	return profileStatus{}
}

// status asks the binary.
func (h *host) status() status {
	h.t.Helper()
	var s status
	out := h.must("status", "-o", "json")
	if err := json.Unmarshal([]byte(out.stdout), &s); err != nil {
		h.t.Fatalf("read status: %v\n%s", err, out.stdout)
	}
	return s
}
