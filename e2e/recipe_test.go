package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/testcontainers/testcontainers-go"
)

// recipe is nginx as the five scripts that bluegreen grew out of set it up: beside the host's own network, the app's
// port in a variable, and a new connection to it for each request.
type recipe struct{ name, addr string }

const recipeConf = `worker_processes auto;
events { worker_connections 1024; }
http {
	server {
		listen 127.0.0.1:%d;
		include /recipe/service-url.inc;
		location / {
			proxy_pass $service_url;
			proxy_set_header X-Real-IP $remote_addr;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header Host $http_host;
		}
	}
}
`

func startRecipe(b *testing.B, h *host, appPort int) recipe {
	b.Helper()
	port := freePort(b)
	r := recipe{name: h.id + "-recipe", addr: fmt.Sprintf("127.0.0.1:%d", port)}
	c, err := testcontainers.GenericContainer(b.Context(), testcontainers.GenericContainerRequest{
		Started: true,
		ContainerRequest: testcontainers.ContainerRequest{
			Image: nginxImage, Name: r.name,
			Entrypoint: []string{"nginx"}, Cmd: []string{"-c", "/recipe/nginx.conf", "-g", "daemon off;"},
			Files: []testcontainers.ContainerFile{
				{Reader: strings.NewReader(fmt.Sprintf(recipeConf, port)), ContainerFilePath: "/recipe/nginx.conf", FileMode: 0o644},
				{Reader: strings.NewReader(fmt.Sprintf("set $service_url http://127.0.0.1:%d;\n", appPort)), ContainerFilePath: "/recipe/service-url.inc", FileMode: 0o644},
			},
			HostConfigModifier: func(c *container.HostConfig) { c.NetworkMode = "host" },
		},
	})
	testcontainers.CleanupContainer(b, c)
	if err != nil {
		b.Fatalf("start the recipe's nginx: %v", err)
	}
	awaitListener(b, r.addr)
	return r
}

func awaitListener(b *testing.B, addr string) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return
		}
	}
	b.Fatalf("nothing listens on %s", addr)
}

// shell deploys as a person would in a few lines of sh, between two profiles of its own behind the recipe's nginx.
type shell struct {
	b     *testing.B
	h     *host
	nginx recipe
	ports map[string]int
	idle  string
}

// Its only care is the health check. It stops the idle container without a look at who still uses it.
const shellDeploy = `set -eu
docker stop "$NAME" >/dev/null 2>&1 || true
docker rm "$NAME" >/dev/null 2>&1 || true
docker run -d --name "$NAME" --network "$NETWORK" -p "127.0.0.1:$PORT:$PORT" \
	-e "PROFILE=$PROFILE" -e "PORT=$PORT" -e "VERSION=$VERSION" "$IMAGE" >/dev/null
until [ "$(curl -fs "http://127.0.0.1:$PORT/profile")" = "$PROFILE" ]; do sleep 0.05; done
docker exec "$NGINX" sh -c "echo 'set \$service_url http://127.0.0.1:$PORT;' >/recipe/service-url.inc &&
	nginx -q -t -c /recipe/nginx.conf && nginx -c /recipe/nginx.conf -s reload" 2>/dev/null
`

func startShell(b *testing.B, h *host) *shell {
	b.Helper()
	for _, needed := range []string{"docker", "curl"} {
		if _, err := exec.LookPath(needed); err != nil {
			b.Skipf("SKIPPED: nothing to compare with: %v", err)
		}
	}
	s := &shell{b: b, h: h, idle: "real1", ports: map[string]int{"real1": freePort(b), "real2": freePort(b)}}
	s.nginx = startRecipe(b, h, s.ports["real1"])
	b.Cleanup(s.remove)
	s.deploy("v1")
	s.deploy("v2")
	return s
}

func (s *shell) container(profile string) string { return s.h.id + "-shell-" + profile }

// deploy runs the script for the idle profile.
func (s *shell) deploy(version string) time.Duration {
	s.b.Helper()
	cmd := exec.Command("sh", "-c", shellDeploy)
	cmd.Env = append(os.Environ(), "NAME="+s.container(s.idle), "NETWORK="+s.h.network, "PROFILE="+s.idle,
		fmt.Sprintf("PORT=%d", s.ports[s.idle]), "VERSION="+version, "IMAGE="+helloImage, "NGINX="+s.nginx.name)
	start := time.Now()
	if text, err := cmd.CombinedOutput(); err != nil {
		s.b.Fatalf("deploy with a script: %v\n%s", err, text)
	}
	took := time.Since(start)
	if s.idle == "real1" {
		s.idle = "real2"
	} else {
		s.idle = "real1"
	}
	return took
}

func (s *shell) remove() {
	for profile := range s.ports {
		if err := engine.ContainerRemove(context.Background(), s.container(profile), container.RemoveOptions{Force: true}); err != nil {
			s.b.Errorf("remove %s: %v", s.container(profile), err)
		}
	}
}
