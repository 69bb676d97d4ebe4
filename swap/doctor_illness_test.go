package swap

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// illness is one fault, and the findings that must come of it, no others.
type illness struct {
	name string
	make func(*patient)
	want []string
	says []string // in the finding's text or remedy
}

func (i illness) run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admit(t)
		i.make(p)
		if got := p.findings(); !slices.Equal(got, i.want) {
			t.Errorf("found %q, want %q", got, i.want)
		}
		d, err := p.examine("v2")
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for _, c := range slices.Concat(d.At(LevelProblem), d.At(LevelWarning)) {
			text += c.What + "\n" + c.Do + "\n"
		}
		for _, s := range i.says {
			if !strings.Contains(text, s) {
				t.Errorf("nothing says %q:\n%s", s, text)
			}
		}
		code := ExitDone
		if len(d.At(LevelProblem)) > 0 {
			code = ExitFailed
		}
		if got := ExitCode(d.Err(false)); got != code {
			t.Errorf("exit code %d, want %d", got, code)
		}
		if len(i.want) > 0 && ExitCode(d.Err(true)) != ExitFailed {
			t.Error("--strict lets it pass")
		}
	})
}

const keepaliveLine = "keepalive_min_timeout 13s;"

var nginxIllnesses = []illness{
	{"nginx is too old", func(p *patient) { p.version = "1.22.1" }, []string{"problem keepalive"}, []string{"1.22.1", "nginx.image"}},
	{"keepalive_min_timeout was taken out", func(p *patient) { p.edit(nginx.MainPath, keepaliveLine, "") },
		[]string{"problem keepalive"}, []string{"Add `" + keepaliveLine + "`", "nginx -s reload"}},
	{"keepalive_min_timeout is zero", func(p *patient) { p.edit(nginx.MainPath, keepaliveLine, "keepalive_min_timeout 0;") },
		[]string{"problem keepalive"}, []string{"nginx.conf:20"}},
	{"keepalive_min_timeout is only set for some, to nothing", func(p *patient) { p.edit(nginx.MainPath, keepaliveLine, "server { keepalive_min_timeout 0; }") },
		[]string{"problem keepalive", "problem keepalive"}, nil},
	{"nginx has a main file of its own, which includes ours", func(p *patient) {
		p.conf = "/etc/nginx/nginx.conf"
		p.edit(nginx.MainPath, "include sites/*.conf;", "include /etc/nginx/bluegreen/sites/*.conf;")
	}, nil, nil},
	{"nginx has a main file of its own, which does not include ours", func(p *patient) {
		p.conf = "/etc/nginx/nginx.conf"
		p.edit(nginx.MainPath, "include sites/*.conf;", "")
	}, []string{"problem include"}, []string{"`include /etc/nginx/bluegreen/sites/*.conf;` into the http block of /etc/nginx/nginx.conf"}},
	{"nginx refuses its configuration", func(p *patient) { p.refuses = "[emerg] unknown directive" }, []string{"problem keepalive"}, []string{"[emerg] unknown directive"}},
	{"the sites are not included", func(p *patient) { p.edit(nginx.MainPath, "    include sites/*.conf;", "") },
		[]string{"problem include"}, []string{"Put `include sites/*.conf;`"}},
	{"the sites are included by their full path", func(p *patient) {
		p.edit(nginx.MainPath, "include sites/*.conf;", "include /etc/nginx/bluegreen/sites/*.conf;")
	},
		[]string{"problem include"}, []string{"nginx.conf:87", "Write `include sites/*.conf;` there"}},
	{"nothing reads the include", func(p *patient) {
		p.edit(nginx.SitePath("shop"), `include "sites/shop/`, `include "sites/other/`)
		p.edit(nginx.ProxyPath("shop"), `include "sites/shop/`, `include "sites/other/`)
	}, []string{"problem include"}, []string{"service-url.inc", "bluegreen deploy shop` writes it anew"}},
	{"a part is missing", func(p *patient) { delete(p.volumes["bluegreen-nginx"], nginx.PartPath("shop", "")) },
		[]string{"problem include"}, []string{"nginx does not read /etc/nginx/bluegreen/sites/shop/any.loc", "bluegreen deploy shop` writes it anew"}},
	{"the part does not read the paths", func(p *patient) { p.edit(nginx.PartPath("shop", ""), "include", "#") },
		[]string{"problem include"}, []string{"sites/shop/paths.inc"}},
	{"the paths do not read how requests are passed on", func(p *patient) { p.edit(nginx.LocationsPath("shop"), "include", "#") },
		[]string{"problem include"}, []string{"sites/shop/proxy.inc"}},
	{"the site is missing", func(p *patient) { delete(p.volumes["bluegreen-nginx"], nginx.SitePath("shop")) },
		[]string{"problem include"}, []string{"was confirmed", "writes it anew."}},
	{"a file that nginx does not read is mounted by itself", func(p *patient) { p.mount(nginx.Root + "/" + nginx.StatePath("shop")) }, []string{"problem mounts"}, nil},
	{"the main file is mounted by itself, outside our folder", func(p *patient) {
		p.conf = "/etc/nginx/nginx.conf"
		p.mount(p.conf)
	}, []string{"problem mounts"}, nil},
	{"a folder is mounted", func(p *patient) { p.mount(nginx.Root + "/sites/shop"); p.mount("/etc/nginx") }, nil, nil},
	{"a file is mounted by itself", func(p *patient) { p.mount(nginx.Root + "/nginx.conf") }, []string{"problem mounts"}, []string{"/srv/x", "Mount the folder"}},
	{"nginx is paused", func(p *patient) { p.must(p.t, "bluegreen-nginx").State = "paused" },
		[]string{"problem nginx"}, []string{"nobody is served", "docker unpause bluegreen-nginx"}},
	{"a profile does not come back", func(p *patient) { p.must(p.t, "shop-real1").RestartPolicy = "no" },
		[]string{"warning restart"}, []string{"docker update --restart always shop-real1"}},
	{"somebody else has the idle profile's port", func(p *patient) {
		p.halt(p.must(p.t, "shop-real1"), 0)
		p.put(docker.Container{Name: "theirs", Ports: []docker.Port{{HostIP: "127.0.0.1", HostPort: 8081}}}, "running")
	}, []string{"problem places"}, []string{"port 8081", "container theirs", "x-bluegreen.profiles.real1"}},
	{"somebody else has the idle container's name", func(p *patient) {
		_ = p.remove("shop-real1")
		p.put(docker.Container{Name: "shop-real1"}, "running")
	}, []string{"problem places"}, []string{"container shop-real1 is not bluegreen's"}},
	{"nginx does not come back", func(p *patient) { p.must(p.t, "bluegreen-nginx").RestartPolicy = "no" },
		[]string{"problem nginx"}, []string{"docker update --restart always bluegreen-nginx"}},
	{"nginx is stopped with another signal", func(p *patient) { p.must(p.t, "bluegreen-nginx").StopSignal = "" }, []string{"warning nginx"}, []string{"SIGTERM"}},
	{"nginx is down", func(p *patient) { p.halt(p.must(p.t, "bluegreen-nginx"), 1) }, []string{"problem nginx"}, []string{"exit code 1", "docker start"}},
	{"nginx is gone", func(p *patient) { _ = p.remove("bluegreen-nginx") }, []string{"problem nginx"}, []string{"`bluegreen deploy shop`"}},
	{"nginx's label is damaged", func(p *patient) { p.must(p.t, "bluegreen-nginx").Labels[LabelHost] = "{" },
		[]string{"problem nginx"}, []string{LabelHost, "docker rm -f bluegreen-nginx"}},
	{"another's container has nginx's name", func(p *patient) { p.must(p.t, "bluegreen-nginx").Labels = nil },
		[]string{"problem nginx"}, []string{"is not bluegreen's"}},
	{"the engine's own init runs nginx", func(p *patient) { p.wrapped = "/sbin/docker-init -- nginx" }, nil, nil},
	{"a wrapper runs nginx", func(p *patient) { p.wrapped = "sh /run.sh" }, []string{"warning nginx-process"}, []string{`"sh /run.sh"`}},
	{"a worker is stuck for a while", func(p *patient) { p.workersOf(100*time.Second, 40*time.Second) },
		[]string{"warning workers"}, []string{"workers (pid 11)", "up to 40s", "kill 11"}},
	{"a worker is stuck for longer than nginx allows", func(p *patient) { p.workersOf(1000*time.Second, 130*time.Second) },
		[]string{"problem workers"}, []string{"2m10s", "(2m0s)", "kill 11"}},
	{"a worker is shutting down", func(p *patient) { p.workersOf(100*time.Second, 13*time.Second) }, nil, nil},
}

