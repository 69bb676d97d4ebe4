package swap

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/nginx"
)

// under gives a service a server name, and paths of it.
func under(name string, paths ...string) func(*config.Service) {
	return func(s *config.Service) {
		s.Paths = paths
		if s.ServerNames = nil; name != "" {
			s.ServerNames = []string{name}
		}
	}
}

const shared = "shop.example.com"

// neighbour is a second service, which has /api of the name that shop has the rest of.
func neighbour(image string, edit ...func(*config.Service)) Request {
	return Request{Command: Deploy, Service: service("api", image, append([]func(*config.Service){otherPorts, under(shared, "/api")}, edit...)...)}
}

// shopNamed deploys shop under the shared name.
func shopNamed(image string) Request { return Request{Command: Deploy, Service: shop(image, named)} }

// neighbours is a host where both run.
func neighbours(t *testing.T) *host {
	t.Helper()
	h := newHost()
	for _, r := range []Request{shopNamed("v1"), neighbour("v1"), shopNamed("v2"), neighbour("v2")} {
		h.mustRun(t, r)
	}
	return h
}

// gets is who answers a request.
func (h *host) gets(name, path string) string {
	defer h.lock()()
	if b := h.behind(name, path); b != nil {
		return b.Name
	}
	return "nobody"
}

// of are a service's files, and the ids of its containers: all that another one's deploy must leave alone.
func (h *host) of(service string) string {
	defer h.lock()()
	var lines []string
	for name, text := range h.volumes["bluegreen-nginx"] {
		if name == nginx.SitePath(service) || strings.HasPrefix(name, nginx.ServiceDir(service)+"/") {
			lines = append(lines, name+" "+text)
		}
	}
	for _, b := range h.boxes {
		if b.Labels[LabelService] == service {
			lines = append(lines, b.ID+" "+b.Name+" "+b.State)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// file sets, or with "none" removes, a file in nginx's volume.
func (h *host) file(name, text string) {
	defer h.lock()()
	if h.volumes["bluegreen-nginx"][name] = text; text == "none" {
		delete(h.volumes["bluegreen-nginx"], name)
	}
}

func (p *process) said() string {
	var b strings.Builder
	for _, e := range p.events {
		b.WriteString(e.Text + "\n")
	}
	return b.String()
}

func (h *host) wantGets(t *testing.T, want map[string]string) {
	t.Helper()
	for request, who := range want {
		name, path, _ := strings.Cut(request, "/")
		if got := h.gets(name, "/"+path); got != who {
			t.Errorf("%s is answered by %s, not %s", request, got, who)
		}
	}
}

func TestServicesShareANameByTheirPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := neighbours(t)
		h.mustRun(t, Request{Command: Deploy, Service: service("all", "v1", under("", "/all"), func(s *config.Service) { s.Profiles[0].Port, s.Profiles[1].Port = 8095, 8096 })})
		h.wantGets(t, map[string]string{
			"shop.example.com/": "shop-real2", "shop.example.com/apix": "shop-real2", "shop.example.com/api": "api-real2", "shop.example.com/api/x": "api-real2",
			"shop.example.com/all": "shop-real2", "else.example.com/all/x": "all-real1", "else.example.com/": "nobody", "_live.api/": "api-real2",
		})
		api := h.of("api")
		h.mustRun(t, shopNamed("v3"))
		h.mustRun(t, Request{Command: Rollback, Service: shop("", named)})
		h.mustRun(t, Request{Command: Down, Service: shop("", named)})
		if h.of("api") != api {
			t.Errorf("what shop's commands left of api:\n%s\nbefore:\n%s", h.of("api"), api)
		}
		h.wantGets(t, map[string]string{"shop.example.com/": "nobody", "shop.example.com/api": "api-real2", "else.example.com/all": "all-real1"})
		checkWhole(t, h)
	})
}

