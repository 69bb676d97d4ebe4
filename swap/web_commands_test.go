package swap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
)

// sceneOf is a scene by its name.
func sceneOf(t *testing.T, name string) scene {
	t.Helper()
	i := slices.IndexFunc(scenes, func(s scene) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("there is no scene %q", name)
	}
	return scenes[i]
}

// tree are nginx's files, without what every run may write.
func (h *host) tree() map[string]string {
	defer h.lock()()
	files := maps.Clone(h.volumes["bluegreen-nginx"])
	delete(files, nginx.HistoryPath("shop"))
	return files
}

// TestAReloadWithoutAComposeFile reads anew what is there, and takes nothing from the site.
func TestAReloadWithoutAComposeFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, securely("v1", 1))
		before, loaded := h.tree(), h.generation()
		remembered := &config.Service{Host: config.Host{Network: "bluegreen"}}
		remembered.Settings.Service = "shop"
		res, err := h.process(fault{}).run(Request{Command: Reload, Service: remembered})
		if err != nil || res.Outcome != Done || h.generation() == loaded {
			t.Errorf("%+v, %v; generation %d, then %d", res, err, loaded, h.generation())
		}
		if !reflect.DeepEqual(h.tree(), before) {
			t.Error("files were changed")
		}
		checkLive(t, h)
	})
}

func TestMaintenanceOfAnotherProjectsServiceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, deploy("v1"))
		_, err := h.process(fault{}).run(Request{Command: MaintenanceOn, Service: shop("", func(s *config.Service) { s.Project = "other" })})
		if ExitCode(err) != ExitUsage || h.closed() {
			t.Errorf("%v; users get 503: %v", err, h.closed())
		}
	})
}

// TestAnInterruptedRecreateLeavesOneNginx: killed after every call, the next command of any kind that takes the lock leaves
// one nginx, which runs with the keys that its label and the volume name.
func TestAnInterruptedRecreateLeavesOneNginx(t *testing.T) {
	r := sceneOf(t, "nginx recreate").play(t)
	kept := map[string]int{}
	r.each(t, fine, killAfter, func(t *testing.T, f fault) {
		h := r.open()
		if _, err := h.process(f).run(r.request()); err == nil {
			t.Fatal("it lives")
		}
		h.mustRun(t, command(Health))
		var all []string
		for _, b := range h.sorted() {
			if b.Labels[LabelRole] == RoleNginx {
				all = append(all, b.Name+" "+b.State)
			}
		}
		if len(all) != 1 || all[0] != "bluegreen-nginx running" {
			t.Fatalf("there is %v", all)
		}
		label := h.must(t, "bluegreen-nginx").Labels[LabelHost]
		if text := h.tree()[nginx.HostPath]; strings.TrimSpace(text) != label {
			t.Errorf("the volume says %s, the container %s", text, label)
		}
		kept[label]++
		checkWhole(t, h)
		checkLive(t, h)
	})
	if len(kept) != 2 && sampled == 1 {
		t.Errorf("always the same one was kept: %v", kept)
	}
}

// TestRecreateAsksOnceItIsClearWhatChanges, and a no leaves no trace.
func TestRecreateAsksOnceItIsClearWhatChanges(t *testing.T) {
	no := errors.New("no")
	for _, c := range []struct {
		name    string
		answer  error // of Approve
		port    int
		asked   bool
		outcome Outcome
	}{
		{"yes", nil, 8888, true, Done},
		{"no", no, 8888, true, Failed},
		{"nothing changes", no, 0, false, Unchanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, deploy("v1"))
				before, lines, asked := h.summary(), len(h.records()), false
				p := h.process(fault{})
				res, err := p.run(Request{Command: Recreate, Service: shop("", func(s *config.Service) { s.Host.HTTP = c.port }), Approve: func(context.Context) error {
					asked = true
					plan := p.events[len(p.events)-1].Plan
					if plan == nil || !strings.Contains(strings.Join(plan.Notes, "\n"), fmt.Sprintf("x-bluegreen.nginx.http: %d, until now 80", c.port)) {
						t.Errorf("asked without saying what changes: %v", plan)
					}
					return c.answer
				}})
				if asked != c.asked || res.Outcome != c.outcome || !errors.Is(err, c.answer) && asked {
					t.Errorf("asked %v, %+v, %v", asked, res, err)
				}
				if c.outcome != Done && (h.summary() != before || len(h.records()) != lines) {
					t.Errorf("something was changed, or recorded:\n%s", h.summary())
				}
				if got := h.must(t, "bluegreen-nginx"); c.outcome == Done && !strings.Contains(got.Labels[LabelHost], `"http":8888`) {
					t.Errorf("nginx has %s", got.Labels[LabelHost])
				}
				soon()
				checkWhole(t, h)
			})
		})
	}
}

