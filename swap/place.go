package swap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// nginxUp is how long an nginx that was started, or that its restart policy starts again, may take until its workers are
// there.
const nginxUp = 10 * time.Second

// place is the nginx container as package nginx wants to see it: commands run in it while it runs, and
// in a one-shot container with its volume otherwise.
type place struct{ j *job }

// Run runs a command beside nginx.
func (p place) Run(ctx context.Context, cmd []string) (nginx.Result, error) {
	j := p.j
	c, err := j.w.Container(ctx, j.names.nginx)
	switch {
	case j.adopted() && err == nil && !c.Running() && c.State != "paused":
		return nginx.Result{}, ownDown(c)
	case errors.Is(err, docker.ErrNotFound) && !j.adopted():
		return p.once(ctx, j.nginx.ID, cmd)
	case err != nil:
		return nginx.Result{}, err
	case c.State == "paused":
		return nginx.Result{}, paused(c)
	case c.Running():
		r, err := j.w.Exec(ctx, c.ID, cmd)
		return nginx.Result(r), err
	}
	return p.once(ctx, c.ImageID, cmd)
}

func (p place) once(ctx context.Context, imageID string, cmd []string) (nginx.Result, error) {
	j := p.j
	r, err := j.w.RunOnce(ctx, docker.OneShot{
		Name: j.names.nginx + "-once-" + newRunID(), ImageID: imageID, Cmd: cmd, Volume: j.names.volume, At: nginx.Root,
		Labels: map[string]string{LabelRole: RoleOneShot, LabelNetwork: j.names.network, LabelRun: j.run},
	})
	return nginx.Result(r), err
}

// Top lists the processes of the running nginx.
func (p place) Top(ctx context.Context) ([]nginx.Process, error) {
	all, err := p.j.w.Top(ctx, p.j.names.nginx)
	if err != nil {
		return nil, err
	}
	list := make([]nginx.Process, len(all))
	for i, x := range all {
		list[i] = nginx.Process{PID: x.PID, Title: x.Title}
	}
	return list, nil
}

func paused(c docker.Container) error {
	return fmt.Errorf("%w: container %s is paused; run `docker unpause %s`", ErrNginxDown, c.Name, c.Name)
}

func ownDown(c docker.Container) error {
	return fmt.Errorf("%w: container %s, your nginx, is %s: start it with docker start %s", ErrNginxDown, c.Name, c.State, c.Name)
}

// testCommand lets nginx test its files as they are.
func (j *job) testCommand() []string {
	cmd, conf := []string{"nginx", "-t", "-q"}, nginx.Root+"/"+nginx.MainPath
	if j.adopted() {
		conf = j.ownConf
	}
	if conf != "" {
		cmd = append(cmd, "-c", conf)
	}
	return cmd
}

// nginxStarted is when the nginx container was last started; zero while it does not run.
func (j *job) nginxStarted(ctx context.Context) (time.Time, error) {
	c, err := j.w.Container(ctx, j.names.nginx)
	if err != nil || !c.Running() {
		return time.Time{}, ignoreNotFound(err)
	}
	return c.StartedAt, nil
}

// endNoticed is how long the engine may take to notice that a container ended whose processes are gone, endPause how often it
// is asked.
const (
	endNoticed = time.Second
	endPause   = 50 * time.Millisecond
)

// nginxEnded says whether nginx has ended since it was seen to have been started at began, once the engine had time to notice.
func (j *job) nginxEnded(ctx context.Context, began time.Time) bool {
	for end := time.Now().Add(endNoticed); time.Now().Before(end) && !began.IsZero() && ctx.Err() == nil; time.Sleep(endPause) {
		now, err := j.nginxStarted(ctx)
		if err == nil && !now.Equal(began) {
			return true
		}
	}
	return false
}

// workers lists nginx's workers. An nginx that has just ended may come back by its restart policy: it is waited for. One that
// somebody took off the network is attached again.
func (j *job) workers(ctx context.Context) (nginx.Workers, error) {
	limit := time.After(nginxUp)
	for {
		c, err := j.w.Container(ctx, j.names.nginx)
		switch {
		case err != nil:
			return nginx.Workers{}, err
		case c.State == "paused":
			return nginx.Workers{}, paused(c)
		case c.Running():
			w, err := j.w.Workers(ctx, place{j})
			if err == nil && len(w.Serving) > 0 {
				j.obs.Nginx = &c
				if _, err := j.attachNginx(ctx); err != nil {
					return w, err
				}
				if j.adopted() {
					return w, nil
				}
				j.obs.Host, err = keysOf(c)
				return w, err
			}
		}
		select {
		case <-ctx.Done():
			return nginx.Workers{}, ctx.Err()
		case <-limit:
			return nginx.Workers{}, j.nginxDown(ctx, c)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// nginxLog is how many lines of nginx's own words an error shows. The engine counts lines before it leaves the access log
// out, which is on stdout: so many are asked for.
const (
	nginxLog   = 5
	nginxLines = 500
)

// nginxDown is the error for an nginx that does not come up, with the reason in nginx's own words. Its log may not have it
// yet: the engine waits longer and longer between its tries to start a container.
func (j *job) nginxDown(ctx context.Context, c docker.Container) error {
	err := fmt.Errorf("%w: container %s is %s; docker logs %s shows why", ErrNginxDown, c.Name, c.State, c.Name)
	said := j.logOf(ctx, c.Name, docker.LogOptions{Tail: nginxLines, OnlyStderr: true})
	r, e := place{j}.Run(ctx, j.testCommand())
	if e == nil && r.ExitCode != 0 {
		said = r.Stderr + r.Stdout
	}
	if said = strings.TrimSpace(said); said == "" {
		return err
	}
	lines := strings.Split(said, "\n")
	return fmt.Errorf("%w; nginx says:\n    %s", err, strings.Join(lines[max(0, len(lines)-nginxLog):], "\n    "))
}
