package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

// A swap's faults that can be made beside a running service, one after the other on one host.
func TestDoctorFindsWhatAPersonDidByHandAndItsRemedyHelps(t *testing.T) {
	h := newPatient(t)
	h.wantFindings(t, nil)
	if out := h.must("doctor", "--strict", "-q"); out.stdout+out.stderr != "" {
		t.Errorf("want silence: %v", out)
	}
	h.suffer(t, []ailment{
		{name: "restart policy", make: func(t *testing.T, h *host) { sh(t, "docker update --restart no "+h.nginx()) }, want: []string{"problem nginx"}},
		{name: "nginx.conf without keepalive_min_timeout", want: []string{"problem keepalive"}, cure: addToHTTP, make: func(t *testing.T, h *host) {
			h.edit(t, nginxConf, "keepalive_min_timeout 13s;", "")
		}},
		{name: "nginx.conf without the sites", want: []string{"problem include"}, cure: addToHTTP, make: func(t *testing.T, h *host) {
			h.edit(t, nginxConf, "include sites/*.conf;", "")
		}},
		{name: "nginx.conf that nginx refuses", want: []string{"problem keepalive"}, skipped: []string{"include"}, make: func(t *testing.T, h *host) {
			h.edit(t, nginxConf, "http {", "http { nonsense;")
		}, cure: func(t *testing.T, h *host, _ finding) { h.edit(t, nginxConf, "nonsense;", "") }},
		{name: "include that names the other profile", want: []string{"problem agreement"}, skipped: []string{"rollback"}, make: func(t *testing.T, h *host) {
			h.edit(t, "/etc/nginx/bluegreen/sites/"+h.service+"/service-url.inc", "real2", "real1")
		}},
		{name: "profile off the network", want: []string{"problem addresses"}, make: func(t *testing.T, h *host) {
			sh(t, "docker network disconnect "+h.network+" "+h.container("real1"))
		}},
		{name: "profile with another address", want: []string{"problem addresses"}, make: func(t *testing.T, h *host) {
			sh(t, fmt.Sprintf("docker network disconnect %[1]s %[2]s && docker network connect %[1]s %[2]s", h.network, h.container("real1")))
		}},
		{name: "two networks of one name", want: []string{"problem network"}, make: func(t *testing.T, h *host) { h.twin(t) }},
		{name: "network that was made to find a subnet", want: []string{"warning leftovers"}, make: func(t *testing.T, h *host) {
			sh(t, fmt.Sprintf("docker network create --label bluegreen.network=%[1]s %[1]s-probe-x", h.network))
		}},
		{name: "container that was never started", want: []string{"warning leftovers"}, make: func(t *testing.T, h *host) {
			sh(t, fmt.Sprintf("docker create --name %[1]s-real1-x --label bluegreen.network=%[2]s --label bluegreen.role=profile --label bluegreen.service=%[1]s"+
				" --label bluegreen.project=%[1]s --label bluegreen.profile=real1 --label bluegreen.release=1 %[3]s", h.service, h.network, helloImage))
		}, cure: func(t *testing.T, h *host, f finding) { sh(t, f.Remedy[strings.Index(f.Remedy, "docker rm"):]) }},
		{name: "container of docker compose's", want: []string{"warning compose"}, make: func(t *testing.T, h *host) {
			sh(t, fmt.Sprintf("docker run -d --name %[1]s-%[1]s-1 --label com.docker.compose.project=%[1]s --label com.docker.compose.service=%[1]s %[2]s", h.service, helloImage))
		}},
		{name: "nginx is stopped", want: []string{"problem nginx"}, skipped: []string{"nginx-process", "agreement", "workers"}, make: func(t *testing.T, h *host) {
			sh(t, "docker stop "+h.nginx())
		}, cure: func(t *testing.T, h *host, f finding) {
			sh(t, "docker start "+h.nginx())
			h.wantAnswer(t, "v2", "real2")
		}},
		{name: "a swap that was killed", want: []string{"warning agreement", "warning leftovers", "warning leftovers"}, skipped: []string{"rollback"}, make: func(t *testing.T, h *host) {
			h.killedInSwitch(t)
		}, cure: func(t *testing.T, h *host, f finding) { h.deploy("v3") }},
		{name: "live profile is stopped", want: []string{"problem live"}, skipped: []string{"idle-connections"}, make: func(t *testing.T, h *host) {
			sh(t, "docker stop -t 1 "+h.container(h.status().Live))
		}, cure: func(t *testing.T, h *host, f finding) {
			if !strings.Contains(f.Remedy, "`bluegreen rollback "+h.service+"`") {
				t.Errorf("want a rollback: %+v", f)
			}
			h.rollback()
		}},
	})
}

