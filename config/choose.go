package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// sectionPath is where a compose service's section stands.
func sectionPath(composeName string, keys ...string) []string {
	return append([]string{"services", composeName, extension}, keys...)
}

// decodeServices reads every blue/green service of the project, by name of the compose service: their
// settings must fit together, whichever is chosen.
func decodeServices(project *types.Project) ([]*Service, *fault) {
	var services []*Service
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		compose := project.Services[name]
		raw, ok := compose.Extensions[extension]
		if !ok {
			continue
		}
		s := defaults()
		s.Compose, s.Project = compose, project.Name
		s.Service = name
		f := decode(raw, serviceFields(s))
		if f == nil {
			f = check(s)
		}
		if f != nil {
			return nil, f.under(sectionPath(name)...)
		}
		services = append(services, s)
	}
	return services, nil
}

// choose finds the service a command means.
func choose(project *types.Project, services []*Service, name string) (*Service, *fault) {
	switch {
	case len(services) == 0:
		return nil, noSection(project)
	case name == "" && len(services) == 1:
		return services[0], nil
	case name == "":
		return nil, &fault{
			what: "several services have an " + extension + " section: " + candidates(services),
			do:   "Name the one you mean.",
			err:  ErrSeveral,
		}
	}
	return named(project, services, name)
}

func named(project *types.Project, services []*Service, name string) (*Service, *fault) {
	var known []string
	for _, s := range services {
		if name == s.Compose.Name || name == s.Service {
			return s, nil
		}
		known = append(known, s.Compose.Name, s.Service)
	}
	if _, ok := project.Services[name]; ok {
		return nil, &fault{
			at: []string{"services", name}, what: "has no " + extension + " section",
			do: "Services with one: " + candidates(services) + ". To add it: `" + extension + ": {}`.", err: ErrNoService,
		}
	}
	return nil, &fault{
		what: fmt.Sprintf("no service %q%s", name, didYouMean(name, known)),
		do:   "Services with an " + extension + " section: " + candidates(services) + ".", err: ErrNoService,
	}
}

// candidates lists services by their compose names, the blue/green name beside it where it differs.
func candidates(services []*Service) string {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.Compose.Name
		if s.Service != s.Compose.Name {
			names[i] += " (" + s.Service + ")"
		}
	}
	return strings.Join(names, ", ")
}

// misspelt finds a section that is nearly named as ours: compose takes any key that begins with x-.
func misspelt(project *types.Project) *fault {
	check := func(keys types.Extensions, at ...string) *fault {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if key != extension && nearest(key, []string{extension}) != "" {
				return &fault{at: append(at, key), what: "unknown key: did you mean " + extension + "?"}
			}
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		if f := check(project.Services[name].Extensions, "services", name); f != nil {
			return f
		}
	}
	return check(project.Extensions)
}

func noSection(project *types.Project) *fault {
	names := slices.Sorted(maps.Keys(project.Services))
	f := &fault{what: "no service has an " + extension + " section", do: "The file has no services.", err: ErrNoService}
	if len(names) > 0 {
		f.what += " (services: " + strings.Join(names, ", ") + ")"
		f.do = "Add the line `" + extension + ": {}` to the one to deploy."
	}
	return f
}
