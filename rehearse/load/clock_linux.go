package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock sleeps precisely. A Go timer on Linux is up to a millisecond late when nothing else happens, because the runtime
// waits for it in epoll, which counts in milliseconds.
type clock struct{}

func newClock() *clock { return &clock{} }

func (*clock) close() {}

// sleep may return early, on a signal; the caller looks at the time again, or sends early by as much.
func (*clock) sleep(wait time.Duration) {
	rest := unix.NsecToTimespec(int64(wait))
	for unix.Nanosleep(&rest, &rest) == unix.EINTR {
	}
}
