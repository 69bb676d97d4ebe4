package nginx

import (
	"strings"
	"time"
)

// AgedProcess is a process with how long it has run, in whole seconds.
type AgedProcess struct {
	Process
	Age time.Duration
}

// Retired is a worker that is shutting down.
type Retired struct {
	PID int
	For time.Duration // since it was retired
}

// RetiredFor lists the workers that are shutting down, and for how long they have been. A worker is retired when the next
// generation starts: at the largest age of another worker below its own.
func RetiredFor(processes []AgedProcess) (list []Retired) {
	for _, p := range processes {
		if strings.TrimSpace(p.Title) == drainingTitle {
			list = append(list, Retired{PID: p.PID, For: nextGeneration(processes, p.Age)})
		}
	}
	return list
}

// nextGeneration is the age of the generation after a worker of this age. Ages are whole seconds, so workers of one
// generation may seem a second apart.
func nextGeneration(processes []AgedProcess, age time.Duration) time.Duration {
	var next, near time.Duration
	for _, p := range processes {
		title := strings.TrimSpace(p.Title)
		switch {
		case title != workerTitle && title != drainingTitle:
		case p.Age <= age-2*time.Second:
			next = max(next, p.Age)
		case title == workerTitle && p.Age <= age:
			near = max(near, p.Age)
		}
	}
	if next == 0 {
		return near
	}
	return next
}
