package load

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is by how many nanoseconds the kernel may put off the end of a sleep; usually they are 50,000.
const timerSlack = 1

// clock sleeps precisely. A Go timer is up to a millisecond late when nothing else happens, because the runtime waits
// for it in epoll, which counts in milliseconds; this one is late by about 60 µs.
type clock struct{}

// newClock keeps the calling goroutine on its thread to the end, and the thread with its slack ends with it.
func newClock() clock {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0) // without it the sleep is less precise
	return clock{}
}

func (clock) sleep(wait time.Duration) {
	rest := unix.NsecToTimespec(int64(wait))
	for unix.Nanosleep(&rest, &rest) == unix.EINTR {
	}
}