// mount adds a mount from the Docker host to nginx's container.
func (p *patient) mount(target string) {
	b := p.must(p.t, "bluegreen-nginx")
	b.Mounts = append(b.Mounts, docker.Mount{Type: "bind", Source: "/srv/x", Target: target})
}

// workersOf makes a generation that is shutting down, and the one after it.
func (p *patient) workersOf(draining, serving time.Duration) {
	p.aged = []docker.Aged{
		{Process: docker.Process{PID: 1, Title: "nginx: master process nginx"}, Age: 10 * time.Hour},
		{Process: docker.Process{PID: 11, PPID: 1, Title: "nginx: worker process is shutting down"}, Age: draining},
		{Process: docker.Process{PID: 21, PPID: 1, Title: "nginx: worker process"}, Age: serving},
	}
}

var agreementIllnesses = []illness{
	{"the include was edited by hand", func(p *patient) { p.point("real1", 1) }, []string{"problem agreement"},
		[]string{`docker exec bluegreen-nginx sh -c 'printf "set \$service_url http://shop-real2;\n`, "release 1 in real1"}},
	{"somebody switched by hand", func(p *patient) {
		p.point("real1", 1)
		p.answer = &nginx.Target{Service: "shop", Profile: "real1", Release: 1}
	}, []string{"warning agreement"}, []string{"switched by hand"}},
	{"the workers have not read the include", func(p *patient) { p.answer = &nginx.Target{Service: "shop", Profile: "real1", Release: 1} },
		[]string{"problem agreement"}, []string{"docker exec bluegreen-nginx nginx -s reload -c"}},
	{"the workers do not know the service", func(p *patient) { p.nginxes = nil; p.aged = []docker.Aged{} }, []string{"problem agreement"}, []string{"answer as nothing of the service,"}},
	{"the include is torn", func(p *patient) { p.edit(nginx.IncludePath("shop"), "real2", "real9;") }, []string{"warning agreement"}, []string{"not written by bluegreen"}},
	{"the include is torn, and nobody can be asked", func(p *patient) {
		p.edit(nginx.IncludePath("shop"), "real2", "real9;")
		p.deaf = true
	}, []string{"problem agreement"}, []string{"not written by bluegreen", "printf"}},
	{"the state cannot be read", func(p *patient) { p.edit(nginx.StatePath("shop"), "{", "<") }, []string{"warning agreement"}, []string{"state.json"}},
	{"a swap is open", func(p *patient) { _, _ = p.process(fault{call{"Confirm", 1}, killAfter}).run(deploy("v3")); soon() },
		[]string{"warning agreement", "warning leftovers", "warning leftovers"}, []string{"(deploy) was interrupted"}},
}

