package nginx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
)

// Titles that nginx gives its processes; the master's goes on with its command line.
const (
	masterTitle   = "nginx: master process"
	workerTitle   = "nginx: worker process"
	drainingTitle = "nginx: worker process is shutting down"
)

// Workers are the worker processes by age.
type Workers struct {
	Master   int
	Serving  []int
	Draining []int // titled "is shutting down"
}

// errNoMaster: nginx is starting or ending, or another program runs in the container.
var errNoMaster = errors.New(`no process titled "nginx: master process"`)

// ReadWorkers lists the workers. It is an error when there is no nginx master process.
func ReadWorkers(ctx context.Context, p Place) (Workers, error) {
	processes, err := p.Top(ctx)
	if err != nil {
		return Workers{}, fmt.Errorf("list nginx workers: %w", err)
	}
	w, err := CountWorkers(processes)
	if err != nil {
		return Workers{}, fmt.Errorf("list nginx workers: %w", err)
	}
	return w, nil
}

// CountWorkers finds the workers among nginx's processes. It is an error when there is no master process.
func CountWorkers(processes []Process) (Workers, error) {
	var w Workers
	for _, process := range processes {
		w.add(process)
	}
	if w.Master == 0 {
		return Workers{}, errNoMaster
	}
	return w, nil
}

// add ignores nginx's other processes (cache manager, cache loader), which serve no one. A worker just forked
// bears the master's title for a moment: the first is the master.
func (w *Workers) add(p Process) {
	switch title := strings.TrimSpace(p.Title); {
	case strings.HasPrefix(title, masterTitle):
		w.Master = cmp.Or(w.Master, p.PID)
	case title == drainingTitle:
		w.Draining = append(w.Draining, p.PID)
	case title == workerTitle:
		w.Serving = append(w.Serving, p.PID)
	}
}
