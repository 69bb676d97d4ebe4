package swap

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// mess is what somebody, or a bad day, made of a host where bluegreen was at work: no run leaves it so.
type mess struct {
	scene      string                   // how the host came about
	containers map[string]containerMess // by name
	include    string                   // "": as it was; "none"; or its text
	state      string                   // the same
	noSite     bool
	nginx      string // as it was, exited, paused, none
	noNetwork  bool
	locks      []string // of runs that are gone
	shot       bool     // a one-shot of such a run
	fault      fault    // what goes wrong with one more deploy before
}

// containerMess is what became of one container; where there was none, one is made.
type containerMess struct {
	state  string            // "": as it was; "none"; or the state it is in
	labels map[string]string // "-": taken away
	lost   bool              // its address
	image  string
}

var bases = map[string]func(*testing.T, *host){
	"nothing": nil, "one": deployed("v1"), "two": deployed("v1", "v2"), "three": deployed("v1", "v2", "v4"), "waiting": waiting, "stopped": stopped,
}

var placeNames = []string{"shop-real1", "shop-real2", "shop-real1-prev", "shop-real2-prev", "shop-real1-failed", "shop-real2-failed"}

// labelMess is what may have become of labels; "-": taken away.
var labelMess = []struct {
	label  string
	values []string
}{
	{LabelRelease, []string{"-", "", "x", "0", "-1", "1", "2", "3", "9", "99999999999999999999"}}, {LabelProfile, []string{"-", "real1", "real2", "blue"}},
	{LabelService, []string{"-", "other"}}, {LabelRole, []string{"-"}}, {LabelAddress, []string{"-"}}, {LabelContainerPort, []string{"-", "x"}},
	{LabelPort, []string{"-", "x"}}, {LabelHealth, []string{"-", "{"}}, {LabelRun, []string{"-"}}, {LabelProject, []string{"-"}}, {LabelNetwork, []string{"-", "other"}},
}

// anyMess draws one; most things are as they were, or nothing would ever get far.
func anyMess(t *rapid.T) mess {
	pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	seldom := func(name string) bool { return rapid.IntRange(0, 24).Draw(t, name) == 7 }
	m := mess{scene: pick("base", "nothing", "one", "two", "two", "three", "waiting", "stopped"), containers: map[string]containerMess{}}
	for _, name := range placeNames {
		if rapid.IntRange(0, 2).Draw(t, name) > 0 {
			continue
		}
		c := containerMess{state: pick("state", "", "none", "running", "exited", "paused", "created", "dead"), labels: map[string]string{}, lost: seldom("lost"), image: pick("image", "", "", "v1", "v3")}
		for _, l := range labelMess {
			if seldom(l.label) {
				c.labels[l.label] = pick("value", l.values...)
			}
		}
		m.containers[name] = c
	}
	target := func(name string) nginx.Target {
		return nginx.Target{Service: "shop", Profile: pick(name, "real1", "real2", "real1", "real2", "real1", "real2", "blue"), Release: rapid.IntRange(0, 5).Draw(t, name)}
	}
	switch pick("include", "", "", "", "", "", "", "other", "other", "other", "garbage", "torn", "none") {
	case "other":
		m.include = nginx.Include(target("include's"))
	case "garbage":
		m.include = "set $service_url http://127.0.0.1:8081;\n"
	case "torn":
		m.include = nginx.Include(target("include's"))[:20]
	case "none":
		m.include = "none"
	}
	m.state = anyState(t, pick)
	m.noSite, m.noNetwork, m.shot = seldom("no site"), seldom("no network"), seldom("one-shot")
	m.nginx = pick("nginx", "", "", "", "", "", "", "exited", "exited", "none", "paused")
	for _, l := range []string{"shop-lock", "bluegreen-host-lock"} {
		if seldom(l) {
			m.locks = append(m.locks, l)
		}
	}
	if rapid.Bool().Draw(t, "fault") {
		ops := strings.Fields("Rename Stop Start CreateProfile Remove rename append signal Confirm Apply TakeLock Probe SetRestartPolicy Exec")
		modes := []mode{failBefore, failAfter, cancelBefore, cancelAfter, killBefore, killAfter}
		m.fault = fault{call{pick("op", ops...), rapid.IntRange(1, 4).Draw(t, "n")}, rapid.SampledFrom(modes).Draw(t, "mode")}
	}
	return m
}

func anyState(t *rapid.T, pick func(string, ...string) string) string {
	ref := func(name string) *ReleaseRef {
		if rapid.IntRange(0, 3).Draw(t, name) == 0 {
			return nil
		}
		v := pick(name, "v1", "v2", "v4")
		return &ReleaseRef{Release: rapid.IntRange(0, 6).Draw(t, name), Profile: pick(name, "real1", "real2", "real1", "real2", "blue", ""), Image: v, ImageID: "sha256:" + v}
	}
	switch pick("state file", "", "", "", "other", "other", "garbage", "none", "zeros") {
	case "other":
		s := State{Confirmed: ref("confirmed"), Previous: ref("previous"), LastLive: rapid.IntRange(0, 6).Draw(t, "last live")}
		if rapid.Bool().Draw(t, "intent") {
			s.Intent = &Intent{Run: "gone", Kind: Deploy, From: ref("from"), To: ref("to")}
		}
		return s.text()
	case "garbage":
		return `{"confirmed": [`
	case "none":
		return "none"
	case "zeros":
		return strings.Repeat("\x00", 200)
	}
	return ""
}

// make makes the host. nginx has loaded the files as they are, unless it refuses them.
func (m mess) make(t *testing.T) *host {
	h := newHost()
	if set := bases[m.scene]; set != nil {
		set(t, h)
	}
	for _, name := range placeNames {
		if c, ok := m.containers[name]; ok {
			c.apply(h, name)
		}
	}
	if files := h.volumes["bluegreen-nginx"]; files != nil {
		for path, text := range map[string]string{nginx.IncludePath("shop"): m.include, nginx.StatePath("shop"): m.state} {
			switch text {
			case "":
			case "none":
				delete(files, path)
			default:
				files[path] = text
			}
		}
		if m.noSite {
			delete(files, nginx.SitePath("shop"))
		}
	}
	m.makeNginx(h)
	for _, name := range m.locks {
		_, _ = h.add(docker.Container{Name: name, Labels: map[string]string{LabelRole: RoleLock, LabelNetwork: "bluegreen", LabelService: "shop", LabelRun: "gone"}})
		h.runs["gone"] = &process{over: true}
	}
	if m.shot {
		_, _ = h.add(docker.Container{Name: "bluegreen-nginx-once-1", Labels: map[string]string{LabelRole: RoleOneShot, LabelNetwork: "bluegreen", LabelRun: "gone"}})
	}
	soon()
	h.wrongs = nil
	return h
}

func (m mess) makeNginx(h *host) {
	b, err := h.find("bluegreen-nginx")
	if err != nil {
		return
	}
	switch m.nginx {
	case "":
		_ = h.load()
	case "none":
		_ = h.remove(b.ID)
	default:
		h.halt(b, 1)
		b.State = m.nginx
	}
	if _, err := h.find("bluegreen-nginx"); m.noNetwork && err != nil {
		delete(h.networks, "bluegreen")
	}
}

func (m containerMess) apply(h *host, name string) {
	b, err := h.find(name)
	if m.state == "none" {
		if err == nil {
			h.halt(b, 1)
			delete(h.boxes, b.ID)
		}
		return
	}
	if err != nil {
		if m.state == "" {
			return
		}
		profile := strings.Split(name, "-")[1]
		port := map[string]int{"real1": 8081, "real2": 8082}[profile]
		b, _ = h.add(docker.Container{
			Name: name, Image: "v1", ImageID: "sha256:v1", Ports: []docker.Port{{HostIP: "127.0.0.1", HostPort: port, Container: port}},
			Networks: map[string]docker.Endpoint{"bluegreen": {Fixed: fmt.Sprintf("10.77.15.%d", port%256)}}, RestartPolicy: "unless-stopped",
			Labels: map[string]string{
				LabelService: "shop", LabelRole: RoleProfile, LabelProfile: profile, LabelRelease: "1", LabelNetwork: "bluegreen", LabelProject: "project-shop", LabelRun: "old",
				LabelAddress: fmt.Sprintf("10.77.15.%d", port%256), LabelContainerPort: fmt.Sprint(port), LabelPort: fmt.Sprint(port), LabelImage: "v1",
			},
		})
	}
	for label, v := range m.labels {
		if err == nil && (label == LabelAddress || label == LabelPort || label == LabelContainerPort) {
			continue // nobody can change labels: only a container that somebody made has others
		}
		if b.Labels[label] = v; v == "-" {
			delete(b.Labels, label)
		}
	}
	if m.image != "" && err != nil {
		b.Image, b.ImageID = m.image, "sha256:"+m.image
	}
	if m.state != "" && m.state != b.State {
		h.halt(b, 1)
		b.State = m.state
		if m.state == "running" {
			b.State = "exited"
			_ = h.start(b.ID)
		}
	}
	if m.lost {
		delete(b.Networks, "bluegreen")
	}
}
