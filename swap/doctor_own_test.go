package swap

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// theirs makes a service's nginx the one in container their-nginx.
func theirs(s *config.Service) { s.Host.Container = "their-nginx" }

// withTheirs is a host where nothing was deployed, and where somebody's own nginx runs.
func withTheirs(t *testing.T) *patient {
	p := fresh(t)
	p.conf = "/etc/nginx/nginx.conf"
	p.put(docker.Container{
		Name: "their-nginx", RestartPolicy: "always", StopSignal: "SIGQUIT",
		Mounts: []docker.Mount{{Type: "volume", Name: "theirs", Target: nginx.Root}},
	}, "running").volume = "bluegreen-nginx"
	p.nginxes = []*generation{{number: 1}}
	p.volumes["bluegreen-nginx"] = map[string]string{nginx.MainPath: "http {\n" + keepaliveLine + "\n}\n"}
	return p
}

func TestBeforeTheFirstDeployNothingIsAskedOfAnAdoptedNginxThatTheDeployMakes(t *testing.T) {
	missing := `[emerg] open() "` + nginx.Root + "/" + nginx.IncludePath("shop") + `" failed (2: No such file or directory) in /etc/nginx/nginx.conf:9`
	for name, c := range map[string]struct{ refuses, skipped string }{
		"its lines are not there yet":                           {},
		"they are, and name the include that the deploy writes": {missing, "keepalive: nginx's configuration names"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := withTheirs(t)
				p.refuses = c.refuses
				d, err := Diagnose(t.Context(), p.world(), shop("v1", theirs))
				if err != nil || d.Err(true) != nil {
					t.Errorf("%v: %+v", err, slices.Concat(d.At(LevelProblem), d.At(LevelWarning)))
				}
				var skipped string
				for _, s := range d.At(LevelSkipped) {
					skipped += s.Name + ": " + s.What + "\n"
				}
				if !strings.Contains(skipped, c.skipped) || !strings.Contains(skipped, "addresses: ") {
					t.Errorf("skipped:\n%s", skipped)
				}
			})
		})
	}
}

func TestBeforeTheFirstDeployAFaultOfAnAdoptedNginxItselfIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := withTheirs(t)
		p.refuses = `[emerg] unknown directive "serve_name"`
		d, err := Diagnose(t.Context(), p.world(), shop("v1", theirs))
		if found := d.At(LevelProblem); err != nil || len(found) != 1 || found[0].Name != "keepalive" {
			t.Errorf("%v: %+v", err, found)
		}
	})
}

// lossy is what is said of an nginx that has keepalive_min_timeout and does not use it.
const lossy = "their-nginx does not set keepalive_min_timeout"

func TestAnAdoptedNginxWithoutKeepaliveMinTimeoutIsWarnedOfByDeployAndStatus(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		warn bool
	}{"set": {keepaliveLine, false}, "absent": {"", true}, "zero": {"keepalive_min_timeout 0;", true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := withTheirs(t)
				p.edit(nginx.MainPath, keepaliveLine, c.text)
				var notes string
				note := func(e Event) {
					if e.Plan != nil {
						notes = strings.Join(e.Plan.Notes, "\n")
					}
				}
				if _, err := Run(t.Context(), p.world(), Request{Command: Deploy, Service: shop("v1", theirs), DryRun: true, Emit: note}); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(notes, lossy) != c.warn {
					t.Errorf("deploy notes %q", notes)
				}
				s, err := ReadStatus(t.Context(), p.world(), shop("v1", theirs))
				if err != nil || s.Nginx.KeepaliveMinTimeout == c.warn {
					t.Errorf("%v: status says that nginx keeps connections: %v", err, s.Nginx.KeepaliveMinTimeout)
				}
			})
		})
	}
}

func TestAfterAFirstDeployThatMadeTheConfigurationReadableItIsWarnedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := withTheirs(t)
		p.edit(nginx.MainPath, keepaliveLine, "")
		p.refuses = `[emerg] open() "` + nginx.Root + "/" + nginx.IncludePath("shop") + `" failed (2: No such file or directory)`
		var notes string
		w := p.world()
		w.Confirm = func(context.Context, nginx.Place, nginx.Confirmation) error {
			p.refuses = "" // the files are there
			return nil
		}
		w.Probe = func(context.Context, health.Probe) (string, error) { return "200 real1", nil }
		_, err := Run(t.Context(), w, Request{Command: Deploy, Service: shop("v1", theirs, noWatch), Emit: func(e Event) { notes += e.Text + "\n" }})
		if err != nil || strings.Count(notes, lossy) != 1 {
			t.Errorf("%v; said:\n%s", err, notes)
		}
	})
}
