package swap

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/config"
	"bluegreen/health"
	"bluegreen/nginx"
)

// shop is a service with short times.
func shop(image string, edit ...func(*config.Service)) *config.Service {
	return service("shop", image, edit...)
}

func service(name, image string, edit ...func(*config.Service)) *config.Service {
	s := &config.Service{
		Settings: config.Settings{
			Service: name, Project: "project-" + name, Profiles: [2]config.Profile{{Name: "real1", Port: 8081}, {Name: "real2", Port: 8082}},
			Health: config.Health{Path: "/profile", Expect: config.ExpectProfile, Interval: 100 * time.Millisecond, Timeout: time.Second, Successes: 2, Deadline: 3 * time.Second},
			Watch:  500 * time.Millisecond, Drain: time.Minute, KeepOld: true, Keepalive: 64, KeepaliveTimeout: time.Second, MaxBody: "100m", ProxyTimeout: time.Minute,
		},
		Image: image, ProfileEnv: []string{"PROFILE"}, PortEnv: []string{"PORT"}, Host: config.Host{Network: "bluegreen"},
		Compose: types.ServiceConfig{Name: name},
	}
	for _, e := range edit {
		e(s)
	}
	return s
}

func dropOld(s *config.Service)    { s.KeepOld = false }
func noWatch(s *config.Service)    { s.Watch = 0 }
func named(s *config.Service)      { s.ServerNames = []string{"shop.example.com"} }
func withHeader(s *config.Service) { s.ReleaseHeader = "X-Bluegreen-Release" }
func onOnePort(s *config.Service)  { s.ContainerPort = 9000 }
func otherPorts(s *config.Service) { s.Profiles[0].Port, s.Profiles[1].Port = 8091, 8092 }
func deploy(image string) Request  { return Request{Command: Deploy, Service: shop(image)} }
func command(c Command) Request    { return Request{Command: c, Service: shop("")} }
func start(image string) Request   { return Request{Command: Start, Service: shop(image)} }
func deployed(images ...string) func(*testing.T, *host) {
	return func(t *testing.T, h *host) {
		for _, i := range images {
			h.mustRun(t, deploy(i))
		}
	}
}

// hostWith is a host on which these images were deployed, one after the other.
func hostWith(t *testing.T, images ...string) *host {
	t.Helper()
	h := newHost()
	deployed(images...)(t, h)
	return h
}

// mustRun runs a request on a host where nothing fails.
func (h *host) mustRun(t *testing.T, r Request) Result {
	t.Helper()
	res, err := h.process(fault{}).run(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Command, r.Service.Image, err)
	}
	soon()
	return res
}

// scene is a command on a host that came about by other commands.
type scene struct {
	name    string
	set     func(*testing.T, *host)
	request func() Request
	// gives up: what was there cannot be brought back in full by the command's undos.
	loses bool
	// What is live needs the nginx that the command brings up: it stays.
	keepsNginx bool
}