// point writes the include by hand.
func (p *patient) point(profile string, release int) {
	p.volumes["bluegreen-nginx"][nginx.IncludePath("shop")] = nginx.Include(nginx.Target{Service: "shop", Profile: profile, Release: release})
}

var profileIllnesses = []illness{
	{"the live profile is down", func(p *patient) { p.halt(p.must(p.t, "shop-real2"), 3) }, []string{"problem live"}, []string{"exit code 3", "`bluegreen rollback shop` brings release 1"}},
	{"the live profile is gone, and there is no way back", func(p *patient) {
		_ = p.remove("shop-real2")
		_ = p.remove("shop-real1")
	}, []string{"problem live"}, []string{"`bluegreen deploy shop`"}},
	{"the live profile does not answer", func(p *patient) { p.must(p.t, "shop-real2").sick = 9 }, []string{"problem live"}, []string{"answered 500"}},
	{"a profile lost its address", func(p *patient) { p.move("shop-real1", "10.77.0.7") }, []string{"problem addresses"}, []string{"10.77.0.7", "docker network connect --ip 10.77"}},
	{"a profile is not on the network", func(p *patient) { p.move("shop-real1", "") }, []string{"problem addresses"}, []string{"docker network connect --ip 10.77"}},
	{"nginx is not on the network", func(p *patient) { p.move("bluegreen-nginx", "") }, []string{"problem addresses"}, []string{"docker network connect bluegreen bluegreen-nginx"}},
	{"the network was made anew", func(p *patient) {
		n := p.networks["bluegreen"]
		n.ID = "another"
		p.networks["bluegreen"] = n
	}, []string{"problem addresses", "problem addresses", "problem addresses"}, nil},
	{"the idle profile is published on every address", func(p *patient) { p.must(p.t, "shop-real1").Ports[0].HostIP = "0.0.0.0" },
		[]string{"problem ports"}, []string{"0.0.0.0:8081", "`bluegreen deploy --force shop`."}},
	{"the live profile is published on an address of the host", func(p *patient) { p.must(p.t, "shop-real2").Ports[0].HostIP = "192.168.1.2" },
		[]string{"problem ports"}, []string{"192.168.1.2:8082", "twice"}},
	{"the app closes idle connections early", func(p *patient) { p.idle = health.Idle{Closed: true, After: 700 * time.Millisecond} },
		[]string{"problem idle-connections"}, []string{"after 700ms", "keepalive_timeout below 700ms"}},
	{"the app keeps no connection", func(p *patient) { p.idle = health.Idle{Announced: true} }, []string{"warning idle-connections"}, []string{"Connection: close"}},
	{"live and idle are the same", func(p *patient) {
		p.mustRun(p.t, Request{Command: Deploy, Service: shop("v2"), Force: true})
	}, []string{"warning rollback"}, []string{"releases 3 (live) and 2 (idle)"}},
	{"live and idle are one image with two configurations", func(p *patient) {
		p.mustRun(p.t, Request{Command: Deploy, Service: shop("v2", onOnePort)})
	}, nil, nil},
	{"an image is of a variant of the host's platform", func(p *patient) { p.build("v2", "linux/amd64/v2") }, nil, nil},
	{"an image is of another platform", func(p *patient) { p.build("v1", "linux/arm64/v8") }, []string{"warning platform"}, []string{"shop-real1", "linux/arm64/v8", "linux/amd64"}},
	{"the wanted image is of another platform", func(p *patient) { p.build("v2", "linux/arm64/v8") }, []string{"warning platform", "problem platform"}, []string{"image v2"}},
	{"docker compose ran the service once", func(p *patient) {
		p.put(docker.Container{Name: "shop-shop-1", Labels: map[string]string{"com.docker.compose.project": "project-shop", "com.docker.compose.service": "shop"}}, "exited")
	}, nil, nil},
	{"docker compose runs the service, too", func(p *patient) {
		p.put(docker.Container{Name: "shop-shop-1", Labels: map[string]string{"com.docker.compose.project": "project-shop", "com.docker.compose.service": "shop"}}, "running")
	}, []string{"warning compose"}, []string{"docker rm -f shop-shop-1", "scale: 0"}},
}

