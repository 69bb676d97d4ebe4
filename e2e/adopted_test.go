package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"
)

// ownNginx is an nginx that a person runs, with a configuration of their own.
type ownNginx struct {
	name, conf string // the container, and the file on this machine
	listen     int
}

// The configuration of an nginx of one's own, without and with what adopts it: two lines, and where requests go.
const (
	ownConf = `worker_processes 2;
worker_shutdown_timeout 60s;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000;
    keepalive_min_timeout 13s;
    %[2]s
    server {
        listen %[1]d;
        %[3]s
        location / {
            %[4]s
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }
    }
}
`
	ownFolder = "/etc/nginx/conf.d/bluegreen"
)

// write gives it its own configuration, with the two lines or without.
func (o *ownNginx) write(t *testing.T, service string, adopted bool) {
	t.Helper()
	if adopted {
		o.writeWith(t, sitesLine, includeLine(service), "proxy_pass $service_url;")
		return
	}
	o.writeWith(t, "", "", "return 200 own;")
}

// The lines that adopt it.
const sitesLine = "include " + ownFolder + "/sites/*.conf;"

func includeLine(service string) string {
	return "include " + ownFolder + "/sites/" + service + "/service-url.inc;"
}

func (o *ownNginx) writeWith(t *testing.T, sites, include, pass string) {
	t.Helper()
	text := fmt.Sprintf(ownConf, o.listen, sites, include, pass)
	if err := os.WriteFile(o.conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// adopting is a host whose nginx is there already, in the host's network or published from one of its own.
func adopting(t *testing.T, hostNetwork bool, edit func(*container.Config, *container.HostConfig)) (*host, *ownNginx) {
	t.Helper()
	o := &ownNginx{listen: 80}
	h := newHost(t, func(h *host) {
		o.name = h.network + "-own"
		h.project["x-bluegreen"].(map[string]any)["nginx"] = map[string]any{"container": o.name, "folder": ownFolder, "status": h.statusPort}
	})
	folder := t.TempDir() // its own configuration, and ours in a folder below it
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	o.conf = filepath.Join(folder, "own.conf")
	config := &container.Config{
		Image: nginxImage, Labels: map[string]string{"bluegreen.e2e": runID, "service": h.service}, StopSignal: "SIGQUIT",
		Entrypoint: []string{"nginx"}, Cmd: []string{"-c", "/etc/nginx/conf.d/own.conf", "-g", "daemon off;"},
	}
	hostConfig := &container.HostConfig{
		RestartPolicy: container.RestartPolicy{Name: "unless-stopped"},
		Mounts:        []mount.Mount{{Type: mount.TypeBind, Source: folder, Target: "/etc/nginx/conf.d"}},
	}
	if hostNetwork {
		hostConfig.NetworkMode, o.listen = "host", h.httpPort
	} else {
		config.ExposedPorts = nat.PortSet{"80/tcp": {}}
		hostConfig.PortBindings = nat.PortMap{"80/tcp": {{HostIP: "127.0.0.1", HostPort: fmt.Sprint(h.httpPort)}}}
	}
	if edit != nil {
		edit(config, hostConfig)
	}
	o.write(t, h.service, false)
	made, err := engine.ContainerCreate(t.Context(), config, hostConfig, nil, nil, o.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before the host's own, which finds nothing left then
		h.run("down", "--volumes")
		_ = engine.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true})
	})
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	return h, o
}

// wantAnswers is what the adopted nginx says itself.
func (h *host) wantAnswers(t *testing.T, status int) {
	t.Helper()
	resp, err := http.Get("http://" + h.addr() + "/")
	for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		resp, err = http.Get("http://" + h.addr() + "/") // it may just be starting
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		t.Errorf("answers %s, want %d", resp.Status, status)
	}
}