func TestAServiceWhoseNamesAndPathsChangeLeavesNoOldOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := neighbours(t)
		h.mustRun(t, neighbour("v3", under("api.example.com")))
		h.wantGets(t, map[string]string{"shop.example.com/api": "shop-real2", "api.example.com/x": "api-real1"})
		h.mustRun(t, neighbour("v3", under(shared, "/v2"))) // the site alone
		h.wantGets(t, map[string]string{"shop.example.com/api": "shop-real2", "shop.example.com/v2/x": "api-real1", "api.example.com/": "nobody"})
		if text := h.of("api"); strings.Contains(text, "at-api") || strings.Contains(text, `"/api"`) {
			t.Errorf("old parts are left:\n%s", text)
		}
	})
}

// What another service has is refused before anything is touched; what it took meanwhile, when it is to go live.
func TestANameAndPathThatAnotherServiceHasIsRefused(t *testing.T) {
	for _, x := range []struct{ name, file, want string }{
		{"at once", "", ""}, {"meanwhile", "", "meanwhile"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, Request{Command: Deploy, Service: service("all", "v1", under("all.example.com"), func(s *config.Service) { s.Profiles[0].Port, s.Profiles[1].Port = 8095, 8096 })})
				other := neighbour("v1", under(shared))
				p := h.process(fault{})
				if x.want == "" {
					h.mustRun(t, other)
				} else {
					p.at = map[call]func(){{"CreateProfile", 1}: func() { _, _ = h.process(fault{}).run(other) }}
				}
				_, err := p.run(shopNamed("v1"))
				soon()
				if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "api serves the name shop.example.com on this nginx already") {
					t.Errorf("exit %d: %v", ExitCode(err), err)
				}
				h.wantGets(t, map[string]string{"shop.example.com/": "api-real1", "all.example.com/": "all-real1"})
				for name := range h.volumes["bluegreen-nginx"] {
					if name == nginx.SitePath("shop") || strings.HasSuffix(name, ".loc") && strings.HasPrefix(name, nginx.ServiceDir("shop")) {
						t.Errorf("left %s", name)
					}
				}
				checkWhole(t, h)
			})
		})
	}
}

// Pages for errors, and paths with gRPC, stand beside what a service takes, and hide none of it.
func TestWhatAServiceWithPagesAndGRPCHasIsRefusedToOthers(t *testing.T) {
	grpc := func(s *config.Service) { s.Web.GRPC = &config.GRPC{Paths: []string{"/shop.Orders"}} }
	for name, c := range map[string]struct {
		has, wants func(*config.Service)
		want       string
	}{
		"all, beside pages":   {secured(1), under(shared), "shop serves the name shop.example.com on this nginx already"},
		"all, beside gRPC":    {grpc, under(shared), "shop serves the name shop.example.com on this nginx already"},
		"a path with gRPC":    {grpc, under(shared, "/shop.Orders"), "already under /shop.Orders"},
		"gRPC of a path":      {under(shared, "/shop.Orders"), func(s *config.Service) { under(shared, "/api")(s); grpc(s) }, "already under /shop.Orders"},
		"a path that is free": {grpc, under(shared, "/api"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, Request{Command: Deploy, Service: shop("v1", named, c.has)})
				_, err := h.process(fault{}).run(neighbour("v1", c.wants))
				if code := ExitCode(err); c.want != "" && (code != ExitUsage || !strings.Contains(err.Error(), c.want)) || c.want == "" && err != nil {
					t.Errorf("exit %d: %v", code, err)
				}
				for _, b := range h.sorted() {
					if c.want != "" && strings.HasPrefix(b.Name, "api-real") {
						t.Errorf("%s was made", b.Name)
					}
				}
			})
		})
	}
}

func TestTwoFirstDeploysOfOneNameAtOnceGiveItToOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		errs := make(chan error, 2)
		for _, r := range []Request{shopNamed("v1"), neighbour("v1", under(shared))} {
			go func() {
				_, err := h.process(fault{}).run(r)
				errs <- err
			}()
		}
		codes := []int{ExitCode(<-errs), ExitCode(<-errs)}
		soon()
		if slices.Sort(codes); !slices.Equal(codes, []int{ExitDone, ExitUsage}) {
			t.Errorf("exits %v", codes)
		}
		if got := h.gets(shared, "/"); got != "shop-real1" && got != "api-real1" {
			t.Errorf("%s answers", got)
		}
		checkWhole(t, h)
	})
}

