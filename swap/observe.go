package swap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/nginx"
)

// Observation is what is: the Docker host's own word on one service, and nothing else.
type Observation struct {
	Network *docker.Network   // nil: not there yet
	Nginx   *docker.Container // nil: not there yet
	Volume  bool              // nginx's configuration is there
	Host    HostKeys          // what the nginx container was made with
	Files   map[string][]byte // below nginx.Root
	State   State
	Include *nginx.Target // what nginx sends traffic to; nil: the service is not live
	Places  [2]Place
	// HalfMade are the service's containers that were created and never started.
	HalfMade []docker.Container
	Highest  int      // release number seen anywhere
	Healthy  bool     // the live profile answers as itself now
	Damage   []string // files of ours that cannot be read
	Owner    string
}

// Place is a profile and the containers in it.
type Place struct {
	Profile                 config.Profile
	Container, Prev, Failed *docker.Container // nil: none
}

// HostKeys are the host's keys as the nginx container was made with them, kept in its labels.
type HostKeys struct {
	HTTP            int    `json:"http"`
	Status          int    `json:"status"`
	Image           string `json:"image"`
	ShutdownTimeout string `json:"shutdown_timeout"`
}

// Place is the place of that name; an empty one when there is none.
func (o *Observation) Place(profile string) Place {
	for _, p := range o.Places {
		if p.Profile.Name == profile {
			return p
		}
	}
	return Place{}
}

// Live is the live place; ok is false when the service is not live.
func (o *Observation) Live() (Place, bool) {
	if o.Include == nil {
		return Place{}, false
	}
	return o.Place(o.Include.Profile), true
}

// Idle is the place that is not live: the second when the first is live, else the first.
func (o *Observation) Idle() Place {
	if o.Include != nil && o.Include.Profile == o.Places[0].Profile.Name {
		return o.Places[1]
	}
	return o.Places[0]
}

// NginxRuns says whether the nginx container runs.
func (o *Observation) NginxRuns() bool { return o.Nginx != nil && o.Nginx.Running() }

// release is the number in a container's label, 0 when it has none.
func release(c *docker.Container) int {
	if c == nil {
		return 0
	}
	n, _ := strconv.Atoi(c.Labels[LabelRelease])
	return n
}

// fresh says whether the place holds a release that never was live.
func (o *Observation) fresh(p Place) bool { return release(p.Container) > o.State.LastLive }

// waiting says whether such a release runs.
func (o *Observation) waiting(p Place) bool { return runs(p) && o.fresh(p) }

// observe asks the Docker host what is. Called again after anything changed that a plan depends on.
func (j *job) observe(ctx context.Context) error {
	o := Observation{Owner: j.obs.Owner}
	var own []docker.Container
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return j.seeNetwork(gctx, &o) })
	g.Go(func() error { return j.seeNginx(gctx, &o) })
	g.Go(func() (err error) {
		own, err = j.w.Containers(gctx, map[string]string{LabelService: j.service(), LabelRole: RoleProfile})
		return err
	})
	if err := g.Wait(); err != nil {
		return fmt.Errorf("look at the Docker host: %w", err)
	}
	if err := j.read(ctx, &o); err != nil {
		return err
	}
	if err := j.adopt(&o, own); err != nil {
		return err
	}
	o.place(own)
	o.Highest = o.highest(j.service(), own)
	if live, ok := o.Live(); ok {
		o.Healthy = j.answers(ctx, live, o.State.LastLive)
	}
	j.obs, j.seen = o, true
	return nil
}

func (j *job) seeNetwork(ctx context.Context, o *Observation) error {
	n, err := j.w.Network(ctx, j.names.network)
	if err == nil {
		o.Network = &n
	}
	return ignoreNotFound(err)
}

