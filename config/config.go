// Package config reads a compose file with its x-bluegreen sections into a validated Service.
//
// Everything has a default (see the constants), every key is known by name, and what a person wrote
// wrongly comes back as an *Error that says where it stands, what is wrong and what to do.
package config

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// Service is one blue/green service, validated. Its JSON is that of its Settings.
type Service struct {
	Settings
	Image      string   // reference to deploy; "" only with Options.NoDeploy
	ProfileEnv []string // variables that bring the app its profile's name
	PortEnv    []string // variables that bring the app the port to listen on
	Hooks      Hooks    // not among the Settings: see there
	Notify     []Notify // who is told how a run ended
	Host       Host
	// Compose is the compose service, env_file and label_file resolved into it.
	Compose    types.ServiceConfig
	ProjectDef *types.Project
	File       string // the compose file, "" when started without one
	// Contents are those of the site's files, by File.Name; nil when they were not read.
	Contents map[string]Content
	Warnings []string // what a person should know of the configuration
	Exposed  string   // path of the site's private key, when every user of this machine may read it
	Refused  error    // why the site's files could not be read, where only that was to be found out
}

// AppEnv are the variables that tell the app its profile and where to listen.
func (s *Service) AppEnv(p Profile) map[string]string {
	env := map[string]string{}
	for _, name := range s.ProfileEnv {
		env[name] = p.Name
	}
	for _, name := range s.PortEnv {
		env[name] = strconv.Itoa(s.AppPort(p))
	}
	return env
}

// Host is what concerns every service of the Docker host. Zero values: not said by this project.
type Host struct {
	HTTP, HTTPS, Status int    // ports; the status port is on loopback
	Address             string // of the host, on which nginx publishes its http port; "" = all of them
	Image               string
	ShutdownTimeout     time.Duration
	Container           string // adopt this nginx
	Webroot             string // folder of the Docker host in which an ACME client leaves its answers
	Folder              string // in it, for bluegreen's files; "" = nginx.Root
	Network             string // name; never empty after Load
	Probe               string // how health and status are asked: ProbeHost, ProbeContainer; "" = as it fits
	Subnet              string // CIDR, at least a /28; "" = the engine chooses
}

// How profiles and nginx are asked: at the ports published on the Docker host's loopback, or from inside the nginx container.
const (
	ProbeHost      = "host"
	ProbeContainer = "container"
)

// Options say where the configuration comes from.
type Options struct {
	Files   []string // -f; none: compose's own search
	Dir     string   // working directory; "" = the process's own
	Service string   // compose service or blue/green name; "" = the only candidate
	// Without a compose file:
	Name          string
	Image         string   // also overrides a compose service's image
	Pull          string   // always, missing or never: overrides pull_policy; "" = not given
	ContainerPort int      // also overrides container_port; 0: not given
	Env           []string // K=V, or K to take it from the environment; also added to a compose service's
	// What overrides x-bluegreen's host keys: flags, or a caller's own; zero: not given.
	Host Host
	// NoDeploy: the command creates no container, so a missing image or a compose key that cannot be
	// carried over does not stand in its way.
	NoDeploy bool
	// Copy: a throw-away copy is to be made of the service, which has neither its certificate nor its passwords: these are not read,
	// and may not be here.
	Copy bool
	// SiteFiles: read certificates and the site's other files all the same.
	SiteFiles bool
}

// Load reads and validates. Errors a person can mend are *Error.
func Load(ctx context.Context, o Options) (*Service, error) {
	o, err := o.absolute()
	if err != nil {
		return nil, err
	}
	if o.Name != "" {
		return loadNamed(o)
	}
	return loadFiles(ctx, o)
}

// absolute are the options with the working directory's whole path.
func (o Options) absolute() (Options, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("find working directory: %w", err)
	}
	o.Dir = dir
	return o, nil
}

// written is what compose files say: of the host, and of every blue/green service.
type written struct {
	project  *types.Project
	src      source
	host     Host
	services []*Service
}

func readFiles(ctx context.Context, o Options) (written, error) {
	project, src, err := readProject(ctx, o)
	if err != nil {
		return written{}, err
	}
	if f := misspelt(project); f != nil {
		return written{}, src.error(f)
	}
	host := Host{Network: DefaultNetwork}
	if f := decodeHost(project.Extensions[extension], &host); f != nil {
		return written{}, src.error(f.under(extension))
	}
	if f := decodeHost(o.Host.section(), &host); f != nil {
		return written{}, src.error(f.under(commandLine))
	}
	if f := checkAdopted(host, o.Host); f != nil {
		return written{}, src.error(f)
	}
	services, f := decodeServices(project)
	if f != nil {
		return written{}, src.error(f)
	}
	return written{project: project, src: src, host: host, services: services}, nil
}

func loadFiles(ctx context.Context, o Options) (*Service, error) {
	w, err := readFiles(ctx, o)
	if err != nil {
		return nil, err
	}
	s, f := choose(w.project, w.services, o.Service)
	if f != nil {
		return nil, w.src.error(f)
	}
	if f := checkTogether(w.host, w.services); f != nil {
		return nil, w.src.error(f)
	}
	s.Host, s.ProjectDef, s.File = w.host, w.project, w.project.ComposeFiles[0]
	return finish(s, w.src, o)
}

// finish adds what only the chosen service needs: its environment, its image, and the check that its
// compose keys can be carried over.
func finish(s *Service, src source, o Options) (*Service, error) {
	if err := resolveEnvironment(s, src, o.Env); err != nil {
		return nil, err
	}
	if f := setContainerPort(s, o.ContainerPort); f != nil {
		return nil, src.error(f)
	}
	if f := setImage(s, o); f != nil {
		return nil, src.error(f)
	}
	if f := setPull(s, o.Pull); f != nil && !o.NoDeploy {
		return nil, src.error(f)
	}
	s.ProjectDef.Services[s.Compose.Name] = s.Compose
	if !o.NoDeploy || o.SiteFiles {
		if err := readWebFiles(s, src, o.Copy); err != nil {
			return nil, err
		}
	}
	if o.NoDeploy {
		return s, nil
	}
	if err := checkCompose(s, src); err != nil {
		return nil, err
	}
	return s, nil
}
