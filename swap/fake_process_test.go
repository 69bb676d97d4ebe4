package swap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/hook"
	"bluegreen/nginx"
)

// process is one run of the command on a host. It may be made to fail, be interrupted or die at one of
// the calls that it makes.
type process struct {
	h       *host
	fault   fault
	second  fault           // comes to pass after the first
	at      map[call]func() // what happens on the host just before a call
	limit   time.Duration   // of the whole run; 0: none
	mu      sync.Mutex
	calls   []call
	counts  map[string]int
	ctx     context.Context
	cancel  context.CancelFunc // Ctrl-C
	events  []Event
	planned int  // calls before the plan
	hit     bool // the fault came to pass
	dead    bool
	over    bool
}

// call is the n-th call of an operation in one run.
type call struct {
	op string
	n  int
}

func (c call) String() string { return fmt.Sprintf("%s %d", c.op, c.n) }

// mode is what goes wrong at a call.
type mode int

const (
	fine mode = iota
	failBefore
	failAfter // it took effect, and an error is what comes back
	cancelBefore
	cancelAfter
	killBefore
	killAfter
	sickens // the new release answers three times with an error from here on
)

func (m mode) String() string {
	return [...]string{"fine", "fails", "fails after its effect", "Ctrl-C before", "Ctrl-C after", "killed before", "killed after", "makes the release sick"}[m]
}

type fault struct {
	call
	mode mode
}

func (f fault) String() string { return f.call.String() + " " + f.mode.String() }

var (
	errFault  = errors.New("the engine had a bad moment")
	errKilled = errors.New("killed")
)

func (h *host) process(f fault) *process {
	p := &process{h: h, fault: f, counts: map[string]int{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// run runs a request to its end, or to the process's.
func (p *process) run(r Request) (res Result, err error) {
	ctx, cancel := context.WithTimeout(p.ctx, cmp.Or(p.limit, time.Hour))
	defer cancel()
	r.Emit = func(e Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, e)
		if e.Kind == Planned {
			p.planned = len(p.calls)
		}
	}
	err = errKilled
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err = Run(ctx, p.world(), r)
	}()
	<-done
	p.over = true
	return res, err
}

// enter counts a call and says what goes wrong with it. A dead process calls nobody.
func (p *process) enter(op string) mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		runtime.Goexit()
	}
	p.counts[op]++
	c := call{op, p.counts[op]}
	p.calls = append(p.calls, c)
	if c == p.fault.call {
		p.hit = true
		return p.fault.mode
	}
	if c == p.second.call && p.hit {
		return p.second.mode
	}
	return fine
}

// happen is what a test wants to happen at the call that was entered last.
func (p *process) happen(op string) {
	p.mu.Lock()
	event := p.at[call{op, p.counts[op]}]
	p.mu.Unlock()
	if event != nil {
		event()
	}
}

func (p *process) die() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.cancel()
	runtime.Goexit()
}

// sicken makes the container that nginx sends requests to answer with errors.
func (h *host) sicken() {
	defer h.lock()()
	if b := h.behind("", "/"); b != nil {
		b.sick = 3
	}
}

// point is a place inside an operation: the process may die there, or what it does fail by half.
func (p *process) point(op string) (fails bool) {
	switch p.enter(op) {
	case failBefore, failAfter:
		return true
	case cancelBefore, cancelAfter:
		p.cancel()
	case killBefore, killAfter:
		p.die()
	}
	return false
}

// do makes one call with what goes wrong at it.
func do[T any](p *process, ctx context.Context, op string, f func() (T, error)) (T, error) {
	var zero T
	mode := p.enter(op)
	p.happen(op)
	switch mode {
	case failBefore:
		return zero, fmt.Errorf("%s: %w", op, errFault)
	case cancelBefore:
		p.cancel()
	case killBefore:
		p.die()
	case sickens:
		p.h.sicken()
	}
	if err := ctx.Err(); err != nil {
		return zero, fmt.Errorf("%s: %w", op, err)
	}
	v, err := f()
	if !slices.Contains(reads, op) {
		p.h.inspect(op)
	}
	switch mode {
	case failAfter:
		return zero, errors.Join(err, fmt.Errorf("%s: %w", op, errFault))
	case cancelAfter:
		p.cancel()
		if ctx.Err() != nil {
			return zero, fmt.Errorf("%s: %w", op, ctx.Err())
		}
	case killAfter:
		p.die()
	}
	return v, err
}

