//go:build !linux

package load

import "time"

// clock sleeps as precisely as Go's timers are.
type clock struct{}

func newClock() clock { return clock{} }

func (clock) sleep(wait time.Duration) { time.Sleep(wait) }
