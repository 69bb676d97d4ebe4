package swap

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/nginx"
)

// has are those of some files that are in nginx's volume.
func (h *host) has(names ...string) (there []string) {
	defer h.lock()()
	for _, name := range names {
		if _, ok := h.volumes["bluegreen-nginx"][name]; ok {
			there = append(there, name)
		}
	}
	return there
}

// TestSweepingTakesOnlyFilesThatNothingOfTheServiceNames: none of another service, and none that is not in the folder of files.
func TestSweepingTakesOnlyFilesThatNothingOfTheServiceNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, securely("v1", 1))
		h.mustRun(t, Request{Command: Deploy, Service: service("other", "v1", otherPorts, secured(1), func(s *config.Service) { s.ServerNames = []string{"other.example.com"} })})
		stray := nginx.FilePath("shop", "99a.key")
		strangers := []string{nginx.FilePath("other", "99a.key"), nginx.ServiceDir("shop") + "/99a.key", nginx.ServiceDir("shop") + "/files/deep/99a.key", "files/99a.key"}
		for _, name := range append(strangers, stray) {
			h.file(name, "stray")
		}
		other := h.of("other")
		h.mustRun(t, Request{Command: Reload, Service: shop("", secured(2))})
		if got := h.has(append(strangers, stray)...); len(got) != len(strangers) || strings.Contains(strings.Join(got, " "), stray) {
			t.Errorf("%q are left", got)
		}
		if now := h.of("other"); now != other {
			t.Errorf("the other service's files changed:\n%s\nnow\n%s", other, now)
		}
		if now := h.stored(); now != "02a.crt 02a.htpasswd 02a.key 02page.html" {
			t.Errorf("the files are %s", now)
		}
		checkWhole(t, h)
	})
}

// TestAReloadThatFailsKeepsTheFilesOfTheSiteThatServes, and the next run that does what it should sweeps its own.
func TestAReloadThatFailsKeepsTheFilesOfTheSiteThatServes(t *testing.T) {
	for _, at := range []call{{"Store", 1}, {"rename", 2}, {"Apply", 1}, {"Confirm", 1}} {
		t.Run(at.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, securely("v1", 1))
				p := h.process(fault{at, failAfter})
				if _, err := p.run(Request{Command: Reload, Service: shop("", secured(2))}); err == nil || !p.hit {
					t.Fatalf("it did not fail: %v", err)
				}
				soon()
				if now := h.stored(); !strings.Contains(now, "01a.crt 01a.htpasswd 01a.key 01page.html") {
					t.Errorf("the files are %s", now)
				}
				if lack := lacking(h.volumes["bluegreen-nginx"], "shop"); lack != "" {
					t.Errorf("nginx could not start again without %s", lack)
				}
				h.mustRun(t, securely("v2", 1))
				if now := h.stored(); now != "01a.crt 01a.htpasswd 01a.key 01page.html" {
					t.Errorf("in the end the files are %s", now)
				}
				checkWhole(t, h)
			})
		})
	}
}

// The page lies on the host from the deploy on: who turns maintenance on may have no file.
func TestAPageForMaintenanceWaitsOnTheHostUntilItIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		down := func(s *config.Service) {
			page := config.File{Path: "down.html", Name: "00down.html"}
			s.Web.Maintenance = &config.Maintenance{Page: &page, RetryAfter: 600}
			s.Contents = map[string]config.Content{page.Name: {Text: []byte("down")}}
		}
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", down)})
		at := nginx.FilePath("shop", "00down.html")
		for i, r := range []Request{{Command: Deploy, Service: shop("v2", down)}, command(MaintenanceOn), command(Rollback), command(MaintenanceOff), command(MaintenanceOn), command(MaintenanceOff)} {
			h.mustRun(t, r)
			if len(h.has(at)) == 0 {
				t.Fatalf("after %s (%d) the page is gone", r.Command, i)
			}
			if named := strings.Contains(h.of("shop"), `alias "`+nginx.Root+"/"+at+`"`); named != h.closed() {
				t.Errorf("after %s (%d): users get 503: %v; the page is shown: %v", r.Command, i, h.closed(), named)
			}
		}
		checkWhole(t, h)
	})
}

// TestASiteWhoseFilesNobodyHasIsToldBeforeAnythingIsTouched: a rollback cannot bring what somebody removed on the host.
func TestASiteWhoseFilesNobodyHasIsToldBeforeAnythingIsTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, securely("v1", 1))
		h.mustRun(t, securely("v2", 1))
		h.file(nginx.FilePath("shop", "01a.key"), "none")
		before := h.summary()
		_, err := h.process(fault{}).run(Request{Command: Rollback, Service: unread(1)})
		soon()
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "01a.key") || !strings.Contains(err.Error(), "bluegreen reload shop") {
			t.Errorf("exit %d: %v", ExitCode(err), err)
		}
		if now := h.summary(); now != before {
			t.Errorf("before\n%s\nnow\n%s", before, now)
		}
		h.mustRun(t, Request{Command: Reload, Service: shop("", secured(1))})
		h.mustRun(t, Request{Command: Rollback, Service: unread(1)})
		checkWhole(t, h)
	})
}

// TestADamagedFileIsSentAnew: one that can be looked at by any reload, a secret one by a forced one.
func TestADamagedFileIsSentAnew(t *testing.T) {
	for file, force := range map[string]bool{"01a.crt": false, "01page.html": false, "01a.key": true, "01a.htpasswd": true} {
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, securely("v1", 1))
				at := nginx.FilePath("shop", file)
				was := h.volumes["bluegreen-nginx"][at]
				h.file(at, "damaged")
				r := Request{Command: Reload, Force: force, Service: shop("", secured(1))}
				if res := h.mustRun(t, r); res.Outcome != Done {
					t.Errorf("outcome %s", res.Outcome)
				}
				if now := h.volumes["bluegreen-nginx"][at]; now != was {
					t.Errorf("it is %q", now)
				}
				checkWhole(t, h)
			})
		})
	}
}

// TestDownTakesTheKeysAway: what is secret does not stay on a host that has no use for it.
func TestDownTakesTheKeysAway(t *testing.T) {
	for _, volumes := range []bool{false, true} {
		t.Run(fmt.Sprint("volumes ", volumes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				h.mustRun(t, securely("v1", 1))
				h.mustRun(t, Request{Command: Deploy, Service: service("other", "v1", otherPorts, func(s *config.Service) { s.ServerNames = []string{"other.example.com"} })})
				h.mustRun(t, Request{Command: Down, Volumes: volumes, Service: shop("")})
				if left := h.stored(); left != "" {
					t.Errorf("left: %s", left)
				}
				checkWhole(t, h)
			})
		})
	}
}