// TestAKilledRecreateIsAskedForAnew: one that was killed while there was no nginx of the name is settled before anybody is asked.
func TestAKilledRecreateIsAskedForAnew(t *testing.T) {
	r := sceneOf(t, "nginx recreate").play(t)
	r.each(t, fine, killAfter, func(t *testing.T, f fault) {
		if f.op != "Rename" && f.op != "Stop" {
			return
		}
		h := r.open()
		_, _ = h.process(f).run(r.request())
		again, asked := r.request(), false
		again.Approve = func(context.Context) error { asked = true; return nil }
		if res, err := h.process(fault{}).run(again); err != nil || asked != (res.Outcome == Done) {
			t.Errorf("%+v, asked %v: %v", res, asked, err)
		}
		soon()
		r.checkDone(t, h)
	})
}

// TestKilledWhileFilesAreStored: whatever part of them has arrived, the site that is live is whole, and the next reload ends
// with the new files and nothing else.
func TestKilledWhileFilesAreStored(t *testing.T) {
	r := sceneOf(t, "reload of a certificate").play(t)
	stored := map[int]bool{}
	r.each(t, fine, killAfter, func(t *testing.T, f fault) {
		if f.op != "rename" && f.op != "WriteFiles" && f.op != "Store" {
			return
		}
		h := r.open()
		if _, err := h.process(f).run(r.request()); err == nil {
			t.Fatal("it lives")
		}
		count := 0
		for name := range h.tree() {
			if strings.HasPrefix(name, nginx.FilesDir("shop")+"/02") {
				count++
			}
		}
		stored[count] = true
		checkLive(t, h)
		if missing := lacking(h.tree(), "shop"); missing != "" {
			t.Errorf("the site names %s, which is not there", missing)
		}
		h.mustRun(t, r.request())
		for name := range h.tree() {
			if strings.Contains(name, ".bg-tmp-") || strings.HasPrefix(name, nginx.FilesDir("shop")+"/01") {
				t.Errorf("%s is left", name)
			}
		}
		r.checkDone(t, h)
	})
	if len(stored) < 3 && sampled == 1 {
		t.Errorf("it was killed with %v new files only", slices.Sorted(maps.Keys(stored)))
	}
}

// TestAKilledReloadIsNotTakenBackByACommandThatLeavesTheSiteAlone: what its site became stays, and the host remembers that.
func TestAKilledReloadIsNotTakenBackByACommandThatLeavesTheSiteAlone(t *testing.T) {
	r := sceneOf(t, "reload of a certificate").play(t)
	shown := map[string]int{}
	r.each(t, fine, killAfter, func(t *testing.T, f fault) {
		h := r.open()
		if _, err := h.process(f).run(r.request()); err == nil {
			t.Fatal("it lives")
		}
		site := func() string { return nginx.CertificateOf(asBytes(h.tree()), "shop") }
		was := site()
		shown[was]++
		for _, c := range []Command{MaintenanceOff, MaintenanceOn, Rollback, MaintenanceOff} {
			h.mustRun(t, command(c))
			state, err := parseState([]byte(h.tree()[nginx.StatePath("shop")]))
			if err != nil {
				t.Fatal(err)
			}
			if now := site(); was == "02a.crt" && now != was || state.Settings.Web.TLS.Certificate.Name != now {
				t.Fatalf("after %s the site has %s, the host remembers %s; after the kill it had %s", c, now, state.Settings.Web.TLS.Certificate.Name, was)
			}
		}
		if left := unnamed(asBytes(h.tree()), "shop"); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		checkWhole(t, h)
	})
	if len(shown) != 2 && sampled == 1 {
		t.Errorf("always the same one was there: %v", shown)
	}
}

func asBytes(files map[string]string) map[string][]byte {
	all := map[string][]byte{}
	for name, text := range files {
		all[name] = []byte(text)
	}
	return all
}

// withCertificate gives a service a certificate of that name, alone.
func withCertificate(name string) func(*config.Service) {
	return func(s *config.Service) {
		c, k := config.File{Path: name, Name: name + ".crt"}, config.File{Path: name, Name: name + ".key"}
		s.Web = config.Web{TLS: &config.TLS{Certificate: c, Key: k}}
		s.Contents = map[string]config.Content{c.Name: {Text: []byte(name)}, k.Name: {Text: []byte(name), Secret: true}}
	}
}

