package load

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has used a core.
func cpuTime() time.Duration {
	u := usage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the most memory, in bytes, that this process has had.
func peakMemory() int64 {
	return usage().Maxrss << 10 // Linux counts in KiB
}

func usage() (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u
}
