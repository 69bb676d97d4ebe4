package swap

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// sight builds an observation, a line for each thing that is seen.
type sight struct{ Observation }

// bare is a host without anything of ours.
func bare() *sight {
	s := &sight{}
	s.Places[0].Profile, s.Places[1].Profile = config.Profile{Name: "real1", Port: 8081}, config.Profile{Name: "real2", Port: 8082}
	s.Files = map[string][]byte{}
	return s
}

// ready is a host with the network and a running nginx.
func ready() *sight {
	s := bare()
	s.Network = &docker.Network{ID: "net", Name: "bluegreen", Subnet: "10.77.0.0/20"}
	s.Volume = true
	return s.nginx("running")
}

func (s *sight) nginx(state string) *sight {
	s.Nginx = &docker.Container{ID: "nginx", Name: "bluegreen-nginx", State: state, Labels: map[string]string{LabelNginxVersion: "1.30.6"}}
	return s
}

func (s *sight) place(profile string) *Place {
	if profile == "real1" {
		return &s.Places[0]
	}
	return &s.Places[1]
}

// containerOf is that of a release; release 3 runs image v3.
func containerOf(name, state string, n int) *docker.Container {
	return &docker.Container{
		ID: name + fmt.Sprint(n), Name: name, State: state, ImageID: fmt.Sprintf("sha256:v%d", n),
		Labels: map[string]string{LabelRelease: fmt.Sprint(n), LabelConfigHash: "hash"},
	}
}

func (s *sight) in(profile, state string, n int) *sight {
	s.place(profile).Container = containerOf("shop-"+profile, state, n)
	s.Highest = max(s.Highest, n)
	return s
}

func (s *sight) aside(profile string, n int) *sight {
	s.place(profile).Prev = containerOf("shop-"+profile+"-prev", "exited", n)
	s.Highest = max(s.Highest, n)
	return s
}

func (s *sight) live(profile string, n int) *sight {
	s.Include = &nginx.Target{Service: "shop", Profile: profile, Release: n}
	s.Files[nginx.SitePath("shop")] = []byte("site")
	s.Files[nginx.HistoryPath("shop")] = []byte("{}")
	s.State.Confirmed = &ReleaseRef{Release: n, Profile: profile}
	s.State.LastLive, s.Healthy = max(s.State.LastLive, n), true
	return s
}

func (s *sight) was(profile string, n int) *sight {
	s.State.Previous = &ReleaseRef{Release: n, Profile: profile, Image: fmt.Sprintf("v%d", n)}
	s.State.LastLive = max(s.State.LastLive, n)
	return s
}

func (s *sight) sick() *sight {
	s.Healthy = false
	return s
}

// both is the usual sight: release 2 live in real2, release 1 warm in real1.
func both() *sight {
	return ready().in("real1", "running", 1).in("real2", "running", 2).was("real1", 1).live("real2", 2)
}

// want asks for a command with image v3.
func want(c Command, edit ...func(*Wanted)) Wanted {
	w := Wanted{Command: c, Service: shop("v3"), Image: docker.Image{ID: "sha256:v3", Ref: "v3"}, Hash: "hash", Site: []nginx.File{{Path: nginx.SitePath("shop"), Text: "site"}}}
	for _, e := range edit {
		e(&w)
	}
	return w
}

func image(n int) func(*Wanted) {
	return func(w *Wanted) { w.Image = docker.Image{ID: fmt.Sprintf("sha256:v%d", n), Ref: fmt.Sprintf("v%d", n)} }
}

func forced(w *Wanted)      { w.Force = true }
func switching(w *Wanted)   { w.Switch = true }
func alone(w *Wanted)       { w.Alone = true }
func volumes(w *Wanted)     { w.Volumes = true }
func otherSite(w *Wanted)   { w.Site = []nginx.File{{Path: nginx.SitePath("shop"), Text: "other"}} }
func otherConfig(w *Wanted) { w.Hash = "other" }
func drops(w *Wanted)       { w.Service.Settings.KeepOld = false }
func unwatched(w *Wanted)   { w.Service.Settings.Watch = 0 }

