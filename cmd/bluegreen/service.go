package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/swap"
)

// connect reaches the engine.
func (a *app) connect(ctx context.Context) (*docker.Client, error) {
	o := a.engine
	o.Host, o.Context = a.host, a.context
	c, err := docker.New(ctx, o)
	a.away = err != nil
	return c, err
}

// load reads the configuration of a service that a command may create containers for.
func (a *app) load(ctx context.Context, o config.Options) (*config.Service, error) {
	o.Files, o.Host.Network, o.Host.Probe = a.files, a.network, a.probe
	return config.Load(ctx, o)
}

// find is the service a command means that creates nothing: by the compose file, or by what the host
// remembers when there is none. A command that needs the site as the file has it does not go on without a file that is there.
func (a *app) find(ctx context.Context, w swap.World, name string, needsSite bool) (*config.Service, error) {
	s, err := a.load(ctx, config.Options{Service: name, NoDeploy: true, SiteFiles: needsSite})
	if err == nil {
		return s, nil
	}
	if needsSite && !errors.Is(err, config.ErrNoFile) && !errors.Is(err, config.ErrNoService) {
		return nil, err
	}
	if wrong := config.CheckNames(name, a.network); wrong != nil {
		return nil, wrong
	}
	remembered := &config.Service{Host: config.Host{Network: a.networkOrDefault(), Probe: a.probe}}
	if errors.Is(err, config.ErrNoService) {
		remembered.Host.Network = a.networkHere(ctx) // the file may be read, and says which nginx is meant
	}
	if name != "" && len(a.files) == 0 {
		if !errors.Is(err, config.ErrNoFile) {
			fmt.Fprintf(a.stderr, "bluegreen: going by what the host remembers, as the compose file does not help: %v\n", err)
		}
		remembered.Settings.Service = name
		return remembered, nil
	}
	if !errors.Is(err, config.ErrNoFile) {
		return nil, fmt.Errorf("%w\nThe host remembers what was deployed: name the service to go by that, without the file", err)
	}
	names, lerr := swap.Services(ctx, w, remembered.Host.Network)
	if lerr != nil {
		return nil, lerr
	}
	switch len(names) {
	case 0:
		var none *config.Error
		if !errors.As(err, &none) {
			return nil, err
		}
		told := *none
		told.What += ", and no service on the host's network " + remembered.Host.Network
		told.Do = "Go to the folder of compose.yaml, name the file with --file, or name the service and its network: SERVICE --network NAME."
		return nil, &told
	case 1:
		remembered.Settings.Service = names[0]
		return remembered, nil
	}
	return nil, config.Several(names)
}

// look is what a command that only looks needs.
type look struct {
	client  *docker.Client
	world   swap.World
	service *config.Service
}

// look connects, finds the service that is meant, and shows something of it.
func (a *app) look(ctx context.Context, name string, show func(look) error) error {
	return a.with(ctx, name, false, show)
}

// with connects, finds the service that is meant, and does something with it.
func (a *app) with(ctx context.Context, name string, needsSite bool, do func(look) error) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	w := swap.RealWorld(c)
	service, err := a.find(ctx, w, name, needsSite)
	if err != nil {
		return err
	}
	return do(look{client: c, world: w, service: service})
}

// networkHere is the network that the command line or the compose file names, else the default.
func (a *app) networkHere(ctx context.Context) string {
	if !slices.Contains(a.files, "-") { // standard input cannot be read twice
		if host, _, err := a.list(ctx); err == nil {
			return host.Network
		}
	}
	return a.networkOrDefault()
}

func (a *app) networkOrDefault() string {
	if a.network != "" {
		return a.network
	}
	return config.DefaultNetwork
}

// actor is who runs this command, as locks and history tell others.
func (a *app) actor() swap.Actor {
	who := os.Getenv("SUDO_USER")
	if who == "" {
		if u, err := user.Current(); err == nil {
			who = u.Username
		} else {
			who = fmt.Sprint(os.Getuid())
		}
	}
	where, err := os.Hostname()
	if err != nil {
		where = "unknown host"
	}
	return swap.Actor{Who: who, Where: where, Command: a.command}
}