// damages are what may become of another service's files, and what the message says.
var damages = map[string]struct{ file, text, says string }{
	"a site that is no configuration":    {nginx.SitePath("api"), "broken", "nginx refused the site of service api (sites/api.conf), which is put back as it was last confirmed"},
	"a proxy.inc that is none":           {nginx.ProxyPath("api"), "broken", "site of service api (sites/api/proxy.inc)"},
	"a proxy.inc that is gone":           {nginx.ProxyPath("api"), "none", "files of the site of service api are missing"},
	"a torn include":                     {nginx.IncludePath("api"), "set $service_url", "files of the site of service api are missing or lead elsewhere"},
	"an include that is gone":            {nginx.IncludePath("api"), "none", "files of the site of service api are missing"},
	"an include of another service":      {nginx.IncludePath("api"), nginx.Include(nginx.Target{Service: "shop", Profile: "real1", Release: 1}), "or lead elsewhere"},
	"an include of no profile":           {nginx.IncludePath("api"), nginx.Include(nginx.Target{Service: "api", Profile: "real3", Release: 1}), "or lead elsewhere"},
	"a site that is gone":                {nginx.SitePath("api"), "none", "files of the site of service api are missing"},
	"an empty site":                      {nginx.SitePath("api"), "", "files of the site of service api are missing"},
	"a part that is gone":                {nginx.PartPath("api", shared), "none", "files of the site of service api are missing"},
	"paths that are those of the others": {nginx.LocationsPath("api"), "location / {\n}\n", ""},
}

func TestADamagedSiteOfAnotherServiceStopsNoSwapAndIsPutBack(t *testing.T) {
	for name, d := range damages {
		for _, command := range []Command{Deploy, Rollback, Down} {
			t.Run(fmt.Sprint(name, ", ", command), func(t *testing.T) {
				if d.says == "" && command == Down {
					t.Skip("then it is no damage any more")
				}
				synctest.Test(t, func(t *testing.T) {
					h := neighbours(t)
					before := h.of("api")
					h.file(d.file, d.text)
					p := h.process(fault{})
					res, err := p.run(Request{Command: command, Service: shop("v3", named)})
					soon()
					if err != nil {
						t.Fatalf("%+v, %v", res, err)
					}
					if !strings.Contains(p.said(), d.says) || !strings.Contains(p.said(), "warning: ") {
						t.Errorf("it says\n%s", p.said())
					}
					if h.of("api") != before {
						t.Errorf("api is left with\n%s\nnot\n%s", h.of("api"), before)
					}
					h.wantGets(t, map[string]string{"shop.example.com/api/x": "api-real2"})
					checkWhole(t, h)
				})
			})
		}
	}
}

func TestADamagedSiteOfAnotherServiceStopsNoSwapWhileNginxIsDown(t *testing.T) {
	for name, d := range damages {
		for _, gone := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", gone ", gone), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := neighbours(t)
					before := h.of("api")
					h.file(d.file, d.text)
					h.halt(h.must(t, "bluegreen-nginx"), 1)
					if gone {
						_ = h.remove("bluegreen-nginx")
					}
					p := h.process(fault{})
					if _, err := p.run(shopNamed("v3")); err != nil {
						t.Fatalf("%v\n%s", err, p.said())
					}
					soon()
					if h.of("api") != before || !strings.Contains(p.said(), "service api") {
						t.Errorf("api is left with\n%s\nnot\n%s\n%s", h.of("api"), before, p.said())
					}
					h.wantGets(t, map[string]string{"shop.example.com/api/x": "api-real2", "shop.example.com/": "shop-real1"})
				})
			})
		}
	}
}

