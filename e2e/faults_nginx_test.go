package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// A paused nginx serves nobody and takes no command: no load runs meanwhile. A deploy that meets it in the middle fails
// and says so, and everything is as it was when nginx goes on.
func TestANginxThatIsPausedInTheMiddleOfADeployIsToldAndTheNextDeployWorks(t *testing.T) {
	t.Parallel()
	o := newOrdeal(t, ownKey("watch", "100ms"))
	for _, step := range []string{"drain", "create", "health", "switch"} {
		t.Run(step, func(t *testing.T) {
			o.l.quiet(func() {
				out := o.meets(step, func() {
					if err := engine.ContainerPause(t.Context(), o.nginx()); err != nil {
						t.Error(err)
					}
				})
				unpause := func() { _ = engine.ContainerUnpause(context.Background(), o.nginx()) }
				defer unpause()
				if s := o.status(); s.Nginx == nil || s.Nginx.State != "paused" {
					t.Errorf("want status to say that nginx is paused: %+v", s)
				}
				unpause()
				o.wantTruth(t, out, "paused", "docker unpause "+o.nginx())
			})
			o.goesOn(t)
		})
	}
	o.l.wantNoLoss()
}

// wantTruth checks a deploy that met an end of nginx: it swapped, or it failed and what was live is live. That one
// answers as soon as nginx is back.
func (o *ordeal) wantTruth(t *testing.T, out output, says ...string) {
	t.Helper()
	t.Logf("exit %d after %v: %s", out.code, out.took.Round(time.Millisecond), out.result().Error)
	switch out.code {
	case 0:
		o.live = out.result()
	case 4:
		if out.result().Outcome != "rolled_back" {
			t.Errorf("want rolled_back: %v", out)
		}
		o.wantTold(t, out)
	case 1, 5:
		o.wantCode(t, out, out.code)
		o.wantTold(t, out, says...)
	default:
		t.Errorf("want exit 0, 1, 4 or 5: %v", out)
	}
	o.wantLive(t)
}

// Somebody breaks nginx's configuration, and it crashes: it restarts again and again until the file is mended. Commands
// say what nginx says; status says what is.
func TestANginxThatCannotComeUpIsToldAndServesAgainWhenItsFilesAreMended(t *testing.T) {
	t.Parallel()
	o := newOrdeal(t, ownKey("watch", "100ms"))
	broken := func() {
		o.breakNginx("zz-broken.conf", "no_such_directive on;")
		o.crash(t, o.nginx(), "nginx")
	}
	for _, c := range []struct {
		name string
		run  func() output
		next bool // the next deploy does not wait until the engine tries again, up to a minute later
	}{
		{"in the middle of a deploy", func() output { return o.meets("create", broken) }, false},
		{"at the switch of a deploy", func() output { return o.meets("switch", broken) }, false},
		{"before a deploy", func() output { broken(); return o.deployFaulty("never", "") }, true},
		{"before a rollback", func() output { broken(); return o.run("rollback", "-o", "json") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o.l.quiet(func() {
				defer o.inVolume(t, "rm -f /v/sites/zz-broken.conf")
				out := c.run()
				if out.code != 1 && out.code != 5 {
					t.Errorf("want exit 1 or 5: %v", out)
				}
				o.wantTold(t, out, `unknown directive "no_such_directive"`)
				s := o.status()
				if s.Nginx == nil || s.Nginx.State == "running" || s.Live != o.live.Live {
					t.Errorf("want %s live and nginx not running: %+v, nginx %+v", o.live.Live, s, s.Nginx)
				}
				o.inVolume(t, "rm /v/sites/zz-broken.conf")
				if c.next {
					o.goesOn(t)
				}
				o.wantLive(t)
			})
			o.goesOn(t)
		})
	}
	o.l.wantNoLoss()
}

// inVolume runs a shell command on nginx's volume, at /v, whatever state nginx is in.
func (h *host) inVolume(t *testing.T, command string) {
	t.Helper()
	made, err := engine.ContainerCreate(t.Context(), &container.Config{Image: nginxImage, Entrypoint: []string{"sh", "-euc", command}, User: "0"},
		&container.HostConfig{NetworkMode: "none", Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: h.nginx(), Target: "/v"}}}, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = engine.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true})
	}()
	ended, failed := engine.ContainerWait(t.Context(), made.ID, container.WaitConditionNextExit)
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		t.Fatal(err)
	case end := <-ended:
		if end.StatusCode != 0 {
			t.Fatalf("%s: exit %d", command, end.StatusCode)
		}
	}
}

// nginx is killed in the middle of a switch, and its restart policy brings it back. What that resets is not the swap's
// doing: no load runs meanwhile.
func TestANginxThatIsKilledInTheMiddleOfASwitchTheTruthIsTold(t *testing.T) {
	t.Parallel()
	o := newOrdeal(t, ownKey("watch", "100ms"))
	swapped := 0
	for _, late := range []time.Duration{0, 50, 100, 150, 200, 300} {
		late *= time.Millisecond
		t.Run(fmt.Sprint(late, " into it"), func(t *testing.T) {
			o.l.quiet(func() {
				p, version := o.begin("")
				p.awaitStep("switch")
				<-time.After(late) // the moments of a switch have no events of their own
				o.crash(t, o.nginx(), "nginx")
				out := o.ended(p, version)
				o.wantTruth(t, out)
				if out.code == 0 {
					swapped++
				} else if !strings.Contains(out.stderr, "nginx") {
					t.Errorf("stderr lacks nginx: %v", out)
				}
			})
			o.goesOn(t)
		})
	}
	t.Logf("%d of the deploys swapped", swapped)
	o.l.wantNoLoss()
}
