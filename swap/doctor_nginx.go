package swap

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// nginxRuns finds an nginx that is down, or would not come back.
func (d *doctor) nginxRuns(context.Context) ([]Check, error) {
	var usage *config.Error
	c := d.obs.Nginx
	switch {
	case errors.As(d.noNginx, &usage):
		return []Check{refusal(usage)}, nil
	case d.noNginx != nil:
		return []Check{problem(d.noNginx.Error(), "Remove the container and make it anew: docker rm -f "+d.names.nginx+", then "+d.bluegreen("deploy")+". Nothing is served meanwhile.")}, nil
	case c == nil && d.adopted():
		return nil, skip("there is no container %s", d.names.nginx)
	case c == nil && len(d.services()) > 0:
		return []Check{problem("container "+d.names.nginx+" is gone: nothing is served", d.bluegreen("deploy")+" makes it anew.")}, nil
	case c == nil:
		return nil, skip("there is no nginx yet: the first deploy makes it")
	}
	return append(d.down(c), d.comesBack(c)...), nil
}

func (d *doctor) down(c *docker.Container) []Check {
	if c.Running() {
		return nil
	}
	if c.State == "paused" {
		return []Check{problem("nginx is paused: nobody is served", "docker unpause "+c.Name)}
	}
	if d.adopted() {
		return []Check{problem(fmt.Sprintf("your nginx is down: container %s is %s, exit code %d", c.Name, c.State, c.ExitCode),
			fmt.Sprintf("docker logs --tail 20 %s shows why; docker start %[1]s starts it.", c.Name))}
	}
	what := fmt.Sprintf("nginx is down: container %s is %s, exit code %d", c.Name, c.State, c.ExitCode)
	return []Check{problem(what, fmt.Sprintf("docker logs --tail 20 %s shows why; docker start %[1]s, %s or %s starts it.",
		c.Name, d.bluegreen("rollback"), d.bluegreen("deploy")))}
}

// comesBack: what CreateNginx sets. An adopted one may come back in its own way.
func (d *doctor) comesBack(c *docker.Container) (found []Check) {
	if c.RestartPolicy != "always" && !(d.adopted() && c.RestartPolicy != noRestart) {
		found = append(found, problem(fmt.Sprintf("container %s has the restart policy %s: it stays down after a crash, or when the host restarts", c.Name, c.RestartPolicy),
			"docker update --restart always "+c.Name))
	}
	if c.StopSignal != "SIGQUIT" {
		signal := c.StopSignal
		if signal == "" {
			signal = "SIGTERM"
		}
		found = append(found, warning(fmt.Sprintf("container %s is stopped with %s: docker stop cuts the requests under way", c.Name, signal), d.anew()))
	}
	return found
}

// anew is how the nginx container is replaced.
func (d *doctor) anew() string {
	if d.adopted() {
		return "Make the container anew, as you made it, when an outage is fine."
	}
	return fmt.Sprintf("Make the container anew (nothing is served for a moment): docker rm -f %s, then %s.", d.names.nginx, d.bluegreen("deploy"))
}

// services are those that have a site, sorted.
func (d *doctor) services() (list []string) {
	for file := range d.obs.Files {
		name, ok := strings.CutPrefix(file, "sites/")
		name, ok2 := strings.CutSuffix(name, ".conf")
		if ok && ok2 && !strings.Contains(name, "/") {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// unused says whether an adopted nginx serves no service yet: the first deploy makes what it needs for that.
func (d *doctor) unused() bool {
	return d.adopted() && len(d.services()) == 0 && d.obs.State.Confirmed == nil
}

// nginxProcess finds a wrapper in nginx's place: the first process is the one that gets the signals.
func (d *doctor) nginxProcess(ctx context.Context) ([]Check, error) {
	if !d.obs.NginxRuns() {
		return nil, skip("nginx does not run")
	}
	list, err := d.w.Top(ctx, d.obs.Nginx.ID)
	if err != nil {
		return nil, err
	}
	first := firstProcess(list)
	if nginx.IsMaster(first.Title) || isInit(first, list) {
		return nil, nil
	}
	return []Check{warning(fmt.Sprintf("the first process of %s is %q, not nginx: the signal of docker stop does not reach nginx, and requests are cut", d.obs.Nginx.Name, first.Title), d.anew())}, nil
}

// firstProcess is the one whose parent is outside the container.
func firstProcess(list []docker.Process) docker.Process {
	for _, p := range list {
		if !slices.ContainsFunc(list, func(other docker.Process) bool { return other.PID == p.PPID }) {
			return p
		}
	}
	return docker.Process{}
}

// inits are what engines put before a container's own process when they are told to: they pass signals on.
var inits = []string{"docker-init", "init", "tini", "catatonit", "dumb-init"}

func isInit(first docker.Process, list []docker.Process) bool {
	program, _, _ := strings.Cut(first.Title, " ")
	return slices.Contains(inits, path.Base(program)) &&
		slices.ContainsFunc(list, func(p docker.Process) bool { return p.PPID == first.PID && nginx.IsMaster(p.Title) })
}

// mounts finds a file that is mounted by itself: nginx goes on reading the old one when a new one takes its name.
func (d *doctor) mounts(context.Context) (found []Check, err error) {
	if d.obs.Nginx == nil {
		return nil, skip("there is no nginx yet")
	}
	for _, m := range d.obs.Nginx.Mounts {
		below, ok := strings.CutPrefix(m.Target, d.root()+"/")
		_, isFile := d.obs.Files[below]
		if ok && isFile || m.Type == "bind" && d.dump.Reads(m.Target) {
			found = append(found, problem(fmt.Sprintf("the file %s is mounted by itself (from %s): it keeps its old content when a new file takes its name", m.Target, m.Source),
				"Mount the folder instead. "+d.anew()))
		}
	}
	return found, nil
}
