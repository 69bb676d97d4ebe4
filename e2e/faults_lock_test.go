package e2e

import (
	"testing"

	"github.com/docker/docker/api/types/container"
)

// Somebody removes the lock of a run that is under way. It must not move traffic any more: another run may.
func TestARunWhoseLockIsRemovedStopsBeforeTrafficMoves(t *testing.T) {
	o := newOrdeal(t, ownKey("watch", "100ms"))
	for i, step := range []string{"drain", "retire", "create", "health", "switch"} {
		t.Run(step, func(t *testing.T) {
			out := o.meets(step, func() {
				if err := engine.ContainerRemove(t.Context(), o.service+"-lock", container.RemoveOptions{}); err != nil {
					t.Error(err)
				}
			})
			o.wantUnharmed(t, out, "the lock is no longer this run's")
			if done := out.find("step_done", "switch"); !done.Time.IsZero() {
				t.Errorf("it switched: %v", out)
			}
			if i%2 == 0 { // what it left is of no harm to a rollback either
				o.goesBack(t)
			}
			o.goesOn(t)
		})
	}
	o.l.wantNoLoss()
}
