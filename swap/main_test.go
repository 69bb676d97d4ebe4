package swap

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets the collector rest: thousands of short-lived hosts are all the garbage there is.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