var scenes = []scene{
	{name: "first deploy", request: func() Request { return deploy("v1") }},
	{name: "second deploy", set: deployed("v1"), request: func() Request { return deploy("v2") }},
	{name: "redeploy", set: deployed("v1", "v2"), request: func() Request { return deploy("v3") }},
	{name: "redeploy without a watch", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: Deploy, Service: shop("v3", noWatch)}
	}},
	{name: "redeploy, keep_old false", set: func(t *testing.T, h *host) {
		deployed("v1")(t, h)
		h.mustRun(t, Request{Command: Deploy, Service: shop("v2", dropOld)})
	}, request: func() Request { return Request{Command: Deploy, Service: shop("v3", dropOld)} }},
	{name: "deploy of the same", set: deployed("v1", "v2"), request: func() Request { return deploy("v2") }},
	{name: "deploy of a site", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: Deploy, Service: shop("v2", named)}
	}},
	{name: "deploy under other names and paths", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.mustRun(t, neighbour("v1", under("api.example.com")))
	}, request: func() Request {
		return Request{Command: Deploy, Service: shop("v3", func(s *config.Service) { s.ServerNames = []string{shared, "x.example.com"} })}
	}},
	{name: "deploy over an older bluegreen's site", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.older(t, "shop")
	}, request: func() Request { return deploy("v3") }},
	{name: "deploy beside a waiting release", set: waiting, loses: true, request: func() Request { return deploy("v4") }},
	{name: "deploy when nginx is down", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.halt(h.must(t, "bluegreen-nginx"), 1)
	}, request: func() Request { return deploy("v3") }},
	{name: "deploy when nginx is gone", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.halt(h.must(t, "bluegreen-nginx"), 1)
		_ = h.remove("bluegreen-nginx")
	}, request: func() Request { return deploy("v3") }, keepsNginx: true},
	{name: "deploy after one that was killed", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		_, _ = h.process(fault{call{"Confirm", 1}, killAfter}).run(deploy("v3"))
	}, loses: true, request: func() Request { return deploy("v4") }},
	{name: "rollback", set: deployed("v1", "v2"), request: func() Request { return command(Rollback) }},
	{name: "rollback to a stopped profile", set: stopped, request: func() Request { return command(Rollback) }},
	{name: "rollback to one that does not start", set: func(t *testing.T, h *host) {
		stopped(t, h)
		h.must(t, "shop-real1").stuck = true
	}, loses: true, request: func() Request { return command(Rollback) }},
	{name: "rollback to what was put aside", set: waiting, loses: true, request: func() Request { return command(Rollback) }},
	{name: "stop", set: deployed("v1", "v2"), request: func() Request { return command(Stop) }},
	{name: "start", set: deployed("v1", "v2"), request: func() Request { return start("v3") }},
	{name: "start of the first", request: func() Request { return start("v1") }},
	{name: "health", set: waiting, request: func() Request { return command(Health) }},
	{name: "switch", set: waiting, request: func() Request { return command(Switch) }},
	{name: "health and switch", set: waiting, request: func() Request {
		return Request{Command: Health, Switch: true, Service: shop("")}
	}},
	{name: "deploy that pauses", set: deployed("v1", "v2"), request: func() Request { return pause("v3") }},
	{name: "deploy that pauses and brings a preview", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: Deploy, Pause: true, Service: shop("v3", named, previewed("next.example.com"))}
	}},
	{name: "first deploy that pauses", request: func() Request { return pause("v1") }},
	{name: "deploy that pauses, over one that is paused", set: pausedAt("v3"), loses: true, request: func() Request { return pause("v4") }},
	{name: "promote", set: pausedAt("v3"), request: func() Request { return command(Promote) }},
	{name: "promote of the first", set: func(t *testing.T, h *host) { h.mustRun(t, pause("v1")) }, request: func() Request { return command(Promote) }},
	{name: "abort", set: pausedAt("v3"), loses: true, request: func() Request { return command(Abort) }},
	{name: "abort of the first", set: func(t *testing.T, h *host) { h.mustRun(t, pause("v1")) }, loses: true, request: func() Request { return command(Abort) }},
	{name: "rollback while paused", set: pausedAt("v3"), loses: true, request: func() Request { return command(Rollback) }},
	{name: "deploy with a certificate that pauses", set: func(t *testing.T, h *host) {
		h.mustRun(t, securely("v1", 1))
		h.mustRun(t, securely("v2", 1))
	}, request: func() Request {
		r := securely("v3", 2)
		r.Pause = true
		return r
	}},
	{name: "promote with a certificate", set: func(t *testing.T, h *host) {
		h.mustRun(t, securely("v1", 1))
		r := securely("v2", 2)
		r.Pause = true
		h.mustRun(t, r)
	}, request: func() Request { return Request{Command: Promote, Service: shop("", secured(2))} }},
	{name: "deploy with hooks", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: Deploy, Service: shop("v3", withHooks)}
	}},
	{name: "rollback with hooks", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: Rollback, Service: shop("", withHooks)}
	}},
	{name: "first deploy with a certificate", request: func() Request { return securely("v1", 1) }},
	{name: "deploy with a new certificate", set: func(t *testing.T, h *host) {
		h.mustRun(t, securely("v1", 1))
		h.mustRun(t, securely("v2", 1))
	}, request: func() Request { return securely("v3", 2) }},
	{name: "reload of a certificate", set: func(t *testing.T, h *host) {
		h.mustRun(t, securely("v1", 1))
		h.mustRun(t, securely("v2", 1))
	}, request: func() Request { return Request{Command: Reload, Service: shop("", secured(2))} }},
	{name: "reload of what is there", set: deployed("v1", "v2"), request: func() Request { return command(Reload) }},
	{name: "nginx recreate", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: Recreate, Service: shop("", func(s *config.Service) { s.Host.HTTPS = 443 })}
	}},
	{name: "maintenance on", set: deployed("v1", "v2"), request: func() Request {
		return Request{Command: MaintenanceOn, Service: shop("")}
	}},
	{name: "maintenance off", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.mustRun(t, Request{Command: MaintenanceOn, Service: shop("")})
	}, request: func() Request { return Request{Command: MaintenanceOff, Service: shop("")} }},
	{name: "deploy in maintenance", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.mustRun(t, Request{Command: MaintenanceOn, Service: shop("")})
	}, request: func() Request { return deploy("v3") }},
	{name: "down", set: deployed("v1", "v2"), loses: true, request: func() Request { return command(Down) }},
	{name: "down with the history", set: deployed("v1", "v2"), loses: true, request: func() Request {
		return Request{Command: Down, Volumes: true, Service: shop("")}
	}},
	{name: "down beside another service", set: func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.mustRun(t, Request{Command: Deploy, Service: service("other", "v1", named, otherPorts)})
	}, loses: true, request: func() Request { return command(Down) }},
	{name: "down beside one that shares the name", set: func(t *testing.T, h *host) {
		h.mustRun(t, shopNamed("v1"))
		h.mustRun(t, shopNamed("v2"))
		h.mustRun(t, neighbour("v1"))
	}, loses: true, request: func() Request { return Request{Command: Down, Service: shop("", named)} }},
}