// A copy that is not there, or as bad, does not help: the message names the service, the file, and what does.
func TestADamagedSiteThatNoCopyHelpsIsToldWithItsServiceAndFile(t *testing.T) {
	for name, copied := range map[string]string{"no copy": "none", "no text": "{", "as bad": `{"sites/api.conf":"broken"}`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := neighbours(t)
				h.file(nginx.SitePath("api"), "broken")
				h.file(nginx.ConfirmedPath("api"), copied)
				before := h.state(t)
				_, err := h.process(fault{}).run(shopNamed("v3"))
				soon()
				var other *OtherSiteError
				if !errors.As(err, &other) || other.Service != "api" || ExitCode(err) != ExitFailed || !strings.Contains(err.Error(), "sites/api.conf belongs to service api") || !strings.Contains(err.Error(), "bluegreen deploy api") {
					t.Errorf("got %v", err)
				}
				if h.state(t).Confirmed.Release != before.Confirmed.Release {
					t.Error("release 3 is recorded")
				}
				h.wantGets(t, map[string]string{"shop.example.com/": "shop-real2", "shop.example.com/api": "api-real2"})
				h.mustRun(t, neighbour("v2")) // what the message says
				h.mustRun(t, shopNamed("v3"))
				checkWhole(t, h)
			})
		})
	}
}

func TestAFileThatIsNoServicesIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := neighbours(t)
		h.file("sites/mine.conf", "broken")
		_, err := h.process(fault{}).run(shopNamed("v3"))
		if err == nil || !strings.Contains(err.Error(), "sites/mine.conf is not bluegreen's") {
			t.Errorf("got %v", err)
		}
	})
}

// A service whose run was killed in the middle is left to its own next command, whatever else is put right.
func TestAnOpenSwapOfAnotherServiceIsLeftToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := neighbours(t)
		third := Request{Command: Deploy, Service: service("all", "v1", under("all.example.com"), func(s *config.Service) { s.Profiles[0].Port, s.Profiles[1].Port = 8095, 8096 })}
		h.mustRun(t, third)
		p := h.process(fault{call{"Confirm", 1}, killAfter})
		_, _ = p.run(neighbour("v3"))
		soon()
		open := siteFiles(h, "api")
		h.file(nginx.SitePath("all"), "broken")
		h.mustRun(t, shopNamed("v3"))
		if siteFiles(h, "api") != open {
			t.Errorf("api is left with\n%s\nnot\n%s", siteFiles(h, "api"), open)
		}
		h.mustRun(t, neighbour("v3"))
		h.wantGets(t, map[string]string{"shop.example.com/api": "api-real1", "all.example.com/": "all-real1"})
	})
}

// older turns a service's site and nginx.conf into those of an older bluegreen, which nginx has loaded.
func (h *host) older(t *testing.T, services ...string) {
	t.Helper()
	files := h.volumes["bluegreen-nginx"]
	for _, s := range services {
		names := nginx.SiteNames(files[nginx.SitePath(s)])
		listen := "    listen 80 default_server;"
		if len(names) > 0 {
			listen = "    listen 80;\n    server_name \"" + strings.Join(names, `" "`) + `";`
		}
		head, _, _ := strings.Cut(files[nginx.SitePath(s)], "\nserver {")
		files[nginx.SitePath(s)] = head + "\nserver {\n" + listen + "\n    set $bluegreen_service \"" + s + "\";\n}\n"
		maps.DeleteFunc(files, func(name, _ string) bool {
			return strings.HasPrefix(name, nginx.ServiceDir(s)+"/") && (strings.HasSuffix(name, ".loc") || name == nginx.ProxyPath(s) || name == nginx.LocationsPath(s) || name == nginx.ConfirmedPath(s))
		})
	}
	main := strings.ReplaceAll(files[nginx.MainPath], "# For sites of layout 2.\n", "")
	files[nginx.MainPath] = strings.ReplaceAll(main, "$bluegreen_answered {", "$was_not_there {")
	if err := h.load(); err != nil {
		t.Fatal(err)
	}
	soon()
}

