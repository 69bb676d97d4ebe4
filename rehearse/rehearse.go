// Package rehearse reproduces a production swap on a Docker host: it brings up a throw-away copy of a service, drives load
// through its nginx, swaps it as production would, and reports what clients saw.
//
// Run is the whole of it. Package load sends the requests, package swap does the swaps, the meter brings both together,
// and package report shows the result.
package rehearse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
	"bluegreen/swap"
)

// Run rehearses, and returns the report with the verdict. The error is for a rehearsal that could not be carried out, or
// that was interrupted; ExitCode of package swap tells what it means. The report then has the runs that there are, the last
// one as far as it came. In either case nothing is left behind, unless Config.Keep asks for it.
func Run(ctx context.Context, c *docker.Client, cfg Config) (r report.Report, err error) {
	began := time.Now()
	if err := cfg.Check(); err != nil {
		return r, err
	}
	s, err := setUp(ctx, c, cfg)
	if err != nil {
		return r, err
	}
	defer func() {
		if e := s.tearDown(ctx, err == nil && cfg.Keep); e != nil {
			err = errors.Join(err, e)
			r.Verdict.Passed = false
			r.Verdict.Failures = append(r.Verdict.Failures, e.Error())
		}
		r.Duration = report.Millis(time.Since(began))
	}()
	r = report.Report{Schema: report.Schema, Began: began, Setup: s.describe(ctx), Load: s.Load.describe("http://" + s.address()), Limits: cfg.Limits}
	for _, name := range s.runs() {
		run, err := s.run(s.held, name)
		if run.Name != "" {
			r.Runs = append(r.Runs, run)
			r.Setup.Nginx = s.nginxVersion
			r.Setup.Notes = append(r.Setup.Notes, doubts(run, s.Rate)...)
			r.Verdict = judge(r)
		}
		if err != nil {
			err = s.why(ctx, err)
			r.Verdict.Passed = false
			r.Verdict.Failures = append(r.Verdict.Failures, err.Error())
			return r, err
		}
	}
	return r, nil
}

// stage is everything around the load: the copy, and what belongs to it on the Docker host.
type stage struct {
	Config
	client  *docker.Client
	world   swap.World
	engine  docker.Engine
	names   names
	ports   ports
	example bool
	distant bool // the load goes through the nginx container
	copy    *config.Service

	held         context.Context // ends with the caller's, and when somebody takes the rehearsal's lock away
	release      func() error
	nginxVersion string
}

// setUp takes the rehearsal's lock and makes sure of all that is needed, before anything else is made.
func setUp(ctx context.Context, c *docker.Client, cfg Config) (*stage, error) {
	s := &stage{Config: cfg, client: c, world: swap.RealWorld(c), names: namesOf(newID()), example: cfg.Service == nil}
	s.distant = Distant(c, cfg)
	var err error
	if s.engine, err = c.Engine(ctx); err != nil {
		return nil, err
	}
	ids, err := CleanUp(ctx, c, false)
	for _, id := range ids {
		s.Note("removing what an earlier rehearsal left: " + id)
	}
	if err != nil { // no reason not to rehearse
		s.Note("warning: " + err.Error())
	}
	if s.ports, err = freePorts(cfg.Ports, s.freePort(ctx)); err != nil {
		return nil, err
	}
	if s.example {
		if s.Service, err = Example(ctx); err != nil {
			return nil, err
		}
		s.Service.Host.Image, s.Service.Host.Probe = cfg.Host.Image, cfg.Host.Probe
	}
	s.copy = copyOf(s.Service, s.names, s.ports, s.Shared)
	if s.copy.Host.Image == "" { // as the service would go along with what is there
		if s.copy.Host.Image, err = swap.NginxImage(ctx, s.world, cmp.Or(s.Service.Host.Network, config.DefaultNetwork)); err != nil {
			return nil, err
		}
	}
	s.held, s.release, err = swap.Hold(ctx, s.world, swap.Request{Service: s.copy, Actor: s.Actor}, s.names.lock())
	if err != nil {
		return nil, err
	}
	if err := s.images(s.held); err != nil {
		return nil, errors.Join(s.why(ctx, err), s.tearDown(ctx, false))
	}
	return s, nil
}

// images makes sure that the engine has every image, so that none is missing in the middle.
func (s *stage) images(ctx context.Context) (err error) {
	nginx := withImage(s.copy, s.nginxImage())
	nginx.Compose.PullPolicy, nginx.Compose.Platform = "", ""
	if err := swap.Fetch(ctx, s.world, nginx, s.Note); err != nil {
		return err
	}
	if s.example {
		s.Images, err = buildExample(ctx, s.client, s.engine, s.names)
		return err
	}
	if len(s.Images) == 0 {
		s.Images = []string{s.Service.Image}
	}
	for _, ref := range s.Images {
		if err := swap.Fetch(ctx, s.world, withImage(s.copy, ref), s.Note); err != nil {
			return err
		}
	}
	return nil
}

// tearDown removes everything, or marks it as kept; also when ctx has ended.
func (s *stage) tearDown(ctx context.Context, keep bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	var err error
	if keep {
		s.Note(fmt.Sprintf("the copy is kept, as %s on http://%s; `bluegreen rehearse --clean` removes it", s.copy.Settings.Service, s.address()))
		_, err = s.world.TakeLock(ctx, s.names.kept(), map[string]string{swap.LabelRole: swap.RoleLock, swap.LabelNetwork: s.names.network})
	} else {
		err = clean(ctx, s.client, s.names)
	}
	if err == nil { // the lock of a rehearsal that could not clean up tells the next one
		err = s.release()
	}
	return err
}

// cleanTime bounds the cleaning up: a container's stop is not waited for.
const cleanTime = 2 * time.Minute

// why is the error of a rehearsal that did not come to its end.
func (s *stage) why(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errors.New("the command's --timeout passed: the rehearsal was not finished; nothing of it is left")
	case ctx.Err() != nil:
		return &swap.InterruptedError{What: "the rehearsal was not finished; nothing of it is left"}
	case errors.Is(context.Cause(s.held), swap.ErrLockLost):
		return swap.ErrLockLost
	}
	return err
}

// runs are the names of the runs to do.
func (s *stage) runs() []string {
	if s.Compare {
		return []string{report.RunBluegreen, report.RunRecipe}
	}
	return []string{report.RunBluegreen}
}

func (s *stage) way(name string) way {
	if name == report.RunRecipe {
		return &recipe{stage: s}
	}
	return &ours{w: s.world, copy: s.copy, actor: s.Actor, note: s.Note, verbose: s.Verbose}
}

// address is where the copy's nginx is reached.
func (s *stage) address() string { return net.JoinHostPort(loopback, strconv.Itoa(s.ports.http)) }

// target is where the load goes: to that nginx.
func (s *stage) target(nginx string) load.Target {
	return s.reach(load.Target{Addr: s.address(), Host: cmp.Or(s.Load.Host, hostHeader(s.Service)), Header: s.Header}, nginx)
}
