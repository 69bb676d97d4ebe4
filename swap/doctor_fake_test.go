package swap

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// patient is a host in memory with what only Diagnose asks about. Every field is well at first.
type patient struct {
	*host
	t       *testing.T
	remote  bool
	skew    time.Duration
	room    int64         // bytes free
	version string        // of nginx
	refuses string        // nginx's words about its own configuration
	idle    health.Idle   // what the live app does
	kept    time.Duration // how long an idle connection was watched
	stray   []docker.Network
	twins   []string // ids of the networks of our name, when there are several
	aged    []docker.Aged
	asked   map[string]error // the call fails
	answer  *nginx.Target    // what the workers answer, instead of what they serve
	deaf    bool             // nobody listens at the status port
	conf    string           // nginx's main file, when it is not ours
	wrapped string           // what runs nginx
}

// admit deploys v1 and v2 on a host, and gives it what a real one has.
func admit(t *testing.T) *patient {
	t.Helper()
	p := fresh(t)
	deployed("v1", "v2")(t, p.host)
	p.must(t, "bluegreen-nginx").StopSignal = "SIGQUIT"
	p.must(t, "bluegreen-nginx").Mounts = []docker.Mount{{Type: "volume", Name: "bluegreen-nginx", Target: nginx.Root}}
	return p
}

// fresh is a host where nothing was deployed.
func fresh(t *testing.T) *patient {
	h := newHost()
	for ref, i := range h.images {
		i.Platform, i.Size = "linux/amd64", 100<<20
		h.images[ref], h.images[i.ID] = i, i
	}
	return &patient{host: h, t: t, room: 10 << 30, version: "1.30.6", asked: map[string]error{}}
}

// examine diagnoses shop, and makes sure that the look changed nothing.
func (p *patient) examine(image string) (Diagnosis, error) {
	p.t.Helper()
	before := p.all()
	d, err := Diagnose(p.t.Context(), p.world(), shop(image))
	if after := p.all(); after != before {
		p.t.Errorf("the look changed the host from\n%s\nto\n%s", before, after)
	}
	return d, err
}

// all is everything that a look must leave as it is.
func (p *patient) all() string {
	text := p.summary()
	files := p.volumes["bluegreen-nginx"]
	for _, path := range slices.Sorted(maps.Keys(files)) {
		text += "\n" + path + files[path]
	}
	return text
}

// findings are the problems and warnings: "level check".
func (p *patient) findings() (list []string) {
	p.t.Helper()
	d, err := p.examine("v2")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range d.Checks {
		if c.Level == LevelOK || c.Level == LevelSkipped {
			continue
		}
		if c.What == "" || c.Do == "" {
			p.t.Errorf("a finding without words: %+v", c)
		}
		list = append(list, fmt.Sprintf("%s %s", c.Level, c.Name))
	}
	return list
}

// world is the fake's, with the doctor's own questions.
func (p *patient) world() World {
	w := p.process(fault{}).world()
	run, once := w.Exec, w.RunOnce
	w.Exec = func(ctx context.Context, id string, cmd []string) (docker.ExecResult, error) {
		if r, ok := p.command(cmd); ok {
			return r, p.asked[cmd[0]]
		}
		return run(ctx, id, cmd)
	}
	w.RunOnce = func(ctx context.Context, o docker.OneShot) (docker.ExecResult, error) {
		if r, ok := p.command(o.Cmd); ok {
			return r, p.asked[o.Cmd[0]]
		}
		return once(ctx, o)
	}
	w.Ask = p.ask
	w.SharesLoopback = func() bool { return !p.remote }
	w.Engine = func(context.Context) (docker.Engine, error) {
		return docker.Engine{OS: "linux", Arch: "amd64", Time: time.Now().Add(p.skew)}, p.asked["Engine"]
	}
	w.WatchIdle = func(_ context.Context, _ health.Probe, watch time.Duration) (health.Idle, error) {
		p.kept = watch
		return p.idle, p.asked["WatchIdle"]
	}
	top := w.Top
	w.Top = func(ctx context.Context, id string) ([]docker.Process, error) {
		list, err := top(ctx, id)
		for i := range list {
			if list[i].Title != "nginx: master process nginx" {
				list[i].PPID = list[0].PID
			}
		}
		if p.wrapped != "" {
			list[0].PPID = 7
			list = append(list, docker.Process{PID: 7, PPID: 6, Title: p.wrapped})
		}
		if err == nil {
			list[0].Title += " -c " + cmp.Or(p.conf, managed)
		}
		return list, err
	}
	w.Ages = func(ctx context.Context, id string) ([]docker.Aged, error) { return p.ages(ctx, w, id) }
	p.networkQuestions(&w)
	return w
}