func pausing(w *Wanted)  { w.Pause = true }
func awaited(w *Wanted)  { w.WillPromote = true }
func unhooked(w *Wanted) { w.NoHooks = true }
func hooked(w *Wanted)   { withHooks(w.Service) }

// atPause is a host on which release 3 waits for a promote.
func atPause() *sight {
	s := both().in("real1", "running", 3).aside("real1", 1)
	s.State.Paused = pauseOf(3)
	return s
}

func pauseOf(n int) *Pause { return &Pause{Release: n, Profile: "real1", Who: "ann"} }

// steps is a plan on one line: its steps with their profiles, or why there are none.
func (p Plan) steps() string {
	if p.Unchanged() {
		return "nothing: " + p.Why
	}
	var list []string
	for _, s := range p.Steps {
		list = append(list, strings.TrimSpace(string(s.Kind)+" "+s.Profile))
	}
	return fmt.Sprintf("%d: %s", p.Release, strings.Join(list, ", "))
}

const goLive3 = "health real1, switch real1, verify real1, watch real1"

var plans = []struct {
	name string
	is   *sight
	want Wanted
	plan string // or the error
}{
	{"first deploy", bare(), want(Deploy), "1: network, nginx, create real1, " + goLive3},
	{"first deploy beside another service", ready(), want(Deploy), "1: create real1, " + goLive3},
	{"second deploy", ready().in("real1", "running", 1).live("real1", 1), want(Deploy), "2: drain real2, create real2, health real2, switch real2, verify real2, watch real2"},
	{"redeploy", both(), want(Deploy), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"redeploy without a watch", both(), want(Deploy, unwatched), "3: drain real1, retire real1, create real1, health real1, switch real1, verify real1, finish real1"},
	{"redeploy, keep_old false", both(), want(Deploy, drops), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1, rest real2"},
	{"redeploy onto a stopped container", both().in("real1", "exited", 1), want(Deploy), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"redeploy beside a waiting release", both().in("real1", "running", 3).aside("real1", 1), want(Deploy, image(4)), "4: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"a number is never given out twice", func() *sight { s := both(); s.Highest = 41; return s }(), want(Deploy), "42: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"unchanged", both(), want(Deploy, image(2)), "nothing: release 2 already runs this image and configuration in real2"},
	{"unchanged, but forced", both(), want(Deploy, image(2), forced), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"unchanged, but does not answer", both().sick(), want(Deploy, image(2)), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"same image, other configuration", both(), want(Deploy, image(2), otherConfig), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"only the site changes", both(), want(Deploy, image(2), otherSite), "2: site real2"},
	{"unchanged, but nginx is down", both().nginx("exited"), want(Deploy, image(2)), "2: nginx"},
	{"unchanged, but the old one is no longer to be kept", both(), want(Deploy, image(2), drops), "2: rest real1"},
	{"unchanged, and a release waits", both().in("real1", "running", 3), want(Deploy, image(2), drops), "nothing: release 2 already runs this image and configuration in real2"},
	{"nginx is down", both().nginx("exited"), want(Deploy), "3: nginx, drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},

	{"rollback", both(), want(Rollback), "1: health real1, switch real1, verify real1"},
	{"rollback of a live one that is down", both().sick(), want(Rollback), "1: health real1, switch real1, verify real1"},
	{"rollback to a stopped container", both().in("real1", "exited", 1), want(Rollback), "1: start real1, health real1, switch real1, verify real1"},
	{"rollback to what is aside", both().in("real1", "running", 3).aside("real1", 1), want(Rollback), "1: restore real1, health real1, switch real1, verify real1"},
	{"rollback to what is aside of one that was live", func() *sight {
		s := both().in("real1", "running", 3).aside("real1", 1)
		s.State.LastLive = 3
		return s
	}(), want(Rollback), "1: drain real1, restore real1, health real1, switch real1, verify real1"},
	{"rollback with nginx down", both().nginx("exited"), want(Rollback), "1: nginx, health real1, switch real1, verify real1"},
	{"rollback when nothing is live", ready(), want(Rollback), "nothing to roll back to: the service is not live"},
	{"rollback of the first", ready().in("real1", "running", 1).live("real1", 1), want(Rollback), "nothing to roll back to: release 1 in real1 is the only one that was confirmed"},
	{"rollback to what was replaced", both().in("real1", "running", 3), want(Rollback), "nothing to roll back to: release 1 (v1) is no longer in real1"},
	{"rollback to what was removed", func() *sight { s := both(); s.Places[0].Container = nil; return s }(), want(Rollback), "nothing to roll back to: release 1 (v1) is no longer in real1"},

	{"stop", both(), want(Stop), "0: drain real1, stop real1"},
	{"stop of a release that waits", both().in("real1", "running", 3).aside("real1", 1), want(Stop), "0: drain real1, stop real1"},
	{"stop again", both().in("real1", "exited", 1), want(Stop), "nothing: nothing runs in real1"},
	{"stop on a bare host", bare(), want(Stop), "nothing: nothing runs in real1"},

	{"start", both(), want(Start), "3: drain real1, retire real1, create real1"},
	{"start of the first", bare(), want(Start), "1: network, nginx, create real1"},
	{"start again", both().in("real1", "running", 3).aside("real1", 1), want(Start), "nothing: release 3 already waits in real1"},
	{"start again, forced", both().in("real1", "running", 3).aside("real1", 1), want(Start, forced), "4: drain real1, retire real1, create real1"},
	{"start of another one", both().in("real1", "running", 3).aside("real1", 1), want(Start, image(4)), "4: drain real1, retire real1, create real1"},

	{"health", both().in("real1", "running", 3), want(Health), "3: health real1"},
	{"health of nothing", ready(), want(Health), "nothing was started in real1: run `bluegreen start` first"},
	{"health and switch", both().in("real1", "running", 3).aside("real1", 1), want(Health, switching), "3: " + goLive3 + ", finish real1"},
	{"health and switch again", both(), want(Health, switching), "nothing: nothing to switch: no new release waits in real1; release 2 is live in real2"},
	{"health and switch of nothing", ready(), want(Health, switching), "nothing was started in real1: run `bluegreen start` first"},

	{"switch", both().in("real1", "running", 3).aside("real1", 1), want(Switch), "3: " + goLive3 + ", finish real1"},
	{"switch, keep_old false", both().in("real1", "running", 3).aside("real1", 1), want(Switch, drops), "3: " + goLive3 + ", finish real1, rest real2"},
	{"switch of the first", ready().in("real1", "running", 1), want(Switch), "1: " + goLive3 + ", finish real1"},
	{"switch again never flips back", both(), want(Switch), "nothing: nothing to switch: no new release waits in real1; release 2 is live in real2"},
	{"switch to one that was switched back from", func() *sight {
		s := both().in("real1", "running", 3).aside("real1", 1)
		s.State.LastLive = 3
		return s
	}(), want(Switch), "nothing: nothing to switch: no new release waits in real1; release 2 is live in real2"},
	{"switch to one that ended fails at its health", both().in("real1", "exited", 3), want(Switch), "3: " + goLive3 + ", finish real1"},
	{"switch of nothing", bare(), want(Switch), "nothing: nothing to switch: no new release waits in real1"},

	{"deploy that pauses", both(), want(Deploy, pausing), "3: drain real1, retire real1, create real1, health real1, pause real1"},
	{"first deploy that pauses", bare(), want(Deploy, pausing), "1: network, nginx, create real1, health real1, pause real1"},
	{"a pause with nothing to pause before", both(), want(Deploy, pausing, image(2)), "nothing: release 2 already runs this image and configuration in real2: there is nothing to pause before"},
	{"a pause brings no site", both(), want(Deploy, pausing, image(2), otherSite), "nothing: release 2 already runs this image and configuration in real2: there is nothing to pause before; its site has changed: `bluegreen reload` brings that into nginx"},
	{"a pause again", atPause(), want(Deploy, pausing), "nothing: release 3 is paused in real1 since " + Moment(time.Time{}) + ", by ann"},
	{"a pause again that is waited for", atPause(), want(Deploy, pausing, awaited), "3: health real1, pause real1"},
	{"a wait for a release that is live", atPause(), want(Deploy, pausing, awaited, image(2)), "nothing: release 2 already runs this image and configuration in real2: there is nothing to pause before"},
	{"a pause again, forced", atPause(), want(Deploy, pausing, forced), "4: drain real1, retire real1, create real1, health real1, pause real1"},
	{"a pause of another one", atPause(), want(Deploy, pausing, image(4)), "4: drain real1, retire real1, create real1, health real1, pause real1"},
	{"a pause that a killed run did not say", both().in("real1", "running", 3).aside("real1", 1), want(Deploy, pausing), "3: health real1, pause real1"},
	{"a deploy without a pause over a paused one", atPause(), want(Deploy), "4: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"rollback while paused", atPause(), want(Rollback), "1: restore real1, health real1, switch real1, verify real1"},
	{"promote", atPause(), want(Promote), "3: " + goLive3 + ", finish real1"},
	{"promote of one that a stage left", both().in("real1", "running", 3).aside("real1", 1), want(Promote), "3: " + goLive3 + ", finish real1"},
	{"promote of the first", ready().in("real1", "running", 1), want(Promote), "1: " + goLive3 + ", finish real1"},
	{"promote again never flips back", both(), want(Promote), "nothing: nothing to promote: no new release waits in real1; release 2 is live in real2"},
	{"promote of nothing", bare(), want(Promote), "nothing: nothing to promote: no new release waits in real1"},
	{"abort", atPause(), want(Abort), "3: discard real1, restore real1"},
	{"abort of the first", ready().in("real1", "running", 1), want(Abort), "1: discard real1"},
	{"abort of one that ended", both().in("real1", "exited", 3).aside("real1", 1), want(Abort), "3: discard real1, restore real1"},
	{"abort again", both(), want(Abort), "nothing: nothing to abort: no new release waits in real1; release 2 is live in real2"},
	{"abort on a bare host", bare(), want(Abort), "nothing: nothing to abort: no new release waits in real1"},
	{"down while the first is paused", func() *sight { s := ready().in("real1", "running", 1); s.State.Paused = pauseOf(1); return s }(), want(Down), "0: out, drain, remove"},

	{"deploy with hooks", both(), want(Deploy, hooked), "3: pre_deploy real1, drain real1, retire real1, create real1, health real1, pre_switch real1, switch real1, verify real1, watch real1, post_switch real1, finish real1"},
	{"deploy with hooks that are left out", both(), want(Deploy, hooked, unhooked), "3: drain real1, retire real1, create real1, " + goLive3 + ", finish real1"},
	{"unchanged runs no hooks", both(), want(Deploy, hooked, image(2)), "nothing: release 2 already runs this image and configuration in real2"},
	{"a site alone runs no hooks", both(), want(Deploy, hooked, image(2), otherSite), "2: site real2"},
	{"a pause comes before the hooks of the switch", both(), want(Deploy, hooked, pausing), "3: pre_deploy real1, drain real1, retire real1, create real1, health real1, pause real1"},
	{"promote with hooks", atPause(), want(Promote, hooked), "3: health real1, pre_switch real1, switch real1, verify real1, watch real1, post_switch real1, finish real1"},
	{"start with hooks", both(), want(Start, hooked), "3: pre_deploy real1, drain real1, retire real1, create real1"},
	{"rollback with hooks", both(), want(Rollback, hooked), "1: health real1, switch real1, verify real1, post_switch real1"},

	{"down alone", both(), want(Down, alone), "0: out, drain, remove, host"},
	{"down beside another service", both(), want(Down), "0: out, drain, remove"},
	{"down with nginx down", both().nginx("exited"), want(Down, alone), "0: out, remove, host"},
	{"down of what was never live", ready().in("real1", "running", 1), want(Down), "0: drain, remove"},
	{"down again", bare(), want(Down, alone), "nothing: nothing of it is here"},
	{"down again with the history", func() *sight { s := bare(); s.Volume = true; return s }(), want(Down, alone, volumes), "0: host"},
	{"down again with the history, beside another service", func() *sight {
		s := ready()
		s.Files[nginx.HistoryPath("shop")] = []byte("{}")
		return s
	}(), want(Down, volumes), "0: out, drain"},
}

func TestPlan(t *testing.T) {
	for _, x := range plans {
		t.Run(x.name, func(t *testing.T) {
			p, err := MakePlan(x.is.Observation, x.want)
			got := p.steps()
			if err != nil {
				got = err.Error()
			}
			if got != x.plan && !(err != nil && strings.HasPrefix(got, x.plan)) {
				t.Errorf("got  %s\nwant %s", got, x.plan)
			}
		})
	}
}

func TestPlanSaysWhatAPersonShouldKnow(t *testing.T) {
	p, _ := MakePlan(both().sick().Observation, want(Deploy))
	if notes := strings.Join(p.Notes, " "); !strings.Contains(notes, "real2 does not answer") || !strings.Contains(notes, "brings release 1 back at once") {
		t.Errorf("got %q", notes)
	}
	old := both()
	old.Nginx.Labels[LabelNginxVersion] = "1.22.1"
	p, _ = MakePlan(old.Observation, want(Deploy))
	if notes := strings.Join(p.Notes, " "); !strings.Contains(notes, "nginx 1.22.1") {
		t.Errorf("got %q", notes)
	}
	for _, c := range []Command{Deploy, Reload} {
		changed := both()
		changed.State.Settings = &shop("v2").Settings
		w := want(c, otherSite, image(2))
		w.FromFile, w.Service.Settings.MaxBody = true, "7m"
		p, _ = MakePlan(changed.Observation, w)
		if notes := strings.Join(p.Notes, " "); !strings.Contains(notes, "the site in nginx changes: other max_body") {
			t.Errorf("%s: got %q", c, notes)
		}
	}
	last := ready()
	last.Volume, last.Files[nginx.HistoryPath("api")], last.Files[nginx.HistoryPath("shop")] = true, []byte("{}"), []byte("{}")
	p, _ = MakePlan(last.Observation, want(Down, alone, volumes))
	if text := p.Steps[len(p.Steps)-1].Text; !strings.HasSuffix(text, "; the history too, also that of api") {
		t.Errorf("got %q", text)
	}
	_, err := MakePlan(ready().Observation, want(Rollback))
	var nothing *NothingToRollBackError
	if !errors.As(err, &nothing) || !strings.Contains(nothing.Do, "bluegreen deploy shop") || ExitCode(err) != ExitFailed {
		t.Errorf("got %v", err)
	}
	if _, err := MakePlan(bare().Observation, want("fly")); err == nil {
		t.Error("a command that is none was planned")
	}
}

// TestEveryStepSaysWhatItDoes and whether it has an undo, as the table of actions has it.
func TestEveryStepSaysWhatItDoes(t *testing.T) {
	for _, x := range plans {
		p, _ := MakePlan(x.is.Observation, x.want)
		for _, s := range p.Steps {
			a, ok := actions[s.Kind]
			if !ok || s.Text == "" || s.Undo != "" && a.undo == nil {
				t.Errorf("%s: step %+v", x.name, s)
			}
		}
	}
}
