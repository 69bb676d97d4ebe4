package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
	"bluegreen/swap"
)

// runSwap carries a request out and shows it: events as they come, the result at the end.
func (a *app) runSwap(ctx context.Context, c *docker.Client, r swap.Request) error {
	outliveReaders()
	show := renderer(&plain{app: a}) // a question stands below lines that stay
	if r.Approve == nil || a.output == "json" {
		show = a.renderer(r.DryRun)
	}
	r.Actor, r.Emit, r.HookEnv = a.actor(), show.event, a.engineEnv()
	w := swap.RealWorld(c)
	result, err := swap.Run(ctx, w, r)
	if err == nil && r.PromoteAfter > 0 && result.Outcome == swap.Paused {
		result, r, err = a.promoteAfter(ctx, w, r, result)
	}
	show.result(result, r, err)
	a.reported, a.ended = err != nil, &ended{result: result, request: r, err: err}
	return err
}

// runFound is runSwap for a command that creates nothing, for the service that SERVICE or the file names.
func (a *app) runFound(ctx context.Context, name string, r swap.Request) error {
	a.request = &r
	err := a.with(ctx, name, r.NeedsSite(), func(l look) error {
		r.Service = l.service
		return a.runSwap(ctx, l.client, r)
	})
	if a.away {
		r.Service, _ = a.load(ctx, config.Options{Service: name, NoDeploy: true}) // whom to tell, if the file says so
	}
	return a.unbegun(ctx, err)
}

// outliveReaders lets this process go on when nobody reads what it prints any more (`bluegreen deploy | head -1`): that must not
// end a swap half-way.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// engineEnv lets docker talk, in a hook, to the engine that this command talks to.
func (a *app) engineEnv() []string {
	if a.host == "" && a.context == "" {
		return nil // the environment says it already
	}
	return []string{"DOCKER_HOST=" + a.host, "DOCKER_CONTEXT=" + a.context}
}

// runLoaded is runSwap for a command that creates containers. The configuration is read before the engine
// is asked: its mistakes can be told without one.
func (a *app) runLoaded(ctx context.Context, o config.Options, r swap.Request) error {
	a.request = &r
	service, err := a.load(ctx, o)
	if err != nil {
		return err
	}
	r.Service = service
	c, err := a.connect(ctx)
	if err != nil {
		return a.unbegun(ctx, err)
	}
	defer c.Close()
	return a.runSwap(ctx, c, r)
}

// advice is what is live after a failure, where that is known, and the next command.
func advice(res swap.Result, r swap.Request, err error) []string {
	var lines []string
	if res.Seen {
		lines = append(lines, "live: "+liveText(res))
	}
	if next := nextCommand(res, r, err); next != "" {
		lines = append(lines, "next: "+next)
	}
	return lines
}

// nextCommand is what a person does after this failure.
func nextCommand(res swap.Result, r swap.Request, err error) string {
	var (
		locked   *swap.LockedError
		ended    *swap.EndedError
		notReady *health.NotReadyError
		drained  *nginx.NotDrainedError
		port     *docker.PortTakenError
		back     *swap.SwitchedBackError
		nothing  *swap.NothingToRollBackError
		usage    *config.Error
		step     *swap.StepError
		registry *docker.RegistryError
		platform *swap.PlatformError
		notLive  *swap.NotLiveError
		declined *swap.DeclinedError
		hook     *swap.HookError
		gone     *swap.GoneError
	)
	failed := fmt.Sprintf("the failed container is kept: docker logs %s-%s-failed; mend the release and run `bluegreen %s` again", res.Service, res.Idle, r.Command)
	switch {
	case errors.As(err, &usage), errors.As(err, &nothing), errors.As(err, &notLive), errors.As(err, &declined), errors.As(err, &gone):
		return "" // the error itself says what to do
	case errors.Is(err, swap.ErrLockLost):
		return fmt.Sprintf("run `bluegreen %s` again: it settles what this run began; bluegreen status shows what is", r.Command)
	case errors.Is(err, swap.ErrNginxDown):
		return fmt.Sprintf("bring nginx up, as the message says, and run `bluegreen %s` again", r.Command)
	case errors.As(err, &locked) && locked.Holder[swap.LabelRun] != "" && locked.Holder[swap.LabelRun] == os.Getenv("BLUEGREEN_RUN"):
		return "this is a hook of the run that has the lock: leave it to that run, or do it afterwards"
	case errors.As(err, &locked):
		return fmt.Sprintf("wait for it: bluegreen %s --wait 5m; or, when you are sure that run is dead: bluegreen unlock %s", r.Command, cmp.Or(locked.Holder[swap.LabelService], res.Service))
	case errors.As(err, &drained):
		return fmt.Sprintf("wait until the long requests are done, or raise x-bluegreen.drain; then run `bluegreen %s` again", r.Command)
	case errors.As(err, &port):
		return fmt.Sprintf("free port %d, or give another one (%s)", port.Port, portKey(r.Service, port.Port))
	case errors.As(err, &back):
		return failed
	case errors.As(err, &hook):
		return fmt.Sprintf("mend what the hook says, and run `bluegreen %s` again; --no-hooks leaves the hooks out", r.Command)
	case errors.As(err, &ended), errors.As(err, &notReady):
		if r.Command == swap.Deploy {
			return notReadyHint(err) + failed
		}
		return fmt.Sprintf("bluegreen logs %s --profile %s shows why", res.Service, res.Idle)
	case errors.As(err, &registry) && registry.Remedy() != "":
		return fmt.Sprintf("%s; then run `bluegreen %s` again", registry.Remedy(), r.Command)
	case errors.As(err, &platform):
		return fmt.Sprintf("%s; then run `bluegreen %s` again", platform.Remedy(), r.Command)
	case errors.As(err, &step), swap.ExitCode(err) == swap.ExitFailed:
		return fmt.Sprintf("mend the cause and run `bluegreen %s` again; bluegreen status shows what is", r.Command)
	}
	return ""
}

// notReadyHint names the keys that an app needs which does not take its port, or has no page for its profile.
func notReadyHint(err error) string {
	if _, ok := errors.AsType[*health.NobodyError](err); ok {
		return "does the app listen on the port in PORT, on all addresses? one that always takes the same: container_port; "
	}
	if _, ok := errors.AsType[*health.StatusError](err); ok {
		return "is health.path right (/profile by default)? a page without the profile's name: health: {path: /healthz, expect: status}; "
	}
	return ""
}

// portKey is the key that decides on a port of the host: a profile's, or one of nginx's.
func portKey(s *config.Service, port int) string {
	if s != nil {
		for _, p := range s.Settings.Profiles {
			if p.Port == port {
				return "x-bluegreen.profiles." + p.Name
			}
		}
	}
	switch {
	case s != nil && port == cmp.Or(s.Host.Status, config.DefaultStatus):
		return "x-bluegreen.nginx.status"
	case s != nil && port == cmp.Or(s.Host.HTTPS, config.DefaultHTTPS):
		return "x-bluegreen.nginx.https"
	}
	return "x-bluegreen.nginx.http"
}

// indent puts lines under a first one.
func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }
