package swap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/config"
	"bluegreen/docker"
)

func TestOnAHealthyHostThereIsNothingToFindAndNothingIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := admit(t).examine("v2")
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Checks) != len(checkups) || d.Service != "shop" {
			t.Errorf("%d checks of %s, want %d of shop", len(d.Checks), d.Service, len(checkups))
		}
		for i, c := range d.Checks {
			if c.Level != LevelOK || c.What == "" || c.Do != "" || c.Name != checkups[i].name {
				t.Errorf("%+v", c)
			}
		}
		if d.Err(true) != nil {
			t.Error(d.Err(true))
		}
	})
}

func TestEachFaultIsFoundByItsOwnCheckOnly(t *testing.T) {
	for _, group := range [][]illness{nginxIllnesses, agreementIllnesses, profileIllnesses, hostIllnesses, leftoverIllnesses} {
		for _, i := range group {
			t.Run(i.name, i.run)
		}
	}
}

func TestARunUnderWayIsNoFindingAndWhatItChangesIsNotJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admit(t)
		for _, at := range []call{{"CreateProfile", 1}, {"Confirm", 1}} {
			h := p.clone()
			other := h.process(fault{})
			other.at = map[call]func(){at: func() {
				q := *p
				q.host = h
				d, err := Diagnose(t.Context(), q.world(), shop("v2"))
				if err != nil || d.Err(true) != nil {
					t.Errorf("%v: %v, %+v", at, err, slices.Concat(d.At(LevelProblem), d.At(LevelWarning)))
				}
				skipped := d.At(LevelSkipped)
				if !slices.ContainsFunc(skipped, func(c Check) bool { return c.Name == "agreement" && strings.Contains(c.What, "a run is under way") }) {
					t.Errorf("%v: skipped is %+v", at, skipped)
				}
			}}
			if _, err := other.run(deploy("v3")); err != nil {
				t.Fatal(err)
			}
			soon()
		}
	})
}

func TestAHostWithoutAnythingIsWellAsFarAsItCanBeLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := fresh(t).examine("v1")
		if err != nil || d.Err(true) != nil {
			t.Fatalf("%v, %+v", err, d)
		}
		well := map[string]bool{}
		for _, c := range d.At(LevelOK) {
			well[c.Name] = true
		}
		want := map[string]bool{"configuration": true, "addresses": true, "ports": true, "platform": true, "clock": true, "compose": true, "leftovers": true, "places": true, "restart": true}
		if !maps.Equal(well, want) {
			t.Errorf("checked %v, want %v", well, want)
		}
	})
}

func TestACheckThatCannotBeMadeIsSkippedWithItsReasonAndHidesNoOther(t *testing.T) {
	failed := errors.New("the engine had a bad moment")
	for name, c := range map[string]struct {
		make func(*patient)
		want []string
	}{
		"ages":            {func(p *patient) { p.asked["Ages"] = failed }, []string{"workers: the engine had a bad moment"}},
		"df":              {func(p *patient) { p.asked["df"] = failed }, []string{"disk: the engine had a bad moment"}},
		"nginx":           {func(p *patient) { p.asked["nginx"] = failed }, []string{"keepalive: ask nginx", "include: nginx's configuration"}},
		"networks":        {func(p *patient) { p.asked["NetworksLike"] = failed }, []string{"leftovers: the engine had a bad moment"}},
		"idle":            {func(p *patient) { p.asked["WatchIdle"] = failed }, []string{"idle-connections: the engine had a bad moment"}},
		"status listener": {func(p *patient) { p.deaf = true }, []string{"agreement: the workers were not asked"}},
		"a remote engine": {func(p *patient) { p.remote = true }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := admit(t)
				c.make(p)
				p.must(t, "bluegreen-nginx").RestartPolicy = "no"
				d, err := p.examine("v2")
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, s := range d.At(LevelSkipped) {
					got = append(got, s.Name+": "+s.What)
				}
				same := slices.EqualFunc(got, c.want, strings.HasPrefix)
				if !same || len(d.At(LevelProblem)) != 1 {
					t.Errorf("skipped %q, want %q; problems %+v", got, c.want, d.At(LevelProblem))
				}
			})
		})
	}
}

func TestAnEngineThatDoesNotAnswerEndsTheLook(t *testing.T) {
	for _, call := range []string{"Ages", "df", "nginx", "Engine", "NetworksLike", "WatchIdle"} {
		synctest.Test(t, func(t *testing.T) {
			p := admit(t)
			p.asked[call] = fmt.Errorf("ask: %w", &docker.UnreachableError{Host: "unix:///x", Err: errors.New("gone")})
			if _, err := p.examine("v2"); ExitCode(err) != ExitUnreachable {
				t.Errorf("%s: %v", call, err)
			}
		})
	}
}

func TestAServiceThatNobodyKnowsIsWrongUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unknown := &config.Service{Host: config.Host{Network: "bluegreen"}}
		unknown.Settings.Service = "blog"
		if _, err := Diagnose(t.Context(), admit(t).world(), unknown); ExitCode(err) != ExitUsage {
			t.Error(err)
		}
		known := &config.Service{Host: config.Host{Network: "bluegreen"}}
		known.Settings.Service = "shop"
		if d, err := Diagnose(t.Context(), admit(t).world(), known); err != nil || d.Err(true) != nil {
			t.Errorf("without a compose file: %v, %+v", err, d)
		}
	})
}

func TestWhatADeployWouldRefuseIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*config.Service)
		want string
	}{
		"another port of nginx":            {func(s *config.Service) { s.Host.HTTP = 8888 }, "x-bluegreen.nginx.http"},
		"another's host name":              {func(s *config.Service) { s.ServerNames = []string{"shop.example.com"} }, "other serves the name shop.example.com"},
		"a network of compose's is absent": {func(s *config.Service) { s.Image = "with an absent network" }, "network db does not exist"},
		"another's service":                {func(s *config.Service) { s.Project = "theirs" }, `belongs to project "project-shop"`},
		"another network":                  {func(s *config.Service) { s.Host.Network = "other" }, `was deployed on network "bluegreen"`},
		"a key that is not carried":        {func(s *config.Service) { s.Compose.ContainerName = "mine" }, "container_name"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := shop("v2", c.edit)
				s.File, s.ProjectDef = "compose.yaml", projectOf(s)
				p := admit(t)
				p.mustRun(t, Request{Command: Deploy, Service: service("other", "v1", named, otherPorts)})
				w := p.world()
				w.ComposeNetworks = func(context.Context, types.ServiceConfig, *types.Project) (there, missing []string, err error) {
					if s.Image != "v2" {
						err = errors.New("network db does not exist")
					}
					return nil, nil, err
				}
				d, err := Diagnose(t.Context(), w, s)
				if err != nil {
					t.Fatal(err)
				}
				if p := d.At(LevelProblem); len(p) != 1 || p[0].Name != "configuration" || !strings.Contains(p[0].What, c.want) {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestAPrivateKeyThatEverybodyMayReadIsAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shop("v2", func(s *config.Service) { s.Exposed = "tls/a.key" })
		s.File, s.ProjectDef = "compose.yaml", projectOf(s)
		d, err := Diagnose(t.Context(), admit(t).world(), s)
		if w := d.At(LevelWarning); err != nil || len(w) != 1 || w[0].Name != "configuration" || w[0].Do != "chmod 600 tls/a.key" {
			t.Errorf("%v, %+v", err, d)
		}
	})
}

func TestAHookThatThisMachineCannotStartIsAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shop("v2", func(s *config.Service) {
			s.Hooks = config.Hooks{
				PreDeploy: []config.Hook{{Args: []string{os.Args[0]}, In: config.InHost}, {Script: "migrate s3cr3t", In: config.InHost}},
				PreSwitch: []config.Hook{{Args: []string{"./migrate", "s3cr3t"}, In: config.InContainer}, {Args: []string{"./no-smoke-test", "s3cr3t"}, In: config.InHost}},
			}
		})
		s.File, s.ProjectDef = "compose.yaml", projectOf(s)
		d, err := Diagnose(t.Context(), admit(t).world(), s)
		w := d.At(LevelWarning)
		if err != nil || len(w) != 1 || w[0].Name != "configuration" || !strings.HasPrefix(w[0].What, "the pre_switch hook 2 of 2 cannot be run: ") || strings.Contains(w[0].What, "s3cr3t") {
			t.Errorf("%v, %+v", err, d)
		}
	})
}

func TestAnImageOfThePlatformThatComposeAsksForIsOnlyWarnedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admit(t)
		p.build("v3", "linux/arm64")
		d, err := Diagnose(t.Context(), p.world(), shop("v3", func(s *config.Service) { s.Compose.Platform = "linux/arm64" }))
		if w := d.At(LevelWarning); err != nil || d.Err(false) != nil || len(w) != 1 || w[0].Name != "platform" {
			t.Errorf("%v, %+v", err, d)
		}
	})
}

func projectOf(s *config.Service) *types.Project {
	return &types.Project{Name: s.Project, Services: types.Services{s.Compose.Name: s.Compose}}
}

func TestAnIdleConnectionIsWatchedForLongerThanNginxKeepsIt(t *testing.T) {
	for keeps, want := range map[time.Duration]time.Duration{time.Second: time.Second + idleMargin, 5 * time.Minute: longestIdle} {
		synctest.Test(t, func(t *testing.T) {
			p := admit(t)
			d, err := Diagnose(t.Context(), p.world(), shop("v2", func(s *config.Service) { s.KeepaliveTimeout = keeps }))
			if err != nil || p.kept != want {
				t.Errorf("nginx keeps it %v: watched for %v, want %v; %v", keeps, p.kept, want, err)
			}
			if skipped := len(d.At(LevelSkipped)); (skipped == 1) != (want < keeps) {
				t.Errorf("nginx keeps it %v: %+v", keeps, d.At(LevelSkipped))
			}
		})
	}
}

func TestDFIsReadFromItsLastColumns(t *testing.T) {
	for text, want := range map[string]int64{
		"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 264212084 13096748 82404516 14% /etc/nginx/bluegreen\n": 82404516 << 10,
		"head\nmy disk 100 40 60 40% /x\n": 60 << 10,
	} {
		if got, err := parseDF(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "df: /x: No such file or directory\n", "head\n/dev/vda 1 2 many 14% /x\n"} {
		if got, err := parseDF(bad); err == nil {
			t.Errorf("%q: %d", bad, got)
		}
	}
}

// Nobody can be asked through an nginx that is down, which is the finding; the live profile, which runs, is none.
func TestALiveProfileThatNobodyCanAskIsNotCalledDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admit(t)
		p.remote = true
		p.stopNginx(t)
		d, err := p.examine("v2")
		if err != nil {
			t.Fatal(err)
		}
		skipped := fmt.Sprint(d.At(LevelSkipped))
		if !strings.Contains(skipped, "the container runs; it is asked through nginx, which does not run") {
			t.Errorf("skipped %s", skipped)
		}
		for _, c := range d.At(LevelProblem) {
			if c.Name == "live" {
				t.Errorf("%+v", c)
			}
		}
	})
}
