package e2e

import "testing"

func TestSmoke(t *testing.T) {
	h := newHost(t)
	out := h.deploy("v1")
	t.Log(out)
	out = h.deploy("v2")
	t.Log(out)
	t.Logf("%+v", h.status())
	t.Log(h.rollback())
}
