package rehearse

import (
	"context"
	"fmt"
	"time"

	"bluegreen/nginx"
	"bluegreen/rehearse/report"
	"bluegreen/swap"
)

// lookEvery is how often nginx's workers are counted.
const lookEvery = 200 * time.Millisecond

// settleAfter is how long the load goes on after a swap that took longer than planned, before the next.
const settleAfter = 500 * time.Millisecond

// run does one run: the first release, the load, and the swaps under it.
func (s *stage) run(ctx context.Context, name string) (r report.Run, err error) {
	w := s.way(name)
	s.Progress(Progress{Phase: "first release"})
	release, profile, err := w.first(ctx, s.Images[0])
	if err != nil {
		return r, err
	}
	s.askNginx(ctx, w)
	t := s.traffic(w.nginx())
	if err := t.preflight(ctx); err != nil {
		return r, err
	}
	t.begin(ctx)
	t.meter.first(release, profile)
	watching, done := context.WithCancel(ctx)
	t.ended.Go(func() { s.countWorkers(watching, w, t.meter) })
	s.swaps(ctx, w, t)
	done()
	r = t.end(ctx, name)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if s.Compare {
		err = removeCopy(ctx, s.client, s.names) // the next run needs the same names and ports
	}
	return r, err
}

// askNginx reads which nginx it is, for the report.
func (s *stage) askNginx(ctx context.Context, w way) {
	if c, err := s.world.Container(ctx, w.nginx()); err == nil && s.nginxVersion == "" {
		s.nginxVersion = c.Labels[swap.LabelNginxVersion]
	}
}

// traffic is the load of the rehearsal, not begun.
func (s *stage) traffic(nginx string) *traffic {
	t := newTraffic(s.Load, s.target(nginx), s.duration())
	if s.distant {
		t.connections = 2 * s.Connections // each is a program in the container
	}
	t.releaseHeader, t.progress = s.copy.Settings.ReleaseHeader, s.Progress
	if s.example {
		t.check = checkExample(t.meter)
	}
	return t
}

// swaps does the swaps at their times. One that fails is the last.
func (s *stage) swaps(ctx context.Context, w way, t *traffic) {
	for n := range s.Swaps {
		t.phase.set(fmt.Sprintf("before swap %d of %d", n+1, s.Swaps))
		due := t.start.Add(s.between() * time.Duration(n+1))
		if !sleep(ctx, max(time.Until(due), settleAfter)) {
			return
		}
		t.phase.set(fmt.Sprintf("swap %d of %d", n+1, s.Swaps))
		image := s.Images[(n+1)%len(s.Images)]
		t.meter.beginSwap(time.Now(), image)
		err := w.swap(ctx, image, t.meter)
		t.meter.done(time.Now(), err)
		if err != nil {
			s.Note(fmt.Sprintf("swap %d failed: %v", n+1, err))
			return
		}
	}
	t.phase.set("after the last swap")
	sleep(ctx, max(time.Until(t.start.Add(s.duration())), settleAfter))
}

// countWorkers counts nginx's workers until ctx ends. A moment in which the engine does not answer is left out.
func (s *stage) countWorkers(ctx context.Context, w way, m *meter) {
	for sleep(ctx, lookEvery) {
		at := time.Now()
		processes, err := s.world.Top(ctx, w.nginx())
		if err != nil {
			continue
		}
		list := make([]nginx.Process, len(processes))
		for i, p := range processes {
			list[i] = nginx.Process{PID: p.PID, Title: p.Title}
		}
		if w, err := nginx.CountWorkers(list); err == nil {
			m.seen(at, len(w.Serving), len(w.Draining))
		}
	}
}