// pause is a deploy that pauses.
func pause(image string) Request { return Request{Command: Deploy, Pause: true, Service: shop(image)} }

// pausedAt is a host where release 3 is paused, and release 1, whose place it has, is aside.
func pausedAt(image string) func(*testing.T, *host) {
	return func(t *testing.T, h *host) {
		deployed("v1", "v2")(t, h)
		h.mustRun(t, pause(image))
	}
}

// withHooks has one of each event here, and one in a container.
func withHooks(s *config.Service) {
	here := []config.Hook{{Script: "here", In: config.InHost, Timeout: time.Minute}}
	s.ProjectDef, s.File = &types.Project{WorkingDir: "/work"}, "compose.yaml"
	s.Hooks = config.Hooks{PreDeploy: here, PreSwitch: append(slices.Clone(here), config.Hook{Script: "there", In: config.InContainer, Timeout: time.Minute}), PostSwitch: here, OnFailure: here}
}

// waiting is a host where release 3 waits to go live, and release 1, whose place it has, is aside.
func waiting(t *testing.T, h *host) {
	deployed("v1", "v2")(t, h)
	h.mustRun(t, start("v3"))
}

// stopped is a host where release 2 is live, and release 1 is stopped in its place.
func stopped(t *testing.T, h *host) {
	deployed("v1", "v2")(t, h)
	h.mustRun(t, command(Stop))
}

func (s scene) start(t *testing.T) *host {
	t.Helper()
	h := newHost()
	if s.set != nil {
		s.set(t, h)
	}
	if len(h.wrongs) > 0 {
		t.Fatalf("before anything failed: %v", h.wrongs)
	}
	return h
}

// reference is how a scene begins, how it ends when nothing fails, and the calls it makes on the way.
type reference struct {
	scene
	host          *host // before
	at            time.Time
	before, after string
	served        bool  // before
	was, is       State // is: after
	calls         []call
	planned       int // so many of them come before the plan
}

// open is the scene's host in a bubble of its own, at the time at which the command is to come.
func (r reference) open() *host {
	time.Sleep(time.Until(r.at))
	return r.host.clone()
}

var (
	// reads are the calls that have no effect; polls are made again and again.
	reads = strings.Fields("NetworksLike LockLease RenewLock Image Remote HostPlatform Containers Container PortHolder Network VolumeExists ReadTree ReadVolume Top Logs Wait Probe Leaf")
	// inside are the places inside a call: to fail before and to fail after is the same there.
	inside = []string{"rename", "append", "signal"}
)

// faults are the ways in which a list of calls can be broken: each before, if that makes a difference, and each
// that has an effect after it.
func faults(calls []call, before, after mode) (list []fault) {
	for i, c := range calls {
		isRead := slices.Contains(reads, c.op)
		polls := isRead && i > 1 && calls[i-1].op == c.op && calls[i-2].op == c.op
		if before != fine && !polls && !slices.Contains(inside, c.op) {
			list = append(list, fault{c, before})
		}
		if !isRead {
			list = append(list, fault{c, after})
		}
	}
	return sample(list)
}

func sample(list []fault) (some []fault) {
	for i, f := range list {
		if i%sampled == 0 {
			some = append(some, f)
		}
	}
	return some
}

// onEveryScene runs a test for every scene, several at a time, and returns when all are through.
func onEveryScene(t *testing.T, test func(*testing.T, reference)) {
	t.Run("scene", func(t *testing.T) {
		for _, s := range scenes {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				test(t, s.play(t))
			})
		}
	})
}

// each runs a test for every fault.
func (r reference) each(t *testing.T, before, after mode, test func(*testing.T, fault)) {
	for _, f := range faults(r.calls, before, after) {
		t.Run(f.String(), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, f) }) })
	}
}

