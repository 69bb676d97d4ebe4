package swap

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// host is a Docker host in memory, with an nginx that works as nginx does: a reload makes new workers from
// the files on its volume, and the old ones end a while later. It notes whatever must never happen.
type host struct {
	mu       sync.Mutex
	images   map[string]docker.Image
	apps     map[string]app // by image id
	boxes    map[string]*box
	networks map[string]docker.Network
	volumes  map[string]map[string]string // files by path
	runs     map[string]*process          // who has what lock, by run
	nginxes  []*generation                // oldest first
	lastID   int

	drainTime time.Duration     // how long old workers have connections to finish
	careless  bool              // of requests under way in a release that failed
	asked     health.Probe      // the last question
	refuses   bool              // nginx refuses every candidate
	deaf      bool              // nginx takes the signal and does nothing
	elsewhere bool              // the host is not the machine that commands run on
	noDialer  bool              // nginx's image has no program to ask with
	hooks     []hookRun         // that were run
	versions  map[string]string // of nginx images, by id, where they differ
	wrongs    []string          // requests that were, or would have been, lost
}

// app is how the containers of an image behave.
type app struct {
	exits bool   // at once, with code 1
	never bool   // listens nowhere
	says  string // instead of its profile's name
}

// box is a container.
type box struct {
	docker.Container
	policies []string // restart policies it was given
	volume   string
	stuck    bool // does not start any more
	sick     int  // so many answers are 500
	ready    time.Time
	ended    []chan docker.Exit
	renewed  time.Time // of a lock
}

// upTime is how long an app needs to listen.
const upTime = 15 * time.Millisecond

func newHost() *host {
	h := &host{
		images: map[string]docker.Image{}, apps: map[string]app{}, boxes: map[string]*box{}, networks: map[string]docker.Network{},
		volumes: map[string]map[string]string{}, runs: map[string]*process{}, drainTime: 2 * time.Second,
	}
	h.image("nginx:1.30-alpine", app{})
	for _, v := range []string{"v1", "v2", "v3", "v4"} {
		h.image(v, app{})
	}
	return h
}

// clone is a host that goes its own way from here.
func (h *host) clone() *host {
	defer h.lock()()
	c := newHost()
	c.images, c.apps, c.networks, c.runs = maps.Clone(h.images), maps.Clone(h.apps), maps.Clone(h.networks), maps.Clone(h.runs)
	for id, b := range h.boxes {
		d := *b
		d.Container, d.ended, d.policies = b.copy(), nil, slices.Clone(b.policies)
		c.boxes[id] = &d
	}
	for name, files := range h.volumes {
		c.volumes[name] = maps.Clone(files)
	}
	for _, g := range h.nginxes {
		d := *g
		c.nginxes = append(c.nginxes, &d)
	}
	c.lastID, c.drainTime, c.wrongs = h.lastID, h.drainTime, slices.Clone(h.wrongs)
	return c
}

func (h *host) image(ref string, a app) {
	i := docker.Image{ID: "sha256:" + ref, Ref: ref}
	h.images[ref], h.apps[i.ID] = i, a
}

func (h *host) lock() func() {
	h.mu.Lock()
	return h.mu.Unlock
}

func (h *host) wrong(format string, args ...any) {
	h.wrongs = append(h.wrongs, fmt.Sprintf(format, args...))
}

// find finds a container by id or name.
func (h *host) find(key string) (*box, error) {
	if b := h.boxes[key]; b != nil {
		return b, nil
	}
	for _, b := range h.boxes {
		if b.Name == key {
			return b, nil
		}
	}
	return nil, fmt.Errorf("no such container %s: %w", key, docker.ErrNotFound)
}