// create is do for what the engine's client takes away again when it is interrupted.
func create(p *process, ctx context.Context, op string, f func() (string, error)) (string, error) {
	var made string
	id, err := do(p, ctx, op, func() (_ string, err error) {
		made, err = f()
		return made, err
	})
	if made != "" && errors.Is(err, context.Canceled) {
		_ = p.h.remove(made)
	}
	return id, err
}

func act(p *process, ctx context.Context, op string, f func() error) error {
	_, err := do(p, ctx, op, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// world is the host as this process sees it.
func (p *process) world() World {
	w := World{
		SharesLoopback: func() bool { return !p.h.elsewhere },
		Dial: func(_ context.Context, id, _ string) (net.Conn, error) {
			if p.h.noDialer {
				return nil, &docker.NoDialerError{Container: id}
			}
			near, far := net.Pipe()
			return near, far.Close()
		},
		Logs: func(ctx context.Context, id string, _ docker.LogOptions, out, _ io.Writer) error {
			return act(p, ctx, "Logs", func() error { return p.h.logs(id, out) })
		},
		Wait: func(ctx context.Context, id string) <-chan docker.Exit {
			c, err := do(p, ctx, "Wait", func() (<-chan docker.Exit, error) { return p.h.wait(id), nil })
			if err != nil {
				broken := make(chan docker.Exit, 1)
				broken <- docker.Exit{Err: err}
				return broken
			}
			return c
		},
		HolderGone: func(labels map[string]string) bool {
			defer p.h.lock()()
			holder := p.h.runs[labels[LabelRun]]
			return holder != nil && (holder.over || holder.dead)
		},
		Probe: func(ctx context.Context, q health.Probe) (string, error) {
			return do(p, ctx, "Probe", func() (string, error) { return p.h.probe(q) })
		},
	}
	p.images(&w)
	p.containers(&w)
	p.networks(&w)
	p.volumes(&w)
	p.nginx(&w)
	return w
}

func (p *process) images(w *World) {
	h := p.h
	w.Image = func(ctx context.Context, ref string) (docker.Image, error) {
		return do(p, ctx, "Image", func() (docker.Image, error) {
			i, ok := h.images[ref]
			if !ok {
				return i, docker.ErrNotFound
			}
			return i, nil
		})
	}
	w.Pull = func(ctx context.Context, ref, _ string, _ func(docker.PullProgress)) (docker.Image, error) {
		return do(p, ctx, "Pull", func() (docker.Image, error) {
			h.image(ref, app{})
			return h.images[ref], nil
		})
	}
	w.Remote = func(ctx context.Context, ref string) (docker.Remote, error) {
		return do(p, ctx, "Remote", func() (docker.Remote, error) {
			return docker.Remote{}, &docker.RegistryError{Image: ref, Registry: "registry.example", Why: docker.Otherwise, Err: errors.New("it is down")}
		})
	}
	w.HostPlatform = func(ctx context.Context) (string, error) {
		return do(p, ctx, "HostPlatform", func() (string, error) { return "linux/amd64", nil })
	}
	w.TakeLock = func(ctx context.Context, name string, labels map[string]string) (string, error) {
		return create(p, ctx, "TakeLock", func() (string, error) { return h.takeLock(p, name, labels) })
	}
	w.RenewLock = func(ctx context.Context, id string) error {
		return act(p, ctx, "RenewLock", func() error { return h.renewLock(id) })
	}
	w.LockLease = func(ctx context.Context, lock docker.Container) (docker.Lease, error) {
		return do(p, ctx, "LockLease", func() (docker.Lease, error) { return h.lease(lock), nil })
	}
	w.RemoveLockImage = func(ctx context.Context) error {
		return act(p, ctx, "RemoveLockImage", func() error { return nil })
	}
}

func (p *process) containers(w *World) {
	h := p.h
	w.Containers = func(ctx context.Context, labels map[string]string) ([]docker.Container, error) {
		return do(p, ctx, "Containers", func() ([]docker.Container, error) { return h.containers(labels) })
	}
	w.Container = func(ctx context.Context, key string) (docker.Container, error) {
		return do(p, ctx, "Container", func() (docker.Container, error) { return h.container(key) })
	}
	w.CreateProfile = func(ctx context.Context, s docker.ProfileSpec) (string, error) {
		return create(p, ctx, "CreateProfile", func() (string, error) { return h.createProfile(s) })
	}
	w.Recreate = func(ctx context.Context, id string) (string, error) {
		return do(p, ctx, "Recreate", func() (string, error) { return h.recreate(p, id) })
	}
	w.Start = func(ctx context.Context, id string) error {
		return act(p, ctx, "Start", func() error { return h.start(id) })
	}
	w.Stop = func(ctx context.Context, id string) error {
		return act(p, ctx, "Stop", func() error { return h.stop(id) })
	}
	w.Rename = func(ctx context.Context, id, name string) error {
		return act(p, ctx, "Rename", func() error { return h.rename(id, name) })
	}
	w.Remove = func(ctx context.Context, id string) error {
		return act(p, ctx, "Remove", func() error { return h.remove(id) })
	}
	w.SetRestartPolicy = func(ctx context.Context, id, policy string) error {
		return act(p, ctx, "SetRestartPolicy", func() error { return h.setRestartPolicy(id, policy) })
	}
	w.Ask = func(_ context.Context, l nginx.StatusListener, service string) (nginx.Target, error) {
		if l.URL == "" {
			return nginx.Target{}, nginx.ErrNoAnswer
		}
		if served := h.serving(service); len(served) > 0 {
			return served[0], nil
		}
		return nginx.Target{}, nginx.ErrNoAnswer
	}
	w.ComposeNetworks = func(context.Context, types.ServiceConfig, *types.Project) (there, missing []string, err error) {
		return nil, nil, nil
	}
	w.PortHolder = func(ctx context.Context, port int) (docker.Container, bool, error) {
		var held bool
		c, err := do(p, ctx, "PortHolder", func() (c docker.Container, err error) {
			c, held = h.portHolder(port)
			return c, nil
		})
		return c, held, err
	}
}

func (p *process) networks(w *World) {
	h := p.h
	w.Network = func(ctx context.Context, name string) (docker.Network, error) {
		return do(p, ctx, "Network", func() (docker.Network, error) {
			defer h.lock()()
			n, ok := h.networks[name]
			if !ok {
				return n, docker.ErrNotFound
			}
			return n, nil
		})
	}
	w.NetworksLike = func(ctx context.Context, prefix string) ([]docker.Network, error) {
		return do(p, ctx, "NetworksLike", func() ([]docker.Network, error) { return h.networksLike(prefix), nil })
	}
	w.CreateNetwork = func(ctx context.Context, name, subnet string, labels map[string]string) (docker.Network, error) {
		return do(p, ctx, "CreateNetwork", func() (docker.Network, error) { return h.createNetwork(name, subnet, labels), nil })
	}
	w.RemoveNetwork = func(ctx context.Context, id string) error {
		return act(p, ctx, "RemoveNetwork", func() error { return h.removeNetwork(id) })
	}
	w.Connect = func(ctx context.Context, network, id, address string) error {
		return act(p, ctx, "Connect", func() error { return h.connect(network, id, address) })
	}
	w.Disconnect = func(ctx context.Context, network, id string) error {
		return act(p, ctx, "Disconnect", func() error { return h.connect(network, id, "") })
	}
}

func (p *process) volumes(w *World) {
	h := p.h
	w.CreateVolume = func(ctx context.Context, name string, _ map[string]string) error {
		return act(p, ctx, "CreateVolume", func() error {
			defer h.lock()()
			if h.volumes[name] == nil {
				h.volumes[name] = map[string]string{}
			}
			return nil
		})
	}
	w.VolumeExists = func(ctx context.Context, name string) (bool, error) {
		return do(p, ctx, "VolumeExists", func() (bool, error) {
			defer h.lock()()
			return h.volumes[name] != nil, nil
		})
	}
	w.RemoveVolume = func(ctx context.Context, name string) error {
		return act(p, ctx, "RemoveVolume", func() error { return h.removeVolume(name) })
	}
	w.ReadTree = func(ctx context.Context, _, _ string) (map[string][]byte, error) {
		return do(p, ctx, "ReadTree", func() (map[string][]byte, error) { return h.readVolume("bluegreen-nginx") })
	}
	w.ReadVolume = func(ctx context.Context, volume string, _ map[string]string) (map[string][]byte, error) {
		return do(p, ctx, "ReadVolume", func() (map[string][]byte, error) { return h.readVolume(volume) })
	}
}

// nginx fills in the calls that package nginx makes; only the script and the status listener are acted.
func (p *process) nginx(w *World) {
	h := p.h
	w.CreateNginx = func(ctx context.Context, s docker.NginxSpec) (string, error) {
		return create(p, ctx, "CreateNginx", func() (string, error) { return h.createNginx(s) })
	}
	w.NginxVersion = nginx.Version
	w.WriteFiles = func(ctx context.Context, _, folder string, files []docker.ArchiveFile) error {
		return act(p, ctx, "WriteFiles", func() error { return h.writeFiles(folder, files) })
	}
	w.Store = func(ctx context.Context, _ nginx.Place, service, run string, files []nginx.Stored) error {
		return act(p, ctx, "Store", func() error { return h.store(p, service, run, files) })
	}
	w.Leaf = func(ctx context.Context, _ health.Dial, _, name string) ([]byte, error) {
		return do(p, ctx, "Leaf", func() ([]byte, error) { return h.leaf(name) })
	}
	w.Workers = nginx.ReadWorkers
	w.Drain = nginx.Drain
	w.Apply = func(ctx context.Context, at nginx.Place, c nginx.Change) error {
		text, err := json.Marshal(c)
		if err != nil {
			return err
		}
		return act(p, ctx, "Apply", func() error { return applied(at.Run(ctx, []string{"apply", string(text)})) })
	}
	w.Confirm = func(ctx context.Context, at nginx.Place, c nginx.Confirmation) error {
		return act(p, ctx, "Confirm", func() error {
			if err := nginx.Confirm(ctx, at, nginx.Confirmation{Before: c.Before, Deadline: c.Deadline}); err != nil {
				return err
			}
			return h.confirmed(c.Want)
		})
	}
	w.Exec = func(ctx context.Context, id string, cmd []string) (docker.ExecResult, error) {
		return do(p, ctx, "Exec", func() (docker.ExecResult, error) { return h.exec(p, id, cmd) })
	}
	w.RunOnce = func(ctx context.Context, o docker.OneShot) (docker.ExecResult, error) {
		return do(p, ctx, "RunOnce", func() (docker.ExecResult, error) { return h.runOnce(p, o) })
	}
	w.RunHook = func(ctx context.Context, c hook.Command) error {
		return act(p, ctx, "RunHook", func() error { return h.ranHook(c.Script, c.Env, c.Output) })
	}
	w.RunTask = func(ctx context.Context, t docker.Task) (int, error) {
		return do(p, ctx, "RunTask", func() (int, error) { return h.runTask(p, t) })
	}
	w.Top = func(ctx context.Context, id string) ([]docker.Process, error) {
		return do(p, ctx, "Top", func() ([]docker.Process, error) { return h.top(id) })
	}
}

// applied is what Apply makes of the script's end.
func applied(r nginx.Result, err error) error {
	switch {
	case err != nil:
		return err
	case r.ExitCode == 10:
		return &nginx.TestError{Output: r.Stdout}
	case r.ExitCode == 14:
		return nginx.ErrFenced
	case r.ExitCode != 0:
		return fmt.Errorf("exit code %d: %s%s", r.ExitCode, r.Stdout, r.Stderr)
	}
	return nil
}

// confirmed is the status listener's word.
func (h *host) confirmed(want *nginx.Target) error {
	if want == nil {
		return nil
	}
	got := h.serving(want.Service)
	for _, t := range got {
		if t != *want {
			return &nginx.NotConfirmedError{Reason: fmt.Sprintf("answered by %v, not by %v", t, want)}
		}
	}
	if len(got) == 0 {
		return &nginx.NotConfirmedError{Reason: "no such service"}
	}
	return nil
}

// soon lets the old workers finish.
func soon() { time.Sleep(10 * time.Second) }
