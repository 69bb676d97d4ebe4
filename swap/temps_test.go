package swap

import (
	"testing"
	"testing/synctest"
)

func TestTemporaryFilesOfADeadRunGoWithTheNextCommandThatHasNothingElseToDo(t *testing.T) {
	for _, left := range []string{
		"sites/shop/.state.json.bg-tmp-0123456789ab-2", "sites/shop/.00ab.key.bg-tmp-0123456789ab", ".nginx.conf.bg-old-0123456789ab-1", ".try-0123456789ab-3/nginx.conf",
	} {
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			files := h.volumes["bluegreen-nginx"]
			files[left] = "half"
			for _, r := range []Request{deploy("v2"), {Command: MaintenanceOff, Service: shop("")}} {
				files[left] = "half"
				if res := h.mustRun(t, r); res.Outcome != Unchanged {
					t.Fatalf("%s: %s", r.Command, res.Outcome)
				}
				if _, there := files[left]; there {
					t.Errorf("%s left %s", r.Command, left)
				}
			}
			checkSettled(t, h)
		})
	}
}

func TestTemporaryFilesOfARunThatIsUnderWayStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		other := h.process(fault{})
		id, err := h.takeLock(other, "other-lock", map[string]string{LabelRole: RoleLock, LabelNetwork: "bluegreen", LabelService: "other", LabelRun: "0123456789ab"})
		if err != nil {
			t.Fatal(err)
		}
		const its = "sites/other/.history.jsonl.bg-tmp-0123456789ab-2"
		h.volumes["bluegreen-nginx"][its] = "half"
		h.mustRun(t, deploy("v2"))
		if _, there := h.volumes["bluegreen-nginx"][its]; !there {
			t.Error("it was taken away under the other's hands")
		}
		_ = h.remove(id)
	})
}