func TestAHostOfAnOlderBluegreenIsTakenOverServiceByService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		h.mustRun(t, neighbour("v1", under("api.example.com")))
		h.older(t, "shop", "api")
		shopBefore := h.of("shop")
		h.mustRun(t, neighbour("v2", under("api.example.com"), withHeader))
		if h.of("shop") != shopBefore {
			t.Errorf("shop is left with\n%s", h.of("shop"))
		}
		h.wantGets(t, map[string]string{"any.example.com/": "shop-real2", "api.example.com/": "api-real2"})
		_, err := h.process(fault{}).run(neighbour("v2", under("", "/api")))
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "older bluegreen") {
			t.Errorf("got %v", err)
		}
		h.mustRun(t, deploy("v2")) // what the message says
		h.mustRun(t, neighbour("v2", under("", "/api")))
		h.wantGets(t, map[string]string{"any.example.com/": "shop-real2", "any.example.com/api": "api-real2"})
		checkWhole(t, h)
	})
}

// A new release that fails gives way to the site as it was, also to an older bluegreen's; nginx.conf stays new, since others
// may have come to need it.
func TestSwitchingBackBringsTheOldSiteBack(t *testing.T) {
	for name, old := range map[string]bool{"ours": false, "an older bluegreen's": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, shopNamed("v1"))
				h.mustRun(t, shopNamed("v2"))
				if old {
					h.older(t, "shop")
				}
				want := siteFiles(h, "shop")
				p := h.process(fault{})
				p.at = map[call]func(){{"Probe", firstThroughNginx}: func() { makeSick("shop-real1", 3)(h) }}
				_, err := p.run(Request{Command: Deploy, Service: shop("v3", under("else.example.com", "/a", "/b"), withHeader)})
				soon()
				if ExitCode(err) != ExitSwitchedBack {
					t.Fatalf("got %v", err)
				}
				if got := siteFiles(h, "shop"); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
				kept := map[string][]byte{}
				for name, text := range h.volumes["bluegreen-nginx"] {
					kept[name] = []byte(text)
				}
				if diff := nginx.ConfirmedChange(kept, "shop"); kept[nginx.ConfirmedPath("shop")] == nil || len(diff) > 0 {
					t.Errorf("the copy differs: %v", diff)
				}
				if !nginx.HasLayout(h.volumes["bluegreen-nginx"][nginx.MainPath]) {
					t.Error("nginx.conf went back")
				}
				h.wantGets(t, map[string]string{"shop.example.com/": "shop-real2", "else.example.com/a": "nobody"})
				checkWhole(t, h)
			})
		})
	}
}

// siteFiles are the site and include of a service.
func siteFiles(h *host, service string) string {
	defer h.lock()()
	have := map[string][]byte{}
	for name, text := range h.volumes["bluegreen-nginx"] {
		have[name] = []byte(text)
	}
	text := string(have[nginx.IncludePath(service)])
	for _, f := range nginx.SiteFiles(have, service) {
		text += f.Path + "\n" + f.Text
	}
	return text
}

// A page is asked for through the public port only where that leads to the service.
func TestVerifyAsksWhereTheServiceAnswers(t *testing.T) {
	for _, x := range []struct {
		page, paths string
		status      bool
	}{
		{"/profile", "", false}, {"/profile", "/profile", false}, {"/profile", "/a", true}, {"/a/profile", "/a", false}, {"/apix", "", false}, {"/api", "", true}, {"/api/profile?x", "", true}, {"/api/v2/profile", "/api/v2", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			h.mustRun(t, neighbour("v1"))
			r := shopNamed("v1")
			if r.Service.Health.Path = x.page; x.paths != "" {
				r.Service.Paths = []string{x.paths}
			}
			h.mustRun(t, r)
			last := h.asked
			if status := strings.HasPrefix(last.URL, "http://127.0.0.1:8079/") && last.Host == "_live.shop"; status != x.status {
				t.Errorf("%s with paths %q: asked %s of %s", x.page, x.paths, last.URL, last.Host)
			}
		})
	}
}
