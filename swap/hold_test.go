package swap

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

const heldName = "bluegreen-rehearsal-abcdef-lock"

// TestAHeldLockIsRenewedAndEndsWithItsHolderOrWithWhoeverBreaksIt: nobody takes it for abandoned while its holder lives.
func TestAHeldLockIsRenewedAndEndsWithItsHolderOrWithWhoeverBreaksIt(t *testing.T) {
	for _, broken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			w := h.process(fault{}).world()
			held, release, err := Hold(t.Context(), w, deploy("v1"), heldName)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * leaseExpires)
			if why := Abandoned(t.Context(), w, h.must(t, heldName).Container); why != "" || held.Err() != nil {
				t.Errorf("after a while it counts as abandoned (%q), or has ended: %v", why, held.Err())
			}
			if broken {
				_ = h.remove(heldName)
				time.Sleep(leaseRenew + time.Second)
			}
			if lost := errors.Is(context.Cause(held), ErrLockLost); lost != broken {
				t.Errorf("broken: %v, lost: %v", broken, lost)
			}
			if err := release(); err != nil {
				t.Error(err)
			}
			if _, err := w.Container(t.Context(), heldName); err == nil {
				t.Error("it is still there after its release")
			}
		})
	}
}