// move gives a container another address on the network, or takes it off.
func (p *patient) move(name, address string) {
	b := p.must(p.t, name)
	at := b.Networks["bluegreen"]
	b.Networks = map[string]docker.Endpoint{}
	if at.Address, at.Fixed = address, ""; address != "" {
		b.Networks["bluegreen"] = at
	}
}

// build makes an image be of another platform.
func (p *patient) build(ref, platform string) {
	i := p.images[ref]
	i.Platform = platform
	p.images[ref], p.images[i.ID] = i, i
}

var hostIllnesses = []illness{
	{"the clocks differ", func(p *patient) { p.skew = -7 * time.Second }, []string{"warning clock"}, []string{"7s behind"}},
	{"the clocks differ a little", func(p *patient) { p.skew = 4 * time.Second }, nil, nil},
	{"there is no room for the image", func(p *patient) {
		i := p.images["sha256:v2"]
		i.Size = 400 << 20
		p.images[i.ID], p.room = i, 300<<20
	}, []string{"problem disk"}, []string{"314 MB are free", "takes 419 MB", "does not fit"}},
	{"there is no room at all", func(p *patient) { p.room = 99 << 20 }, []string{"problem disk"}, nil},
	{"there is room for little more than the image", func(p *patient) { p.room = 150 << 20 }, []string{"warning disk"}, []string{"157 MB are free", "104 MB"}},
	{"two networks have the name", func(p *patient) {
		p.twins, p.stray = []string{p.networks["bluegreen"].ID, "twin"}, []docker.Network{{ID: "twin", Name: "bluegreen"}}
	}, []string{"problem network"}, []string{"docker network rm twin"}},
	{"two networks have the name, and both are in use", func(p *patient) {
		p.twins = []string{p.networks["bluegreen"].ID, "twin"}
		p.stray = []docker.Network{{ID: "twin", Name: "bluegreen", Containers: map[string]string{"c": "db"}}}
	}, []string{"problem network"}, []string{"each of them", "by id"}},
	{"the network is gone", func(p *patient) { delete(p.networks, "bluegreen") }, []string{"problem network"}, nil},
}

