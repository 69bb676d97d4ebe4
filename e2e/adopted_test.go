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
    %[3]s
    %[4]s
    server {
        listen %[1]d;
        %[5]s
        location / {
            %[6]s
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }
    }
}
`
	ownFolder = "/etc/nginx/conf.d/bluegreen"
)

func (o *ownNginx) write(t *testing.T, service string, adopted bool) {
	t.Helper()
	keepalive, site, include, pass := "keepalive_min_timeout 13s;", "", "", "return 200 own;"
	if adopted {
		site, pass = "include "+ownFolder+"/sites/*.conf;", "proxy_pass $service_url;"
		include = "include " + ownFolder + "/sites/" + service + "/service-url.inc;"
	}
	text := fmt.Sprintf(ownConf, o.listen, "", keepalive, site, include, pass)
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
		Image: nginxImage, Labels: map[string]string{"bluegreen.e2e": runID}, StopSignal: "SIGQUIT",
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
			out := h.run("deploy")
			if out.code != 2 || !strings.Contains(out.stderr, "include "+ownFolder+"/sites/*.conf;") {
				t.Fatalf("without the two lines want exit 2 that names them: %v", out)
			}
			h.wantAnswers(t, http.StatusOK)
			o.write(t, h.service, true)
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
			if out := h.must("down"); !strings.Contains(out.stderr, "answers 503") {
				t.Errorf("want it said that the lines are still there: %v", out)
			}
			h.wantAnswers(t, http.StatusServiceUnavailable)
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
