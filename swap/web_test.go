package swap

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/nginx"
)

// stored are the names of shop's files in nginx's volume.
func (h *host) stored() string {
	defer h.lock()()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(h.volumes["bluegreen-nginx"])) {
		if path.Dir(name) == nginx.FilesDir("shop") {
			names = append(names, path.Base(name))
		}
	}
	return strings.Join(names, " ")
}

// generation is the number of the newest workers.
func (h *host) generation() int {
	defer h.lock()()
	return h.nginxes[len(h.nginxes)-1].number
}

// unread is shop as a command that reads no files has it.
func unread(number int) *config.Service {
	s := shop("", secured(number))
	s.Contents = nil
	for _, f := range []*config.File{&s.Web.TLS.Certificate, &s.Web.TLS.Key, &s.Web.BasicAuth.File, s.Web.ErrorPages[502]} {
		f.Name = ""
	}
	return s
}

func TestReloadBringsWhatChangedOfTheFilesAndOnlyThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, securely("v1", 1))
		before := h.stored()
		renewed := Request{Command: Reload, Service: shop("", secured(2))}
		if res := h.mustRun(t, renewed); res.Outcome != Done {
			t.Errorf("outcome %s", res.Outcome)
		}
		if now := h.stored(); now != strings.ReplaceAll(before, "01", "02") {
			t.Errorf("the files are %s, before %s", now, before)
		}
		generation := h.generation()
		if res := h.mustRun(t, renewed); res.Outcome != Unchanged || h.generation() != generation {
			t.Errorf("a second one: %s", res.Outcome)
		}
		renewed.Force = true
		if res := h.mustRun(t, renewed); res.Outcome != Done || h.generation() == generation {
			t.Errorf("forced: %s", res.Outcome)
		}
		generation = h.generation()
		if res := h.mustRun(t, command(Reload)); res.Outcome != Done || h.generation() == generation {
			t.Errorf("without a file: %s", res.Outcome)
		}
		checkWhole(t, h)
	})
}

// The person who rolls back may not be the one who may read the key.
func TestARollbackNeedsNoneOfTheSitesFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, securely("v1", 1))
		h.mustRun(t, securely("v2", 2))
		for _, r := range []Request{{Command: Rollback, Service: unread(3)}, {Command: Rollback, Service: unread(3)}, command(Rollback)} {
			h.mustRun(t, r)
			if text := h.of("shop"); !strings.Contains(text, `ssl_certificate "sites/shop/files/02a.crt"`) {
				t.Fatalf("the site has another certificate now:\n%s", text)
			}
		}
		checkWhole(t, h)
	})
}

func TestMaintenanceStaysOnThroughDeployAndRollbackUntilItIsTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		deployed("v1", "v2")(t, h)
		on := Request{Command: MaintenanceOn, Service: shop("", named)}
		for _, r := range []Request{on, deploy("v3"), command(Rollback), command(Reload), on} {
			h.mustRun(t, r)
			if !h.closed() {
				t.Fatalf("after %s, users are let in", r.Command)
			}
		}
		if text := h.of("shop"); strings.Contains(text, "shop.example.com") {
			t.Errorf("maintenance brought another change of the site along:\n%s", text)
		}
		off := command(MaintenanceOff)
		if h.mustRun(t, off); h.closed() {
			t.Fatal("nobody is let in")
		}
		if res := h.mustRun(t, off); res.Outcome != Unchanged {
			t.Errorf("again: %s", res.Outcome)
		}
		h.wantGets(t, map[string]string{"shop.example.com/": "shop-real2"})
		checkWhole(t, h)
	})
}

func TestRecreateChangesTheHostKeysThatTheProjectNamesAndKeepsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		deployed("v1", "v2")(t, h)
		with := func(port int) *config.Service {
			return shop("v3", func(s *config.Service) { s.Host.HTTP = port })
		}
		if _, err := h.process(fault{}).run(Request{Command: Deploy, Service: with(8888)}); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "bluegreen nginx recreate") {
			t.Fatalf("a deploy with another port: exit %d, %v", ExitCode(err), err)
		}
		old := h.must(t, "bluegreen-nginx")
		if res := h.mustRun(t, Request{Command: Recreate, Service: with(8888)}); res.Outcome != Done {
			t.Errorf("outcome %s", res.Outcome)
		}
		now := h.must(t, "bluegreen-nginx")
		if now.ID == old.ID || now.Ports[0].HostPort != 8888 || now.Ports[1].HostPort != old.Ports[1].HostPort {
			t.Errorf("nginx publishes %v, before %v", now.Ports, old.Ports)
		}
		if res := h.mustRun(t, Request{Command: Recreate, Service: with(8888)}); res.Outcome != Unchanged {
			t.Errorf("again: %s", res.Outcome)
		}
		h.mustRun(t, Request{Command: Deploy, Service: with(8888)})
		checkWhole(t, h)
	})
}