// Faults of containers, whose remedy is a container made anew: nginx's first, then a profile's.
func TestDoctorFindsContainersThatAreNotAsTheyShouldBe(t *testing.T) {
	options := []option{serviceKey("environment.IDLE_TIMEOUT", "${IDLE:-}")}
	old := os.Getenv("BLUEGREEN_NGINX_OLD_IMAGE")
	if old != "" {
		options = append(options, topKey("x-bluegreen.nginx.image", old))
	}
	h := newPatient(t, options...)
	newNginx := func(t *testing.T, h *host, _ finding) {
		h.change(topKey("x-bluegreen.nginx.image", nginxImage))
		sh(t, "docker rm -f "+h.nginx())
		h.deploy("v2")
		h.wantAnswer(t, "v2", "real2")
	}
	redeploy := func(version string) func(*testing.T, *host, finding) {
		return func(t *testing.T, h *host, _ finding) { h.deploy(version) }
	}
	h.suffer(t, []ailment{
		{name: "nginx is too old", want: []string{"problem keepalive"}, cure: newNginx, make: func(t *testing.T, _ *host) {
			if old == "" {
				t.Skip("SKIPPED, NOT TESTED: BLUEGREEN_NGINX_OLD_IMAGE names no image of an nginx before 1.27.4")
			}
		}},
		{name: "nginx was made by hand", want: []string{"warning nginx", "warning nginx-process", "problem mounts"}, cure: newNginx, make: nginxByHand},
		{name: "published on every address", want: []string{"problem ports"}, cure: redeploy("v3"), make: func(t *testing.T, h *host) {
			h.remake(t, h.container("real1"), func(_ *container.Config, hc *container.HostConfig) {
				for port, bound := range hc.PortBindings {
					bound[0].HostIP = "0.0.0.0"
					hc.PortBindings[port] = bound
				}
			})
		}},
		{name: "live and idle are the same", want: []string{"warning rollback"}, cure: redeploy("v4"), make: func(t *testing.T, h *host) {
			h.deploy("v3", "--force")
		}},
		{name: "idle connections are closed early", want: []string{"problem idle-connections"}, cure: redeploy("v6"), make: func(t *testing.T, h *host) {
			h.mustWith([]string{"VERSION=v5", "IDLE=100ms"}, "deploy")
		}},
	})
}

// nginxByHand makes nginx's container with a wrapper, a file that is mounted by itself, and a stop signal that cuts.
func nginxByHand(t *testing.T, h *host) {
	conf := h.inspect(t, h.nginx()).Mounts[0].Source + "/nginx.conf"
	h.remake(t, h.nginx(), func(c *container.Config, hc *container.HostConfig) {
		c.Entrypoint, c.Cmd, c.StopSignal = []string{"sh", "-c"}, []string{"nginx -c " + nginxConf + " -g 'daemon off;'; exit"}, ""
		hc.Binds = append(hc.Binds, conf+":"+nginxConf)
	})
	h.wantAnswer(t, "v2", "real2")
}

func TestDoctorOnAHostWhereNothingWasDeployedSkipsWhatIsNotThere(t *testing.T) {
	h := newHost(t)
	out := h.must("doctor")
	if !strings.Contains(out.stdout, "0 problems, 0 warnings") || !strings.Contains(out.stdout, "; skipped: network (there is no network yet") {
		t.Errorf("want what was skipped and why: %v", out)
	}
	left, err := findAll(t.Context(), h.id)
	if err != nil || len(left) > 0 {
		t.Errorf("doctor made %v, %v", left.names(), err)
	}
	if out := h.run("doctor", "nobody"); out.code != 2 {
		t.Errorf("a service that nobody knows: %v", out)
	}
}