func (s scene) play(t *testing.T) (r reference) {
	t.Helper()
	r.scene = s
	synctest.Test(t, func(t *testing.T) {
		h := s.start(t)
		r.host, r.at = h.clone(), time.Now()
		r.before, r.served, r.was = h.summary(), len(h.serving("shop")) > 0, h.state(t)
		p := h.process(fault{})
		if _, err := p.run(s.request()); err != nil {
			t.Fatal(err)
		}
		r.calls, r.planned = p.calls, p.planned
		soon()
		r.after, r.is = h.summary(), h.state(t)
		checkSettled(t, h)
	})
	return r
}

// checkWhole is what is true after every run, whatever became of it: nothing half made, nothing held,
// nothing open, no request lost.
func checkWhole(t *testing.T, h *host) {
	t.Helper()
	for _, w := range h.wrongs {
		t.Error(w)
	}
	for _, b := range h.sorted() {
		if b.State == "created" && release(&b.Container) > h.state(t).LastLive { // an old one is all there is of it
			t.Errorf("left behind: %s, a %s in state created", b.Name, b.Labels[LabelRole])
		}
		if role := b.Labels[LabelRole]; role == RoleLock || role == RoleOneShot {
			t.Errorf("left behind: %s, a %s", b.Name, role)
		}
	}
	if i := h.state(t).Intent; i != nil {
		t.Errorf("an intent is open: %+v", i)
	}
	lines := map[string]int{}
	for _, r := range h.records() {
		if lines[r.Run]++; lines[r.Run] > 1 {
			t.Errorf("a run has %d lines of history: %+v", lines[r.Run], r)
		}
	}
	checkCounted(t, h)
}

// checkSettled is both: nothing is left behind, and what is recorded answers.
func checkSettled(t *testing.T, h *host) {
	t.Helper()
	checkWhole(t, h)
	checkLive(t, h)
}

// checkLive makes sure that the recorded release is the one that answers.
func checkLive(t *testing.T, h *host) {
	t.Helper()
	st, got := h.state(t), h.serving("shop")
	if st.Confirmed == nil {
		if len(got) > 0 {
			t.Errorf("%v is served, and nothing is recorded", got)
		}
		return
	}
	if len(got) != 1 || got[0].Release != st.Confirmed.Release || got[0].Profile != st.Confirmed.Profile {
		t.Errorf("%v is served, release %d in %s is recorded", got, st.Confirmed.Release, st.Confirmed.Profile)
	}
	if closed := h.closed(); closed != (st.Maintenance != nil) {
		t.Errorf("users get 503: %v; recorded: %+v", closed, st.Maintenance)
	}
	if st.Maintenance != nil {
		return
	}
	for _, host := range []string{"", "shop.example.com"} {
		if _, err := h.probe(health.Probe{URL: "http://127.0.0.1:80/", Host: host, Profile: st.Confirmed.Profile}); err == nil {
			return
		}
	}
	t.Errorf("release %d in %s does not answer through nginx", st.Confirmed.Release, st.Confirmed.Profile)
}

// wayBacks has the hosts, by their print, on which a rollback was tried.
var wayBacks sync.Map

// print is the same for hosts that are the same in all that a run can tell, the history aside.
func (h *host) print() string {
	text := h.summary()
	defer h.lock()()
	for _, b := range h.sorted() {
		text += fmt.Sprint("\n", b.Name, b.Labels[LabelRelease], b.Networks, b.stuck, b.sick)
	}
	files := h.volumes["bluegreen-nginx"]
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if path != nginx.HistoryPath("shop") && path != nginx.RevokedPath("shop") { // breaking a dead lock writes there
			text += "\n" + path + files[path]
		}
	}
	return text
}

// checkWayBack makes sure that the release before the live one can be rolled back to.
func checkWayBack(t *testing.T, h *host) {
	t.Helper()
	st := h.state(t)
	if st.Previous == nil {
		return
	}
	if _, known := wayBacks.LoadOrStore(h.print(), true); known {
		return // thousands of runs end in the same few ways
	}
	if _, err := h.process(fault{}).run(command(Rollback)); err != nil {
		t.Errorf("no way back to release %d: %v", st.Previous.Release, err)
		return
	}
	soon()
	if now := h.state(t).Confirmed; now.Release != st.Previous.Release {
		t.Errorf("rolled back to %d, not to %d", now.Release, st.Previous.Release)
	}
}

// without leaves lines out of a summary.
func without(summary string, parts ...string) string {
	lines := slices.DeleteFunc(strings.Split(summary, "\n"), func(l string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(l, p) })
	})
	return strings.Join(lines, "\n")
}