// must is find for tests, which know what is there.
func (h *host) must(t *testing.T, name string) *box {
	t.Helper()
	b, err := h.find(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *host) container(key string) (docker.Container, error) {
	defer h.lock()()
	b, err := h.find(key)
	if err != nil {
		return docker.Container{}, err
	}
	return b.copy(), nil
}

func (b *box) copy() docker.Container {
	c := b.Container
	c.Labels, c.Networks = maps.Clone(c.Labels), maps.Clone(c.Networks)
	return c
}

func (h *host) containers(labels map[string]string) ([]docker.Container, error) {
	defer h.lock()()
	var list []docker.Container
	for _, b := range h.sorted() {
		if b.has(labels) {
			list = append(list, b.copy())
		}
	}
	return list, nil
}

func (b *box) has(labels map[string]string) bool {
	for k, v := range labels {
		if have, ok := b.Labels[k]; !ok || v != "" && have != v {
			return false
		}
	}
	return true
}

func (h *host) sorted() []*box {
	return slices.SortedFunc(maps.Values(h.boxes), func(a, b *box) int { return cmp.Compare(a.ID, b.ID) })
}

// add creates a container, unless its name is taken.
func (h *host) add(c docker.Container) (*box, error) {
	if taken, err := h.find(c.Name); err == nil {
		return nil, fmt.Errorf("name %s is in use by %s", c.Name, taken.ID)
	}
	h.lastID++
	c.ID, c.State, c.Created = fmt.Sprintf("id%04d", h.lastID), "created", time.Now()
	c.Labels = maps.Clone(c.Labels)
	b := &box{Container: c}
	h.boxes[c.ID] = b
	return b, nil
}

func (h *host) createProfile(s docker.ProfileSpec) (string, error) {
	defer h.lock()()
	b, err := h.add(docker.Container{
		Name: s.Name, Image: s.Image.Ref, ImageID: s.Image.ID, Labels: s.Labels, RestartPolicy: "no",
		Networks: map[string]docker.Endpoint{s.NetworkName: {NetworkID: s.NetworkID, Fixed: s.Address}},
		Ports:    []docker.Port{{HostIP: "127.0.0.1", HostPort: s.HostPort, Container: s.ContainerPort}},
	})
	if err != nil {
		return "", err
	}
	if s.Env["PROFILE"] != s.Labels[LabelProfile] {
		h.wrong("%s was told that it is %q", s.Name, s.Env["PROFILE"])
	}
	return b.ID, nil
}

// recreate makes a container like another one, in the steps in which the engine's client does it.
func (h *host) recreate(p *process, id string) (string, error) {
	defer h.lock()()
	old, err := h.find(id)
	if err != nil {
		return "", err
	}
	c := old.copy()
	c.Name += "-7h1s"
	b, err := h.add(c)
	if err != nil {
		return "", err
	}
	b.volume = old.volume
	p.point("Recreate, with both there")
	delete(h.boxes, old.ID)
	p.point("Recreate, with the old one gone")
	b.Name = old.Name
	return b.ID, nil
}

func (h *host) start(id string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err != nil || b.Running() {
		return err
	}
	if b.stuck {
		return errors.New("network 4711 not found")
	}
	if b.State == "paused" {
		return errors.New("cannot start a paused container, try unpause instead")
	}
	if err := h.free(b); err != nil {
		return err
	}
	b.State, b.StartedAt, b.ready = "running", time.Now(), time.Now().Add(upTime)
	for name, e := range b.Networks {
		e.Address = e.Fixed
		b.Networks[name] = e
	}
	if b.Labels[LabelRole] == RoleNginx {
		h.nginxes = nil
		return h.load()
	}
	if h.apps[b.ImageID].exits {
		h.halt(b, 1)
	}
	return nil
}

// free makes sure that nobody has the ports and addresses of a container that starts.
func (h *host) free(b *box) error {
	for _, other := range h.sorted() {
		if !other.up() {
			continue
		}
		for _, p := range b.Ports {
			for _, q := range other.Ports {
				if p.HostPort == q.HostPort {
					return &docker.PortTakenError{Port: p.HostPort, Holder: "container " + other.Name}
				}
			}
		}
		for name, e := range b.Networks {
			if e.Fixed != "" && other.Networks[name].Address == e.Fixed {
				return &docker.AddressTakenError{Address: e.Fixed, Holder: "container " + other.Name}
			}
		}
	}
	return nil
}

func (h *host) stop(id string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err == nil {
		h.reached(b, "stopped")
		h.halt(b, 143)
	}
	return err
}

// up says whether the container has a process, and with it its ports and addresses.
func (b *box) up() bool { return b.Running() || b.State == "paused" }

// halt ends a container's process, whatever for.
func (h *host) halt(b *box, code int) {
	if !b.up() {
		return
	}
	b.State, b.ExitCode, b.FinishedAt = "exited", code, time.Now()
	for name, e := range b.Networks {
		e.Address = ""
		b.Networks[name] = e
	}
	for _, c := range b.ended {
		c <- docker.Exit{Code: code}
	}
	b.ended = nil
	if b.Labels[LabelRole] == RoleNginx {
		h.nginxes = nil
	}
}

func (h *host) rename(id, name string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err != nil {
		return err
	}
	if _, err := h.find(name); err == nil {
		return fmt.Errorf("name %s is in use", name)
	}
	b.Name = name
	return nil
}

func (h *host) remove(id string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err != nil {
		return nil
	}
	h.reached(b, "removed")
	h.halt(b, 137)
	delete(h.boxes, b.ID)
	return nil
}

func (h *host) setRestartPolicy(id, policy string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err == nil {
		b.RestartPolicy, b.policies = policy, append(b.policies, policy)
	}
	return err
}

func (h *host) wait(id string) <-chan docker.Exit {
	defer h.lock()()
	c := make(chan docker.Exit, 1)
	switch b, err := h.find(id); {
	case err != nil:
		c <- docker.Exit{Err: err}
	case b.Running():
		b.ended = append(b.ended, c)
	default:
		c <- docker.Exit{Code: b.ExitCode}
	}
	return c
}

func (h *host) logs(id string, w io.Writer) error {
	defer h.lock()()
	b, err := h.find(id)
	if err == nil {
		_, err = fmt.Fprintf(w, "a line of %s\n", b.Name)
	}
	return err
}

func (h *host) portHolder(port int) (docker.Container, bool) {
	defer h.lock()()
	if b := h.onPort(port); b != nil {
		return b.copy(), true
	}
	return docker.Container{}, false
}

func (h *host) onPort(port int) *box {
	for _, b := range h.sorted() {
		for _, p := range b.Ports {
			if b.up() && p.HostPort == port {
				return b
			}
		}
	}
	return nil
}

func (h *host) createNetwork(name, subnet string, labels map[string]string) docker.Network {
	defer h.lock()()
	h.lastID++
	n := docker.Network{ID: fmt.Sprintf("net%04d", h.lastID), Name: name, Subnet: cmp.Or(subnet, "10.77.0.0/20"), Labels: labels}
	h.networks[name] = n
	return n
}

func (h *host) networksLike(prefix string) (list []docker.Network) {
	defer h.lock()()
	for _, name := range slices.Sorted(maps.Keys(h.networks)) {
		if strings.HasPrefix(name, prefix) {
			list = append(list, h.networks[name])
		}
	}
	return list
}

func (h *host) removeNetwork(id string) error {
	defer h.lock()()
	for _, b := range h.sorted() {
		for name, e := range b.Networks {
			if e.NetworkID == id && b.Running() {
				return fmt.Errorf("network %s has active endpoints: %s", name, b.Name)
			}
		}
	}
	maps.DeleteFunc(h.networks, func(_ string, n docker.Network) bool { return n.ID == id })
	return nil
}

// connect gives a container an address, or takes it away when there is none.
func (h *host) connect(networkID, id, address string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err != nil {
		return err
	}
	for name, n := range h.networks {
		if n.ID != networkID {
			continue
		}
		delete(b.Networks, name)
		if address != "" {
			b.Networks[name] = docker.Endpoint{NetworkID: n.ID, Address: address, Fixed: address}
		}
	}
	return nil
}

func (h *host) removeVolume(name string) error {
	defer h.lock()()
	for _, b := range h.sorted() {
		if b.volume == name {
			return fmt.Errorf("volume %s is in use by %s", name, b.Name)
		}
	}
	delete(h.volumes, name)
	return nil
}

func (h *host) readVolume(name string) (map[string][]byte, error) {
	defer h.lock()()
	files, ok := h.volumes[name]
	if !ok {
		return nil, docker.ErrNotFound
	}
	tree := map[string][]byte{}
	for path, text := range files {
		tree[path] = []byte(text)
	}
	return tree, nil
}

// takeLock is atomic, as creating a container is.
func (h *host) takeLock(p *process, name string, labels map[string]string) (string, error) {
	defer h.lock()()
	if holder, err := h.find(name); err == nil {
		return "", &docker.LockHeldError{Holder: holder.copy()}
	}
	b, err := h.add(docker.Container{Name: name, Labels: labels})
	if err != nil {
		return "", err
	}
	h.runs[labels[LabelRun]] = p
	return b.ID, nil
}

func (h *host) renewLock(id string) error {
	defer h.lock()()
	b, err := h.find(id)
	if err == nil {
		b.renewed = time.Now()
	}
	return err
}

// lease is when a lock was last renewed; taking it counts.
func (h *host) lease(lock docker.Container) docker.Lease {
	defer h.lock()()
	l := docker.Lease{Renewed: lock.Created}
	if b := h.boxes[lock.ID]; b != nil && b.renewed.After(l.Renewed) {
		l.Renewed = b.renewed
	}
	l.Age = time.Since(l.Renewed)
	return l
}

// createNginx makes what the engine would: the container is there, and does not run.
func (h *host) createNginx(s docker.NginxSpec) (string, error) {
	defer h.lock()()
	b, err := h.add(docker.Container{
		Name: s.Name, ImageID: s.ImageID, Labels: s.Labels, RestartPolicy: "always",
		Networks: map[string]docker.Endpoint{s.NetworkName: {NetworkID: s.NetworkID}},
		Ports:    s.Ports,
	})
	if err != nil {
		return "", err
	}
	b.volume = s.Volume
	return b.ID, nil
}

// exec runs a command in a running container.
func (h *host) exec(p *process, id string, cmd []string) (docker.ExecResult, error) {
	defer h.lock()()
	b, err := h.find(id)
	if err != nil {
		return docker.ExecResult{}, err
	}
	if !b.Running() {
		return docker.ExecResult{}, fmt.Errorf("container %s is not running", b.Name)
	}
	return h.command(p, b.volume, cmd), nil
}

// runOnce runs a command in a container of its own, which stays when the caller is killed meanwhile.
func (h *host) runOnce(p *process, o docker.OneShot) (docker.ExecResult, error) {
	defer h.lock()()
	if o.ImageID == "" {
		return docker.ExecResult{}, errors.New("no image was given")
	}
	b, err := h.add(docker.Container{Name: o.Name, ImageID: o.ImageID, Labels: o.Labels, Ports: o.Ports})
	if err != nil {
		return docker.ExecResult{}, err
	}
	if err := h.free(b); err != nil {
		delete(h.boxes, b.ID)
		return docker.ExecResult{}, err
	}
	p.point("RunOnce, created")
	b.State = "exited"
	r := h.command(p, o.Volume, o.Cmd)
	if v := h.versions[o.ImageID]; v != "" && o.Cmd[0] == "nginx" {
		r.Stderr = "nginx version: nginx/" + v + "\n"
	}
	p.point("RunOnce, ended")
	delete(h.boxes, b.ID)
	return r, nil
}

func (h *host) command(p *process, volume string, cmd []string) docker.ExecResult {
	if cmd[0] == "apply" {
		return h.apply(p, volume, cmd[1])
	}
	return docker.ExecResult{Stderr: "nginx version: nginx/1.30.6\n"}
}

// summary is every container with what matters of it, one a line, and the volume and network there are.
func (h *host) summary() string {
	defer h.lock()()
	var lines []string
	for _, b := range h.boxes {
		line := b.Name + " " + b.State
		if b.Labels[LabelRole] == RoleProfile {
			line += fmt.Sprintf(" %s %s", b.Image, b.RestartPolicy)
		}
		lines = append(lines, line)
	}
	for name := range h.networks {
		lines = append(lines, "network "+name)
	}
	for name := range h.volumes {
		lines = append(lines, "volume "+name)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// state is what the volume remembers of the service.
func (h *host) state(t *testing.T) State {
	t.Helper()
	defer h.lock()()
	s, err := parseState([]byte(h.volumes["bluegreen-nginx"][nginx.StatePath("shop")]))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// records are the lines of history on the volume, oldest first.
func (h *host) records() []Record {
	defer h.lock()()
	return ParseHistory([]byte(h.volumes["bluegreen-nginx"][nginx.HistoryPath("shop")]))
}

// history is their commands and outcomes.
func (h *host) history() (list []string) {
	for _, r := range h.records() {
		list = append(list, fmt.Sprintf("%s %s %d", r.Command, r.Outcome, r.Release))
	}
	return list
}
