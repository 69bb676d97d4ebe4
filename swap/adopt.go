package swap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// adopt fills in what the host remembers when the request came without a compose file, and makes sure
// that the service of this name is ours.
func (j *job) adopt(o *Observation, own []docker.Container) error {
	o.agreeOnPause(own)
	for _, c := range own {
		if n := c.Labels[LabelNetwork]; n != j.names.network {
			return &config.Error{
				Where: "service " + j.service(), What: fmt.Sprintf("was deployed on network %q, not %q", n, j.names.network),
				Do: "Use --network " + n + ", or give this service another name.",
			}
		}
	}
	if j.Service.Settings.Profiles[0].Name == "" {
		name := j.service()
		switch {
		case o.State.Paused != nil && o.State.Settings == nil: // its first release
			j.Service.Settings = *o.State.Paused.Settings
		case o.State.Settings != nil:
			j.Service.Settings = *o.State.Settings
		case len(own) > 0: // it never was live: what is left of it can still be seen and removed
			j.Service.Settings = settingsOf(own)
		default:
			return &UnknownServiceError{Service: j.service(), Network: j.names.network}
		}
		j.Service.Settings.Service = name // it has the lock, whatever a file says that somebody edited
	}
	if p := o.State.Paused; p != nil && j.Command == Promote {
		j.Service.Settings = *p.Settings // whatever the file says by now
	} else {
		j.keepSite(o.State.Settings)
	}
	for i, p := range j.Service.Settings.Profiles {
		o.Places[i].Profile = p
	}
	for _, c := range own {
		if owner := c.Labels[LabelProject]; owner != j.Service.Settings.Project {
			return &config.Error{
				Where: "service " + j.service(), What: fmt.Sprintf("belongs to project %q on this host, not to %q", owner, j.Service.Settings.Project),
				Do: fmt.Sprintf("When both are the same, say so in the compose file (name: %s): compose takes the folder's name otherwise. When not, give one of them another name with x-bluegreen: {name: …}.", owner),
			}
		}
	}
	if o.Include != nil && o.Place(o.Include.Profile).Profile.Name == "" {
		return &config.Error{
			Where: "x-bluegreen.profiles", What: fmt.Sprintf("the live profile is %q, which is not among them", o.Include.Profile),
			Do: "Keep the names of the profiles, or take the service down first.",
		}
	}
	return nil
}

// settingsOf are the settings of a service of which nothing but containers is known.
func settingsOf(own []docker.Container) config.Settings {
	s := config.Settings{
		Service: own[0].Labels[LabelService], Project: own[0].Labels[LabelProject], Drain: config.DefaultDrain,
		Profiles: [2]config.Profile{{Name: config.DefaultProfile1}, {Name: config.DefaultProfile2}},
		Health:   config.Health{Path: config.DefaultHealthPath, Expect: config.ExpectProfile, Timeout: config.DefaultHealthTimeout},
	}
	seen := map[string]bool{}
	for _, c := range own {
		seen[c.Labels[LabelProfile]] = true
	}
	for i, name := range slices.Sorted(maps.Keys(seen)) {
		if i < len(s.Profiles) && !seen[s.Profiles[i].Name] {
			s.Profiles[i].Name = name
		}
	}
	return s
}

// checkNames refuses host names and paths that another service of this nginx serves already: nginx would refuse the one,
// and silently ignore the other. And it refuses a name of the service's own that nginx cannot tell from another one's.
func (o *Observation) checkNames(s config.Settings) error {
	if o.adopted() {
		return checkClaims(o.Files, s.Service, nil) // its servers are its owner's
	}
	return checkClaims(o.Files, s.Service, o.unheld(s.Service, claims(s)))
}

// unheld are those of the names and paths that a service does not have yet: what it has, it keeps, whatever somebody made of
// another one's site.
func (o *Observation) unheld(service string, wanted []nginx.Claim) []nginx.Claim {
	if len(o.Files[nginx.SitePath(service)]) == 0 {
		return wanted
	}
	have := nginx.Claims(o.Files, service)
	return slices.DeleteFunc(wanted, func(c nginx.Claim) bool { return slices.Contains(have, c) })
}

func checkClaims(files map[string][]byte, service string, wanted []nginx.Claim) error {
	for _, other := range nginx.OwnSites(files) {
		if other == service {
			continue
		}
		if strings.EqualFold(other, service) {
			return &config.Error{
				Where: "service " + service, What: fmt.Sprintf("differs from service %s on this nginx in nothing but capital letters, and nginx does not tell them apart", other),
				Do: "Give one of them another name with x-bluegreen: {name: …}.",
			}
		}
		for _, theirs := range nginx.Claims(files, other) {
			for _, ours := range wanted {
				if !strings.EqualFold(ours.Name, theirs.Name) {
					continue
				}
				if ours.Preview != theirs.Preview {
					return mixed(service, other, ours)
				}
				if ours.Path == theirs.Path {
					return claimed(service, other, ours)
				}
				if !nginx.Shares(files, other) {
					return &config.Error{
						Where: "service " + service, What: fmt.Sprintf("%s serves %s by a site of an older bluegreen, which shares it with nobody", other, hosts(ours.Name)),
						Do: fmt.Sprintf("Let it be written anew first: bluegreen deploy %s.", other),
					}
				}
			}
		}
	}
	return nil
}

// proveNames makes sure, under the host's lock, that no other service has taken the names and paths of a site since this run
// looked, nor shows another certificate for one. Those that the service has already, it keeps.
func (j *job) proveNames(ctx context.Context, site []nginx.File) error {
	texts := map[string][]byte{}
	for _, f := range site {
		texts[f.Path] = []byte(f.Text)
	}
	wanted := j.obs.unheld(j.service(), nginx.Claims(texts, j.service()))
	certificate := nginx.CertificateOf(texts, j.service())
	newly := certificate != "" && nginx.CertificateOf(j.obs.Files, j.service()) == ""
	if j.adopted() || len(wanted) == 0 && !newly { // the servers of an adopted nginx are its owner's
		return nil
	}
	files, err := j.readTree(ctx)
	if err != nil {
		return err
	}
	if err := checkClaims(files, j.service(), wanted); err != nil {
		return err
	}
	return j.obs.checkCertificate(files, j.service(), certificate, nginx.AllNames(string(texts[nginx.SitePath(j.service())])))
}

// claims are the names and paths that a service wants.
func claims(s config.Settings) (list []nginx.Claim) {
	names, paths := s.ServerNames, s.Paths
	if len(names) == 0 {
		names = []string{""}
	}
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	add := func(names []string, preview bool) {
		for _, n := range names {
			for _, p := range slices.Concat(paths, s.MorePaths()) {
				list = append(list, nginx.Claim{Name: n, Path: p, Preview: preview})
			}
		}
	}
	add(names, false)
	if s.Web.Preview != nil {
		add(s.Web.Preview.ServerNames, true)
	}
	return list
}

func claimed(service, other string, c nginx.Claim) error {
	under := ""
	if c.Path != "/" {
		under = " under " + c.Path
	}
	if c.Name == "" {
		return &config.Error{
			Where: "service " + service, What: fmt.Sprintf("has no server_names, and %s serves every host name on this nginx already%s", other, under),
			Do: "Give server_names or other paths to one of them.",
		}
	}
	return &config.Error{
		Where: "service " + service, What: fmt.Sprintf("%s serves the name %s on this nginx already%s", other, c.Name, under),
		Do: "Take it out of the server_names of one of them, or give one of them other paths.",
	}
}

func hosts(name string) string {
	if name == "" {
		return "every host name"
	}
	return "the name " + name
}
