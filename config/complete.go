package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/docker"
)

// resolveEnvironment brings env_file, label_file and --env into the chosen service, and refuses
// variables that bluegreen sets itself.
func resolveEnvironment(s *Service, src source, env []string) error {
	name := s.Compose.Name
	written := s.Compose.Environment
	alone := *s.ProjectDef
	alone.Services = types.Services{name: s.Compose}
	resolved, err := alone.WithServicesEnvironmentResolved(true)
	if err != nil {
		return src.error(unreadable(err, name, "env_file"))
	}
	if resolved, err = resolved.WithServicesLabelsResolved(true); err != nil {
		return src.error(unreadable(err, name, "label_file"))
	}
	s.Compose = resolved.Services[name]
	if f := ownVariable(s, written); f != nil {
		return src.error(f)
	}
	if f := addEnv(s, env); f != nil {
		return src.error(f)
	}
	return nil
}

func unreadable(err error, service, key string) *fault {
	f := &fault{at: []string{"services", service, key}, what: err.Error(), err: err, do: "Mend the file."}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		f.what = fmt.Sprintf("cannot read %s: %v", path.Path, path.Err)
		f.do = "Create the file, or write `required: false` beside its path if it may be missing."
	}
	return f
}

// ownVariable refuses a variable whose value is bluegreen's to give, wherever compose has it from.
func ownVariable(s *Service, written types.MappingWithEquals) *fault {
	for _, name := range slices.Concat(s.ProfileEnv, s.PortEnv) {
		if s.Compose.Environment[name] == nil {
			continue
		}
		at := []string{"services", s.Compose.Name, "env_file"}
		if _, ok := written[name]; ok {
			at = []string{"services", s.Compose.Name, "environment", name}
		}
		return &fault{at: at, what: ownedWhat(s, name), do: ownedDo(s, name)}
	}
	return nil
}

func ownedWhat(s *Service, name string) string {
	what := "the profile's name"
	if slices.Contains(s.PortEnv, name) {
		what = "the port to listen on"
	}
	return fmt.Sprintf("bluegreen gives %s a value of its own: %s", name, what)
}

func ownedDo(s *Service, name string) string {
	if slices.Contains(s.PortEnv, name) {
		return fmt.Sprintf("Take it out of the environment (container_port fixes the port for both profiles), or out of %s.port_env.", extension)
	}
	return fmt.Sprintf("Take it out of the environment, or out of %s.profile_env.", extension)
}

// addEnv adds --env to the service's environment.
func addEnv(s *Service, env []string) *fault {
	for _, entry := range env {
		name, value, ok := strings.Cut(entry, "=")
		flag := strings.TrimSpace("--env " + name)
		if err := validVariable(name); err != nil {
			return flagFault(flag, err.Error(), "Write --env NAME=VALUE, or --env NAME to pass on your own.")
		}
		if slices.Contains(s.ProfileEnv, name) || slices.Contains(s.PortEnv, name) {
			return flagFault(flag, ownedWhat(s, name), ownedDo(s, name))
		}
		if !ok {
			if value, ok = os.LookupEnv(name); !ok {
				return flagFault(flag, "not set in the environment of this command", "Set it, or write --env "+name+"=VALUE.")
			}
		}
		if s.Compose.Environment == nil {
			s.Compose.Environment = types.MappingWithEquals{}
		}
		s.Compose.Environment[name] = &value
	}
	return nil
}

func setContainerPort(s *Service, given int) *fault {
	if given == 0 {
		return nil
	}
	if f := port(&s.ContainerPort).set(given); f != nil {
		return f.under(commandLine, "--container-port")
	}
	return nil
}

// setImage decides on the image: the flag's, else compose's.
func setImage(s *Service, o Options) *fault {
	s.Image = cmp.Or(o.Image, s.Compose.Image)
	s.Compose.Image = s.Image
	if s.Image == "" {
		return noImage(s, o)
	}
	err := validImage(s.Image)
	switch {
	case err == nil:
		return nil
	case o.Image != "":
		return flagFault("--image", err.Error(), "")
	}
	return &fault{
		at: []string{"services", s.Compose.Name, "image"}, what: err.Error(), do: "Is a variable in it not set?",
	}
}

func noImage(s *Service, o Options) *fault {
	switch {
	case o.NoDeploy:
		return nil
	case o.Name != "":
		return flagFault("--name "+o.Name, "no image to deploy", "Add --image IMAGE.")
	}
	return &fault{
		at: []string{"services", s.Compose.Name}, what: "no image to deploy; bluegreen does not build",
		do: "Add `image: NAME:TAG` beside build and run `docker compose build`, or build it yourself and give --image.",
	}
}

// checkCompose asks docker whether every key of the service can be carried over.
func checkCompose(s *Service, src source) error {
	err := docker.Check(s.Compose, s.ProjectDef)
	if u, ok := errors.AsType[*docker.UnsupportedError](err); ok {
		return src.error(&fault{at: composePath(u.Path, s.Compose.Name), what: u.Reason, err: err})
	}
	if err != nil {
		return src.error(&fault{at: []string{"services", s.Compose.Name}, what: err.Error(), err: err})
	}
	return nil
}

// composePath splits a path in words; the service's own name may have dots in it.
func composePath(path, service string) []string {
	var at []string
	if rest, ok := strings.CutPrefix(path, "services."+service+"."); ok {
		at, path = []string{"services", service}, rest
	}
	path = strings.ReplaceAll(strings.ReplaceAll(path, "[", "."), "]", "")
	return append(at, strings.Split(path, ".")...)
}