func (p *patient) networkQuestions(w *World) {
	one := w.Network
	w.Network = func(ctx context.Context, name string) (docker.Network, error) {
		if len(p.twins) > 0 {
			return docker.Network{}, fmt.Errorf("look up network: %w", &docker.DuplicateNetworkError{Name: name, IDs: p.twins})
		}
		return one(ctx, name)
	}
	w.NetworksLike = func(_ context.Context, prefix string) ([]docker.Network, error) {
		return append(p.networksLike(prefix), p.stray...), p.asked["NetworksLike"]
	}
}

// command is what the doctor's own commands beside nginx print.
func (p *patient) command(cmd []string) (docker.ExecResult, bool) {
	switch {
	case cmd[0] == "df":
		return docker.ExecResult{Stdout: fmt.Sprintf("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 264212084 13096748 %d 14%% %s\n", p.room>>10, nginx.Root)}, true
	case slices.Equal(cmd, []string{"nginx", "-v"}):
		return docker.ExecResult{Stderr: "nginx version: nginx/" + p.version + "\n"}, true
	case cmd[0] == "nginx" && p.refuses != "":
		return docker.ExecResult{ExitCode: 1, Stderr: p.refuses}, true
	case cmd[0] == "nginx":
		return docker.ExecResult{Stdout: p.dump()}, true
	}
	return docker.ExecResult{}, false
}

// dump prints the files that nginx reads, each where it is included first.
func (p *patient) dump() string {
	defer p.lock()()
	files, text, seen := p.volumes["bluegreen-nginx"], "", map[string]bool{}
	var add func(path, shown string)
	add = func(name, shown string) {
		if seen[name] {
			return
		}
		seen[name] = true
		text += fmt.Sprintf("# configuration file %s:\n%s\n", shown, files[name])
		for _, m := range included.FindAllStringSubmatch(files[name], -1) {
			for _, other := range slices.Sorted(maps.Keys(files)) {
				if ok, _ := path.Match(strings.TrimPrefix(m[1], nginx.Root+"/"), other); ok {
					add(other, nginx.Root+"/"+other)
				}
			}
		}
	}
	add(nginx.MainPath, cmp.Or(p.conf, nginx.Root+"/"+nginx.MainPath))
	return text
}

var included = regexp.MustCompile(`(?m)^ *include "?([^";]+)"?;`)

func (p *patient) ask(_ context.Context, _ nginx.StatusListener, service string) (nginx.Target, error) {
	got := p.serving(service)
	switch {
	case p.deaf:
		return nginx.Target{}, nginx.ErrNoAnswer
	case p.answer != nil:
		return *p.answer, nil
	case len(got) == 0:
		return nginx.Target{}, fmt.Errorf("ask for %s: the running nginx answers 404", service)
	}
	return got[0], nil
}

// ages are those of the processes that the fake's nginx has: of one generation, unless a test says otherwise.
func (p *patient) ages(ctx context.Context, w World, id string) (list []docker.Aged, err error) {
	if p.aged != nil || p.asked["Ages"] != nil {
		return p.aged, p.asked["Ages"]
	}
	now, err := w.Top(ctx, id)
	for _, x := range now {
		list = append(list, docker.Aged{Process: x, Age: time.Minute})
	}
	return list, err
}

// edit changes a file on the volume, as a person does: nobody reloads.
func (p *patient) edit(path, from, to string) {
	p.t.Helper()
	defer p.lock()()
	files := p.volumes["bluegreen-nginx"]
	if !strings.Contains(files[path], from) {
		p.t.Fatalf("%s has no %q", path, from)
	}
	files[path] = strings.ReplaceAll(files[path], from, to)
}

// put adds a container that somebody else left.
func (p *patient) put(c docker.Container, state string) *box {
	p.t.Helper()
	defer p.lock()()
	b, err := p.add(c)
	if err != nil {
		p.t.Fatal(err)
	}
	b.State = cmp.Or(state, "created")
	return b
}

// ours are the labels of a container of ours.
func ours(role, service string, more ...string) map[string]string {
	l := map[string]string{LabelRole: role, LabelNetwork: "bluegreen", LabelService: service, LabelRun: "gone", LabelProject: "project-" + service}
	for i := 0; i+1 < len(more); i += 2 {
		l[more[i]] = more[i+1]
	}
	return l
}