var leftoverIllnesses = []illness{
	{"a container was never started", func(p *patient) {
		p.put(docker.Container{Name: "shop-real1-x1", Labels: ours(RoleProfile, "shop", LabelProfile, "real1", LabelRelease, "9")}, "")
	}, []string{"warning leftovers"}, []string{"docker rm -f shop-real1-x1", "bluegreen deploy shop"}},
	{"a container was put aside", func(p *patient) {
		p.put(docker.Container{Name: "shop-real1-prev", Labels: ours(RoleProfile, "shop", LabelProfile, "real1", LabelRelease, "1")}, "exited")
	}, []string{"warning leftovers"}, []string{"shop-real1-prev"}},
	{"a helper is left", func(p *patient) {
		p.put(docker.Container{Name: "bluegreen-nginx-once-1", Labels: ours(RoleOneShot, "")}, "exited")
	},
		[]string{"warning leftovers"}, []string{"docker rm -f bluegreen-nginx-once-1"}},
	{"a service has containers and no site", func(p *patient) {
		p.put(docker.Container{Name: "blog-real1", Labels: ours(RoleProfile, "blog", LabelProfile, "real1")}, "running")
	}, []string{"warning leftovers"}, []string{"`bluegreen down blog`"}},
	{"a network was made to find a subnet", func(p *patient) {
		p.stray = []docker.Network{{ID: "n", Name: "bluegreen-probe-ab12", Labels: map[string]string{LabelNetwork: "bluegreen"}}}
	}, []string{"warning leftovers"}, []string{"docker network rm bluegreen-probe-ab12"}},
	{"a network of another host's is none of ours", func(p *patient) {
		p.stray = []docker.Network{{ID: "n", Name: "bluegreen-probe-ab12"}}
	}, nil, nil},
	{"a lock is left", func(p *patient) { _, _ = p.process(fault{call{"Containers", 1}, killBefore}).run(deploy("v3")) },
		[]string{"warning leftovers"}, []string{"lock shop-lock", "bluegreen unlock shop --yes"}},
	{"a release waits to go live, what it replaced is aside", func(p *patient) { p.mustRun(p.t, start("v3")) }, nil, nil},
	{"a failed release is kept", func(p *patient) {
		p.image("bad", app{exits: true})
		_, _ = p.process(fault{}).run(deploy("bad"))
		soon()
	}, nil, nil},
	{"another service is well", func(p *patient) {
		p.mustRun(p.t, Request{Command: Deploy, Service: service("other", "v1", named, otherPorts)})
	}, nil, nil},
}