// seeNginx finds the nginx container and the files in its volume.
func (j *job) seeNginx(ctx context.Context, o *Observation) error {
	c, err := j.w.Container(ctx, j.names.nginx)
	if errors.Is(err, docker.ErrNotFound) {
		if o.Volume, err = j.w.VolumeExists(ctx, j.names.volume); err != nil || !o.Volume {
			return err
		}
		o.Files, err = j.w.ReadVolume(ctx, j.names.volume, map[string]string{LabelRole: RoleOneShot, LabelNetwork: j.names.network, LabelRun: j.run})
		return err
	}
	if err != nil {
		return err
	}
	if c.Labels[LabelRole] != RoleNginx {
		return &config.Error{
			Where: "container " + c.Name, What: "is not bluegreen's, but has the name that bluegreen needs for nginx",
			Do: "Rename or remove it, or choose another x-bluegreen network name.",
		}
	}
	o.Nginx, o.Volume = &c, true
	if err := json.Unmarshal([]byte(c.Labels[LabelHost]), &o.Host); err != nil {
		return fmt.Errorf("read label %s of container %s: %w", LabelHost, c.Name, err)
	}
	o.Files, err = j.w.ReadTree(ctx, c.ID, nginx.Root)
	return ignoreNotFound(err)
}

// read takes the service's own files out of the tree. What somebody damaged is told, and made good from the rest as
// far as that goes: the next swap writes it anew.
func (j *job) read(ctx context.Context, o *Observation) error {
	service := j.service()
	var damage error
	o.State, damage = parseState(o.Files[nginx.StatePath(service)])
	if damage != nil {
		o.State = State{}
		o.Damage = append(o.Damage, damage.Error())
	}
	if len(o.Files[nginx.SitePath(service)]) == 0 {
		return nil // an include without a site that reads it sends no traffic anywhere
	}
	t, err := nginx.ParseInclude(service, string(o.Files[nginx.IncludePath(service)]))
	if err != nil {
		if t, err = j.served(ctx, o, err); err != nil {
			return err
		}
	}
	o.Include = &t
	o.State.LastLive = max(o.State.LastLive, o.Include.Release)
	if o.State.Confirmed == nil && o.State.Intent == nil {
		o.State.Confirmed = &ReleaseRef{Release: o.Include.Release, Profile: o.Include.Profile}
	}
	return nil
}

// served is what nginx itself says it serves, when that is what was confirmed and the include cannot be read: a torn
// file is written anew by the next swap. Anything else is somebody's own work and is not guessed at.
func (j *job) served(ctx context.Context, o *Observation, unreadable error) (nginx.Target, error) {
	path := nginx.IncludePath(j.service())
	if c := o.State.Confirmed; c != nil && o.NginxRuns() {
		want := nginx.Target{Service: j.service(), Profile: c.Profile, Release: c.Release}
		if got, err := j.w.Ask(ctx, j.listener(o), j.service()); err == nil && got == want {
			o.Damage = append(o.Damage, fmt.Sprintf("read %s: %v", path, unreadable))
			return want, nil
		}
	}
	return nginx.Target{}, fmt.Errorf("read %s: %w; put it right in the nginx container (%s/%s), and reload nginx", path, unreadable, nginx.Root, path)
}

// listener is nginx's status listener.
func (j *job) listener(o *Observation) nginx.StatusListener {
	return nginx.StatusListener{URL: fmt.Sprintf("http://127.0.0.1:%d", o.Host.Status)}
}

