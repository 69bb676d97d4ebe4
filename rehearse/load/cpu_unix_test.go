//go:build unix

package load

import (
	"syscall"
	"time"
	"sync"
)
var lateMu sync.Mutex
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