// TestYourOwnNginxIsAdoptedSwapsWithoutLossAndIsGivenBack: in a network of its own, and in the host's.
func TestYourOwnNginxIsAdoptedSwapsWithoutLossAndIsGivenBack(t *testing.T) {
	for name, hostNetwork := range map[string]bool{"in its own network": false, "in the host's network": true} {
		t.Run(name, func(t *testing.T) {
			h, o := adopting(t, hostNetwork, nil)
			if out := h.run("doctor"); out.code != 0 {
				t.Errorf("want nothing found before the first deploy: %v", out)
			}
			for _, lines := range [][2]string{{"", ""}, {sitesLine, ""}, {"", includeLine(h.service)}} { // one alone does not do
				o.writeWith(t, lines[0], lines[1], "return 200 own;")
				if out := h.run("deploy"); out.code != 2 || !strings.Contains(out.stderr, sitesLine) || !strings.Contains(out.stderr, includeLine(h.service)) {
					t.Fatalf("with the lines %q want exit 2 that names both: %v", lines, out)
				}
				h.wantAnswers(t, http.StatusOK)
			}
			o.write(t, h.service, true)
			if out := h.run("doctor"); out.code != 0 || !strings.Contains(out.stdout, "which the first deploy writes") {
				t.Errorf("want it said that the include is yet to come: %v", out)
			}
			l := newTraffic(h)
			l.deployed("v1", h.deploy("v1"))
			l.beginSlow(50)
			l.begin(busyConnections, steadyPeriod)
			l.deploy("v2", "switch")
			l.under("", nil, "rollback")
			l.deploy("v3", "retire")
			l.wantNoLoss()
			if found := h.doctor(t); len(found) > 0 {
				t.Errorf("doctor finds %v", found)
			}
			// Its lines are still there: it goes on with an answer of its own, and starts again.
			for _, command := range [][]string{{"down", "--volumes"}, {"down"}} {
				if out := h.must(command...); command[len(command)-1] != "down" && !strings.Contains(out.stderr, "answers 503") {
					t.Errorf("want it said that the lines are still there: %v", out)
				}
				h.wantAnswers(t, http.StatusServiceUnavailable)
				if text := h.exec(o.name, "sh", "-c", "nginx -t -q -c /etc/nginx/conf.d/own.conf"); strings.TrimSpace(text) != "" {
					t.Errorf("it would not start again: %s", text)
				}
			}
			o.write(t, h.service, false)
			h.must("down", "--volumes")
			h.wantAnswers(t, http.StatusOK)
			if text := h.exec(o.name, "sh", "-c", "ls "+ownFolder+"/sites; nginx -t -q -c /etc/nginx/conf.d/own.conf"); strings.TrimSpace(text) != "" {
				t.Errorf("left in its folder, or refused by it: %s", text)
			}
		})
	}
}

