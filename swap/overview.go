package swap

import (
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// askedAtOnce is how many services are asked for their status side by side: the engine has other work, too.
const askedAtOnce = 4

// Overview is what `status` shows of several services; its JSON is documented and stable.
type Overview struct {
	Services []Status     `json:"services"`
	Nginx    *NginxStatus `json:"nginx"` // nil: there is none
}

// ReadOverview asks the Docker host for the status of these services, which are of one network. A service whose status
// cannot be read has an Error and keeps none of the others from being shown; only when the engine is out of reach, or ctx
// ends, there is nothing to show.
func ReadOverview(ctx context.Context, w World, services []*config.Service) (Overview, error) {
	all := Overview{Services: make([]Status, len(services))}
	err := askAll(ctx, services, func(i int, s *config.Service) (err error) {
		all.Services[i], err = ReadStatus(ctx, w, s)
		return err
	}, func(i int, name string, err error) {
		if all.Services[i].Service = name; err != nil {
			all.Services[i].Error = err.Error()
		}
	})
	if err != nil {
		return Overview{}, err
	}
	for _, s := range all.Services {
		if s.Nginx != nil {
			all.Nginx = s.Nginx
			break
		}
	}
	return all, nil
}

// askAll asks for something of each service, some of them side by side, and says of each how that went. Its error is that nobody
// can be asked: the engine is out of reach, or ctx has ended.
func askAll(ctx context.Context, services []*config.Service, ask func(int, *config.Service) error, asked func(i int, name string, err error)) error {
	var g errgroup.Group
	g.SetLimit(askedAtOnce)
	for i, s := range services {
		name := s.Settings.Service // asking fills in what the host remembers
		g.Go(func() error {
			err := ask(i, s)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if away := (*docker.UnreachableError)(nil); errors.As(err, &away) {
				return err
			}
			asked(i, name, err)
			return nil
		})
	}
	return g.Wait()
}

// Services are the names of the services of a network: of those that have containers there, and of those that its nginx
// serves, whatever became of their containers.
func Services(ctx context.Context, w World, network string) ([]string, error) {
	list, err := w.Containers(ctx, map[string]string{LabelNetwork: network, LabelRole: RoleProfile})
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, c := range list {
		names[c.Labels[LabelService]] = true
	}
	var o Observation
	j := newJob(w, Request{Service: &config.Service{Host: config.Host{Network: network}}})
	if err := j.locate(ctx); err != nil {
		return nil, err
	}
	if err := j.seeNginx(ctx, &o); err != nil {
		return nil, err
	}
	for _, name := range o.served() {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// served are the services that nginx's files send traffic to.
func (o *Observation) served() []string {
	return slices.DeleteFunc(nginx.OwnSites(o.Files), func(name string) bool { return len(o.Files[nginx.IncludePath(name)]) == 0 })
}

// serves are the host names and the paths under which nginx serves the service: by the site that it has, else as wanted.
// None means all that no other service has. An adopted nginx does not say: its servers are its owner's.
func (j *job) serves() (names, paths []string) { return j.servesBy(j.obs.Files) }

// servesBy is serves by these files of nginx's.
func (j *job) servesBy(files map[string][]byte) (names, paths []string) {
	s := j.service()
	switch {
	case j.obs.adopted():
		return nil, nil
	case !nginx.OwnSite(string(files[nginx.SitePath(s)])):
		return j.Service.Settings.ServerNames, j.Service.Settings.Paths
	}
	for _, c := range nginx.Claims(files, s) {
		if c.Name != "" && !c.Preview && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
		if !slices.Contains(paths, c.Path) {
			paths = append(paths, c.Path)
		}
	}
	if slices.Contains(paths, "/") {
		paths = nil
	}
	return names, paths
}
