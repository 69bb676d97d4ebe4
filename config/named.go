package config

import (
	"os"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/nginx"
)

// loadNamed makes a service without a compose file, from --name and --image and the defaults.
func loadNamed(o Options) (*Service, error) {
	src := source{dir: o.Dir}
	if f := checkNamed(o); f != nil {
		return nil, src.error(f)
	}
	s := defaults()
	s.Service, s.Project = o.Name, o.Name
	s.Compose = types.ServiceConfig{Name: o.Name}
	s.ProjectDef = &types.Project{
		Name: o.Name, WorkingDir: o.Dir,
		Environment: types.NewMapping(os.Environ()),
		Services:    types.Services{o.Name: s.Compose},
	}
	s.Host = Host{Network: DefaultNetwork}
	if f := decodeHost(o.Host.section(), &s.Host); f != nil {
		return nil, src.error(f.under(commandLine))
	}
	if f := checkTogether(s.Host, []*Service{s}); f != nil {
		return nil, src.error(f)
	}
	return finish(s, src, o)
}

func checkNamed(o Options) *fault {
	flag := "--name " + o.Name
	switch err := nginx.ValidServiceName(o.Name); {
	case err != nil:
		return &fault{at: []string{commandLine, "--name"}, what: err.Error(), err: err}
	case len(o.Files) > 0:
		return flagFault(flag, "--file was given too", "Choose one: --file for a service of a compose file, --name to start without one.")
	case o.Service != "" && o.Service != o.Name:
		return flagFault(flag, "the service "+o.Service+" was named too", "Choose one: SERVICE means one of a compose file.")
	}
	return nil
}

// CheckNames refuses, with an *Error, what can be the name of no service or no network: for commands that go by what
// the host remembers. "" is not looked at.
func CheckNames(service, network string) error {
	if err := nginx.ValidServiceName(service); service != "" && err != nil {
		return &Error{Where: "SERVICE", What: err.Error(), Do: "`bluegreen status` without it finds the host's only one.", err: err}
	}
	if err := validDockerName(network); network != "" && err != nil {
		return &Error{Where: "--network", What: err.Error(), err: err}
	}
	return nil
}
