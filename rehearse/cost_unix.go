//go:build unix

package rehearse

import (
	"runtime"
	"syscall"
	"time"
)

// costSoFar asks the kernel (getrusage(2); Linux counts memory in KiB, macOS in bytes).
func costSoFar() cost {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return cost{}
	}
	peak := int64(u.Maxrss)
	if runtime.GOOS != "darwin" {
		peak *= 1024
	}
	return cost{cpu: time.Duration(u.Utime.Nano() + u.Stime.Nano()), peak: peak}
}
