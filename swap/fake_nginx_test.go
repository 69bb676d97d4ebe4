package swap

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// generation is the workers between two reloads.
type generation struct {
	number  int
	routes  map[string]route // by service
	retired time.Time        // from when on it takes no new connections; zero: it does
	gone    time.Time        // when its last connection ends
}

// route is where a generation sends a service's requests, and which requests those are.
type route struct {
	target  nginx.Target
	address string // with the port
	idle    string // where the preview leads
	takes   []nginx.Claim

	certificate string // with tls
	closed      bool   // 503 for everybody: maintenance
}

// retireTime is what nginx waits between starting new workers and retiring the old ones.
const retireTime = 100 * time.Millisecond

// load starts workers with the files as they are, and sends the old ones into retirement.
func (h *host) load() error {
	routes, err := parse(h.volumes["bluegreen-nginx"])
	if err != nil {
		return err
	}
	h.tidy()
	for _, g := range h.nginxes {
		if g.retired.IsZero() {
			g.retired = time.Now().Add(retireTime)
			g.gone = g.retired.Add(h.drainTime)
		}
	}
	h.lastID++
	h.nginxes = append(h.nginxes, &generation{number: h.lastID, routes: routes})
	return nil
}

// tidy forgets the generations whose last connection has ended.
func (h *host) tidy() {
	h.nginxes = slices.DeleteFunc(h.nginxes, func(g *generation) bool { return !g.gone.IsZero() && !time.Now().Before(g.gone) })
}

func (g *generation) serves() bool { return g.retired.IsZero() || time.Now().Before(g.retired) }

// apply makes a change as the script does: test, then one rename after the other, then the signal. The
// process may die between any two of them.
func (h *host) apply(p *process, volume, text string) docker.ExecResult {
	var c nginx.Change
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return docker.ExecResult{ExitCode: 2, Stderr: err.Error()}
	}
	files := h.volumes[volume]
	if strings.Contains("\n"+files[c.Fence], "\n"+c.Owner+"\n") {
		return docker.ExecResult{ExitCode: 14}
	}
	if lock, err := h.find("bluegreen-host-lock"); !c.OnlyLines() && (err != nil || h.runs[lock.Labels[LabelRun]] != p) {
		h.wrong("nginx's files were changed without the host's lock: %v", c)
	}
	if !c.OnlyLines() {
		maps.DeleteFunc(files, func(name, _ string) bool { return strings.Contains(name, ".bg-tmp-") }) // of killed runs
	}
	if c.Test {
		try := maps.Clone(files)
		for _, f := range c.Files {
			change(try, f)
		}
		if _, err := parse(try); err != nil || h.refuses {
			return docker.ExecResult{ExitCode: 10, Stdout: fmt.Sprint("[emerg] ", err)}
		}
	}
	if c.Only {
		return docker.ExecResult{}
	}
	for _, f := range slices.Concat(c.First, inOrder(c.Files)) {
		if have, ok := files[f.Path]; ok && have == f.Text && !f.Remove {
			continue
		}
		if p.point("rename") {
			return docker.ExecResult{ExitCode: 12, Stdout: "mv: Input/output error"}
		}
		change(files, f)
	}
	for _, l := range c.Lines {
		if p.point("append") {
			return docker.ExecResult{ExitCode: 12, Stdout: "mv: Input/output error"}
		}
		before := files[l.Path]
		files[l.Path] = appended(before, l)
		if why := shrunk(totalsOf(before), totalsOf(files[l.Path])); why != "" {
			h.wrong("totals went down: %s", why)
		}
	}
	if c.Reload {
		if p.point("signal") {
			return docker.ExecResult{ExitCode: 13, Stdout: "invalid PID number"}
		}
		if h.deaf {
			return docker.ExecResult{}
		}
		if err := h.load(); err != nil {
			h.wrong("nginx was told to load what it refuses: %v", err)
		}
	}
	return docker.ExecResult{}
}

// appended is a file with one more line, which may take the place of others.
func appended(text string, l nginx.Line) string {
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(text)), func(line string) bool {
		return l.Instead != "" && strings.Contains(line, l.Instead)
	})
	lines = append(lines, l.Text+"\n")
	if l.Keep > 0 && len(lines) > l.Keep {
		lines = lines[len(lines)-l.Keep:]
	}
	return strings.Join(lines, "")
}

func change(files map[string]string, f nginx.File) {
	if !f.Remove {
		files[f.Path] = f.Text
		return
	}
	delete(files, f.Path)
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, f.Path+"/") })
}