// adopt fills in what the host remembers when the request came without a compose file, and makes sure
// that the service of this name is ours.
func (j *job) adopt(o *Observation, own []docker.Container) error {
	for _, c := range own {
		if n := c.Labels[LabelNetwork]; n != j.names.network {
			return &config.Error{
				Where: "service " + j.service(), What: fmt.Sprintf("was deployed on network %q, not %q", n, j.names.network),
				Do: "Use --network " + n + ", or give this service another name.",
			}
		}
	}
	if j.Service.Settings.Profiles[0].Name == "" {
		switch {
		case o.State.Settings != nil:
			j.Service.Settings = *o.State.Settings
		case len(own) > 0: // it never was live: what is left of it can still be seen and removed
			j.Service.Settings = settingsOf(own)
		default:
			return &UnknownServiceError{Service: j.service(), Network: j.names.network}
		}
	}
	for i, p := range j.Service.Settings.Profiles {
		o.Places[i].Profile = p
	}
	for _, c := range own {
		if owner := c.Labels[LabelProject]; owner != j.Service.Settings.Project {
			return &config.Error{
				Where: "service " + j.service(), What: fmt.Sprintf("belongs to project %q on this host, not to %q", owner, j.Service.Settings.Project),
				Do: "Give one of them another name with x-bluegreen: {name: …}.",
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

// checkNames refuses host names that another service of this nginx serves already: nginx would refuse the one, and
// silently ignore the other.
func (o *Observation) checkNames(s config.Settings) error {
	for path, text := range o.Files {
		other, ok := strings.CutPrefix(path, "sites/")
		other, ok2 := strings.CutSuffix(other, ".conf")
		if !ok || !ok2 || other == s.Service {
			continue
		}
		names := nginx.SiteNames(string(text))
		if len(names) == 0 && len(s.ServerNames) == 0 {
			return &config.Error{
				Where: "service " + s.Service, What: fmt.Sprintf("has no server_names, and %s serves every host name on this nginx already", other),
				Do: "Give server_names to one of them.",
			}
		}
		for _, n := range s.ServerNames {
			if slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(other, n) }) {
				return &config.Error{
					Where: "service " + s.Service, What: fmt.Sprintf("%s serves the name %s on this nginx already", other, n),
					Do: "Take it out of the server_names of one of them.",
				}
			}
		}
	}
	return nil
}

// place puts every container of ours where its name says.
func (o *Observation) place(own []docker.Container) {
	for i := range own {
		c := &own[i]
		if c.State == "created" {
			o.HalfMade = append(o.HalfMade, *c)
		}
		for k := range o.Places {
			p := &o.Places[k]
			service, profile := c.Labels[LabelService], p.Profile.Name
			switch c.Name {
			case containerName(service, profile):
				p.Container = c
			case prevName(service, profile):
				p.Prev = c
			case failedName(service, profile):
				p.Failed = c
			}
		}
	}
}

// highest is the highest release number seen anywhere, so that none is given out twice.
func (o *Observation) highest(service string, own []docker.Container) int {
	n := o.State.LastLive
	if o.Include != nil {
		n = max(n, o.Include.Release)
	}
	for _, r := range []*ReleaseRef{o.State.Confirmed, o.State.Previous} {
		if r != nil {
			n = max(n, r.Release)
		}
	}
	if i := o.State.Intent; i != nil && i.To != nil {
		n = max(n, i.To.Release)
	}
	for i := range own {
		n = max(n, release(&own[i]))
	}
	for _, r := range ParseHistory(o.Files[nginx.HistoryPath(service)]) {
		n = max(n, r.Release)
	}
	return n
}

// answers says whether what is in a place is healthy now. One failed question never says that it is not.
func (j *job) answers(ctx context.Context, p Place, lastLive int) bool {
	if !runs(p) {
		return false
	}
	for range 2 {
		tctx, cancel := context.WithTimeout(ctx, j.Service.Settings.Health.Timeout)
		_, err := j.w.Probe(tctx, j.probe(p.Profile, p.Container, lastLive))
		cancel()
		if err == nil {
			return true
		}
	}
	return false
}

// probe is the health question to a profile's container, at its own loopback port.
func (j *job) probe(p config.Profile, c *docker.Container, lastLive int) health.Probe {
	port, err := strconv.Atoi(c.Labels[LabelPort])
	if err != nil {
		port = p.Port
	}
	return ProbeFor(j.settingsFor(c, lastLive), p, port)
}

// settingsFor are the settings with the health check of a container's release: one that was live proves itself as it
// did then, whatever is wanted of the next one.
func (j *job) settingsFor(c *docker.Container, lastLive int) config.Settings {
	s := j.Service.Settings
	if c == nil || release(c) > lastLive {
		return s
	}
	was := s
	if err := json.Unmarshal([]byte(c.Labels[LabelHealth]), &was.Health); err == nil {
		return was
	}
	return s
}

// ProbeFor is the health question for a profile, asked at a loopback port: the profile's own, or nginx's.
func ProbeFor(s config.Settings, p config.Profile, port int) health.Probe {
	q := health.Probe{URL: fmt.Sprintf("http://127.0.0.1:%d%s", port, s.Health.Path), Host: s.Health.Host}
	switch s.Health.Expect {
	case config.ExpectProfile:
		q.Profile = p.Name
	case config.ExpectText:
		q.Text = s.Health.Text
	}
	return q
}

func ignoreNotFound(err error) error {
	if errors.Is(err, docker.ErrNotFound) {
		return nil
	}
	return err
}
