package swap

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestNoCommandLeavesWhatADeployReplacedThatWasKilledAfterItsSwap, whether the command has anything to do or not. (A rollback takes
// such a swap back: what was put aside is the way back then.)
func TestNoCommandLeavesWhatADeployReplacedThatWasKilledAfterItsSwap(t *testing.T) {
	r := sceneOf(t, "redeploy").play(t)
	confirmed := slices.Index(r.calls, call{"Confirm", 1})
	commands := map[string]Request{
		"reload": {Command: Reload, Service: shop("")}, "reload of the file": {Command: Reload, Service: shop("v3", snipped("add_header X-A a;"))},
		"maintenance on": command(MaintenanceOn), "maintenance off": command(MaintenanceOff),
		"nginx recreate": onPort(8888, "ci-7"), "nginx recreate of the same": onPort(80, "ci-7"),
		"the same deploy": deploy("v3"), "health": command(Health), "switch": command(Switch),
		"deploy, keep_old false": {Command: Deploy, Service: shop("v3", dropOld)},
		"deploy of the site":     {Command: Deploy, Service: shop("v3", named)},
	}
	for _, f := range faults(r.calls[confirmed:], fine, killAfter) {
		for name, again := range commands {
			t.Run(f.String()+", then "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := r.open()
					if _, err := h.process(f).run(r.request()); err == nil {
						return // it was killed when all was done
					}
					if _, err := h.process(fault{}).run(again); err != nil {
						t.Error(err)
					}
					soon()
					for _, b := range h.sorted() {
						if strings.HasSuffix(b.Name, "-prev") {
							t.Errorf("%s is left:\n%s", b.Name, h.summary())
						}
					}
				})
			})
		}
	}
}