// inOrder is the order in which the script renames: what is included before what includes it, and removed after it.
func inOrder(files []nginx.File) []nginx.File {
	rank := func(f nginx.File) int {
		site, _ := path.Match("sites/*.conf", f.Path)
		part := path.Ext(f.Path) == ".loc"
		switch {
		case f.Remove && part:
			return 3
		case f.Remove && site:
			return 4
		case f.Remove:
			return 5
		case site || part:
			return 2
		case f.Path == nginx.MainPath:
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(files), func(a, b nginx.File) int { return cmp.Compare(rank(a), rank(b)) })
}

// top lists nginx's processes with the titles that it gives them.
func (h *host) top(id string) ([]docker.Process, error) {
	defer h.lock()()
	b, err := h.find(id)
	if err != nil {
		return nil, err
	}
	if !b.Running() {
		return nil, fmt.Errorf("container %s is not running", b.Name)
	}
	h.tidy()
	list := []docker.Process{{PID: 1, Title: "nginx: master process nginx"}}
	for _, g := range h.nginxes {
		title := "nginx: worker process"
		if !g.serves() {
			title += " is shutting down"
		}
		list = append(list, docker.Process{PID: 10 * g.number, Title: title}, docker.Process{PID: 10*g.number + 1, Title: title})
	}
	return list, nil
}

// at is the container that has an address and listens on its port.
func (h *host) at(address string) *box {
	for _, b := range h.sorted() {
		for _, e := range b.Networks {
			for _, p := range b.Ports {
				if b.Running() && e.Address != "" && fmt.Sprintf("%s:%d", e.Address, p.Container) == address {
					return b
				}
			}
		}
	}
	return nil
}

// reached notes it when a container ends that some worker can still send requests to.
func (h *host) reached(b *box, what string) {
	h.tidy()
	for _, g := range h.nginxes {
		for _, r := range g.routes {
			if (g.serves() || !h.careless) && b.Running() && h.at(r.address) == b && h.healthy(b) {
				h.wrong("%s was %s while nginx workers could reach it", b.Name, what)
				return
			}
		}
	}
}

// healthy says whether a container's app would answer as its profile, without asking it.
func (h *host) healthy(b *box) bool {
	a := h.apps[b.ImageID]
	return b.Running() && !a.never && !a.exits && a.says == "" && !time.Now().Before(b.ready)
}

// inspect notes it when a new connection would meet something that does not answer.
func (h *host) inspect(after string) {
	defer h.lock()()
	for _, g := range h.nginxes {
		for service, r := range g.routes {
			b := h.at(r.address)
			if g.serves() && (b == nil || !h.healthy(b) && b.sick == 0) {
				h.wrong("after %s, new connections of %s go to %v, which does not answer", after, service, r.target)
			}
		}
	}
}

// serving is what new connections of the service get: every serving worker's one answer.
func (h *host) serving(service string) (targets []nginx.Target) {
	defer h.lock()()
	for _, g := range h.nginxes {
		if r, ok := g.routes[service]; ok && g.serves() {
			targets = append(targets, r.target)
		}
	}
	return targets
}

// probe asks a published port, as a person's curl would.
func (h *host) probe(q health.Probe) (string, error) {
	defer h.lock()()
	h.asked = q
	u, err := url.Parse(q.URL)
	if err != nil {
		return "", err
	}
	if n, err := h.find("bluegreen-nginx"); q.Through != "" && (err != nil || !n.Running()) {
		return "", errors.New("ask through container bluegreen-nginx: it does not run")
	}
	if service, ok := strings.CutPrefix(q.Host, nginx.LiveHost("")); ok {
		return h.answer(h.liveOf(service), q.Profile)
	}
	if q.Through != "" && u.Hostname() != "127.0.0.1" {
		return h.answer(h.at(u.Host), q.Profile)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return "", err
	}
	b := h.onPort(port)
	if b != nil && b.Labels[LabelRole] == RoleNginx {
		if ip := b.Ports[0].HostIP; ip != "" && ip != u.Hostname() {
			return "", fmt.Errorf("dial %s: connection refused", u.Host)
		}
		live := strings.HasPrefix(q.Host, "_live.") && port == b.Ports[1].HostPort
		b = h.behind(q.Host, u.Path)
		if b == nil {
			return "", errors.New("502 or 404 of nginx")
		}
		if !live && h.closed() {
			return "", errors.New("503 of nginx")
		}
	}
	return h.answer(b, q.Profile)
}

// closed says whether the workers answer for shop with 503.
func (h *host) closed() bool {
	return slices.ContainsFunc(h.nginxes, func(g *generation) bool { return g.serves() && g.routes["shop"].closed })
}

// liveOf is the container to which a new connection's request to a service goes.
func (h *host) liveOf(service string) *box {
	for _, g := range h.nginxes {
		if r, ok := g.routes[service]; ok && g.serves() {
			return h.at(r.address)
		}
	}
	return nil
}

// behind is the container to which a new connection's request goes.
func (h *host) behind(name, path string) *box {
	for _, g := range h.nginxes {
		if !g.serves() {
			continue
		}
		if r, ok := g.routes[strings.TrimPrefix(name, "_live.")]; ok && strings.HasPrefix(name, "_live.") {
			return h.at(r.address)
		}
		if r, ok := g.find(name, path); ok {
			return h.at(r.address)
		}
	}
	return nil
}

// find is the service that takes a request: by its name, where any has that, and the longest path.
func (g *generation) find(name, path string) (found route, ok bool) {
	if !g.knows(name) {
		name = ""
	}
	longest := 0
	for _, r := range g.routes {
		for _, c := range r.takes {
			fits := c.Path == "/" || path == c.Path || strings.HasPrefix(path, c.Path+"/")
			if c.Name == name && fits && len(c.Path) > longest {
				if found, ok, longest = r, true, len(c.Path); c.Preview {
					found.address = r.idle
				}
			}
		}
	}
	return found, ok
}

func (g *generation) knows(name string) bool {
	for _, r := range g.routes {
		if slices.ContainsFunc(r.takes, func(c nginx.Claim) bool { return c.Name == name }) {
			return true
		}
	}
	return false
}

func (h *host) answer(b *box, want string) (string, error) {
	if b == nil || !b.Running() || h.apps[b.ImageID].never || time.Now().Before(b.ready) {
		return "", errors.New("connection refused")
	}
	if b.sick > 0 {
		b.sick--
		return "", errors.New("answered 500")
	}
	says := cmp.Or(h.apps[b.ImageID].says, b.Labels[LabelProfile])
	if want != "" && says != want {
		return "", fmt.Errorf("answered %q, not %q", says, want)
	}
	return "200 " + says, nil
}