// TestAContainerThatCannotBeAdoptedIsRefusedBeforeAnythingIsTouched: exit code and words for each.
func TestAContainerThatCannotBeAdoptedIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	h, o := adopting(t, false, nil)
	refuse := func(name string, code int, says string) {
		t.Helper()
		h.change(topKey("x-bluegreen.nginx.container", name))
		out := h.run("deploy")
		if out.code != code || !strings.Contains(out.stderr, says) {
			t.Errorf("want exit %d that says %q: %v", code, says, out)
		}
		if left := h.run("status").stdout; left != "" && !strings.Contains(left, "not live") {
			t.Errorf("something is there: %s", left)
		}
	}
	refuse(h.id+"-nowhere", 2, "there is no container")
	h.change(topKey("x-bluegreen.nginx.folder", "/srv/elsewhere"))
	refuse(o.name, 2, "lies on no volume")
	h.change(topKey("x-bluegreen.nginx.folder", ownFolder))
	if _, err := engine.ContainerCreate(t.Context(), &container.Config{Image: helloImage, Labels: map[string]string{"bluegreen.e2e": runID}, Env: []string{"PORT=8080"}},
		&container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeBind, Source: filepath.Dir(o.conf), Target: "/etc/nginx/conf.d"}}}, nil, nil, h.network+"-app"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = engine.ContainerRemove(context.Background(), h.network+"-app", container.RemoveOptions{Force: true})
	})
	if err := engine.ContainerStart(t.Context(), h.network+"-app", container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	refuse(h.network+"-app", 2, "runs no nginx")
	if err := engine.ContainerStop(t.Context(), o.name, container.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	refuse(o.name, 5, "docker start "+o.name)
	if err := engine.ContainerStart(t.Context(), o.name, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	h.wantAnswers(t, http.StatusOK)
}

// second adds another service to a host's compose file, and to its owner's nginx a server for it.
func (o *ownNginx) second(t *testing.T, h *host) (service string) {
	t.Helper()
	service = h.service + "-two"
	ports := freePorts(t, 2)
	h.project["services"].(map[string]any)[service] = map[string]any{
		"image": helloImage, "x-bluegreen": map[string]any{"watch": "0s", "profiles": map[string]any{"real1": ports[0], "real2": ports[1]}},
	}
	h.writeFile()
	text, err := os.ReadFile(o.conf)
	if err != nil {
		t.Fatal(err)
	}
	server := fmt.Sprintf("server { listen %d; server_name two.example.com; include %s/sites/%s/service-url.inc; location / { proxy_pass $service_url; } }\n}\n", o.listen, ownFolder, service)
	if err := os.WriteFile(o.conf, []byte(strings.TrimSuffix(string(text), "}\n")+server), 0o644); err != nil {
		t.Fatal(err)
	}
	return service
}

// TestYourOwnNginxMayHaveSeveralServicesAndGoAway: two services without server names are two servers of its owner's; when
// it is stopped, status and down say what is, and when it is gone, down takes the rest away.
func TestYourOwnNginxMayHaveSeveralServicesAndGoAway(t *testing.T) {
	h, o := adopting(t, false, nil)
	h.wantAnswers(t, http.StatusOK) // it has read its own configuration
	o.write(t, h.service, true)
	h.must("deploy")
	two := o.second(t, h)
	h.must("deploy", two)
	for _, service := range []string{h.service, two} {
		if out := h.must("status", service); !strings.Contains(out.stdout, "release 1 is live in real1") {
			t.Errorf("%v", out)
		}
	}
	h.must("down", two)
	if err := engine.ContainerStop(t.Context(), o.name, container.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if out := h.must("status", h.service); !strings.Contains(out.stdout, "DOWN") || !strings.Contains(out.stdout, "docker start "+o.name) {
		t.Errorf("want its state, and what to do: %v", out)
	}
	if out := h.run("rollback", h.service); out.code != 5 || !strings.Contains(out.stderr, "docker start "+o.name) {
		t.Errorf("want exit 5, and what to do: %v", out)
	}
	if err := engine.ContainerRemove(t.Context(), o.name, container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	h.must("down", h.service)
	if left, err := findAll(t.Context(), h.id); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left.names(), err)
	}
}

// TestAnIncludeThatIsMountedByItselfIsRefused: it would keep its old content.
func TestAnIncludeThatIsMountedByItselfIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "service-url.inc")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h, _ := adopting(t, false, func(c *container.Config, host *container.HostConfig) {
		service := c.Labels["service"]
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: file, Target: ownFolder + "/sites/" + service + "/service-url.inc"})
	})
	out := h.run("deploy")
	if out.code != 2 || !strings.Contains(out.stderr, "is mounted by itself") {
		t.Errorf("want exit 2: %v", out)
	}
	h.wantAnswers(t, http.StatusOK)
}

// TestANetworkThatHasAManagedNginxAdoptsNone: its services would be served by neither.
func TestANetworkThatHasAManagedNginxAdoptsNone(t *testing.T) {
	h := newHost(t)
	h.must("deploy")
	made := h.project["x-bluegreen"].(map[string]any)["nginx"]
	for name, says := range map[string]string{h.nginx(): "is an nginx that bluegreen made", h.nginx() + "-other": "has an nginx that bluegreen made"} {
		h.change(func(h *host) {
			h.project["x-bluegreen"].(map[string]any)["nginx"] = map[string]any{"container": name}
		})
		for _, command := range []string{"deploy", "down"} {
			if out := h.run(command); out.code != 2 || !strings.Contains(out.stderr, says) {
				t.Errorf("want exit 2 that says %q: %v", says, out)
			}
		}
	}
	h.change(topKey("x-bluegreen.nginx", made))
	if s := h.status(); !s.Serving {
		t.Errorf("no longer served: %+v", s)
	}
}