// TestTwoServicesOfANameHaveOneCertificate, and a renewed one comes to the one after the other.
func TestTwoServicesOfANameHaveOneCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", named, withCertificate("one"))})
		api := func(c Command, edit ...func(*config.Service)) Request {
			r := neighbour("v1", edit...)
			r.Command = c
			return r
		}
		before := h.summary()
		_, err := h.process(fault{}).run(api(Deploy, withCertificate("two")))
		if ExitCode(err) != ExitUsage || !strings.Contains(fmt.Sprint(err), "service api: has another certificate for shop.example.com than service shop") {
			t.Errorf("another certificate: %v", err)
		}
		if h.summary() != before {
			t.Errorf("something was touched:\n%s", h.summary())
		}
		h.mustRun(t, api(Deploy)) // without one it is shown shop's
		p := h.process(fault{})
		if _, err := p.run(Request{Command: Down, Service: shop("", named), DryRun: true}); err != nil || !strings.Contains(fmt.Sprintf("%+v", *p.events[len(p.events)-1].Plan), "the certificate goes with shop: api") {
			t.Errorf("down of shop does not say what it means for api: %v, %+v", err, p.events)
		}
		if _, err := h.process(fault{}).run(api(Reload, withCertificate("two"))); ExitCode(err) != ExitUsage {
			t.Errorf("another certificate for a name that it has: %v", err)
		}
		soon()
		h.mustRun(t, api(Reload, withCertificate("one")))
		h.mustRun(t, Request{Command: Reload, Service: shop("", named, withCertificate("renewed"))})
		h.mustRun(t, api(Reload, withCertificate("renewed")))
		h.mustRun(t, api(Deploy, withCertificate("renewed again"))) // the other one follows
		checkWhole(t, h)
	})
}

// TestACertificateThatAnotherServiceTookMeanwhileIsRefused, under the host's lock: for a name that is new, and for one that the
// service had without a certificate.
func TestACertificateThatAnotherServiceTookMeanwhileIsRefused(t *testing.T) {
	for _, c := range []struct {
		command Command
		at      call
	}{{Deploy, call{"CreateProfile", 1}}, {Reload, call{"TakeLock", 2}}} {
		t.Run(string(c.command), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, Request{Command: Deploy, Service: service("first", "v1", under("first.example.com"), withCertificate("first"), func(s *config.Service) { s.Profiles[0].Port, s.Profiles[1].Port = 8095, 8096 })})
				h.mustRun(t, shopNamed("v1"))
				want := "shop-real1"
				if c.command == Reload {
					h.mustRun(t, neighbour("v1"))
					want = "api-real1"
				}
				p := h.process(fault{})
				p.at = map[call]func(){c.at: func() {
					_, err := h.process(fault{}).run(Request{Command: Reload, Service: shop("", named, withCertificate("one"))})
					if err != nil {
						t.Error(err)
					}
				}}
				_, err := p.run(Request{Command: c.command, Service: service("api", "v1", otherPorts, under(shared, "/api"), withCertificate("two"))})
				soon()
				if ExitCode(err) != ExitUsage || !strings.Contains(fmt.Sprint(err), "another certificate") {
					t.Errorf("%v", err)
				}
				h.wantGets(t, map[string]string{"shop.example.com/": "shop-real1", "shop.example.com/api": want})
				checkWhole(t, h)
			})
		})
	}
}

func TestDoctorFindsTwoCertificatesOfAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fresh(t)
		certificate, key := madeCertificate(t, 1, time.Now().Add(60*24*time.Hour))
		real := func(s *config.Service) {
			withCertificate("one")(s)
			s.Contents["one.crt"], s.Contents["one.key"] = config.Content{Text: certificate}, config.Content{Text: key, Secret: true}
		}
		p.mustRun(t, Request{Command: Deploy, Service: shop("v1", named, real)})
		p.mustRun(t, neighbour("v1", real))
		look := func() (found []string) {
			d, err := Diagnose(t.Context(), p.world(), shop("", named))
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range d.Checks {
				if c.Name == "certificate" {
					found = append(found, string(c.Level)+" "+c.What)
				}
			}
			return found
		}
		if got := look(); len(got) != 1 || !strings.HasPrefix(got[0], "ok ") {
			t.Errorf("with one: %q", got)
		}
		p.mustRun(t, neighbour("v1", withCertificate("two")))
		if got := look(); len(got) != 1 || got[0] != "warning service api has another certificate for shop.example.com: nginx shows one of the two" {
			t.Errorf("with two: %q", got)
		}
	})
}
