package swap

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/docker"
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
	}, "running")
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
