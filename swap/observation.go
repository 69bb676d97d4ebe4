package swap

import (
	"slices"
	"strconv"

	"bluegreen/config"
	"bluegreen/docker"
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
	own     []docker.Container // all of the service, wherever they are
	// HalfMade are the service's containers that were created and never started.
	HalfMade []docker.Container
	Highest  int      // release number seen anywhere
	Healthy  bool     // the live profile answers as itself now
	Damage   []string // files of ours that cannot be read
	Lost     *Pause   // a release that was paused, and whose container is gone; nil: none

	history []Record // oldest first

	nginxVersion string // of an adopted one, which was asked
	keepalive    asked  // whether its configuration keeps connections at a reload
}

// Place is a profile and the containers in it.
type Place struct {
	Profile                 config.Profile
	Container, Prev, Failed *docker.Container // nil: none
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

// adopted says whether nginx is not ours to make, and configures itself.
func (o *Observation) adopted() bool { return o.Host.Container != "" }

// version is nginx's; "" when there is none, or it is not known.
func (o *Observation) version() string {
	if o.Nginx == nil || o.nginxVersion != "" {
		return o.nginxVersion
	}
	return o.Nginx.Labels[LabelNginxVersion]
}

// NginxRuns says whether the nginx container runs.
func (o *Observation) NginxRuns() bool { return o.Nginx != nil && o.Nginx.Running() }

// kept says whether a release's container is still there, in its place or put aside.
func (o *Observation) kept(r *ReleaseRef) bool {
	if r == nil {
		return false
	}
	p := o.Place(r.Profile)
	return release(p.Container) == r.Release || release(p.Prev) == r.Release
}

// wayBack says whether a rollback has somewhere to go.
func (o *Observation) wayBack() bool {
	live, ok := o.Live()
	return ok && o.kept(o.State.Previous) && o.State.Previous.Profile != live.Profile.Name
}

// offNetwork says whether a running container is not where it belongs on the network: not on it, or not with its own
// fixed address.
func (o *Observation) offNetwork(c *docker.Container) bool {
	if onHost(c) {
		return false
	}
	if o.Network == nil {
		return true
	}
	at, on := c.Networks[o.Network.Name]
	address := c.Labels[LabelAddress]
	return !on || at.NetworkID != "" && at.NetworkID != o.Network.ID || address != "" && at.Address != address
}

// release is the number in a container's label, 0 when it has none that could be.
func release(c *docker.Container) int {
	if c == nil {
		return 0
	}
	n, err := strconv.Atoi(c.Labels[LabelRelease])
	if err != nil || n < 0 || n > mostReleases {
		return 0
	}
	return n
}

// fresh says whether the place holds a release that never was live.
func (o *Observation) fresh(p Place) bool { return release(p.Container) > o.State.LastLive }

// waiting says whether such a release runs.
func (o *Observation) waiting(p Place) bool { return runs(p) && o.fresh(p) }

// place puts every container of ours where its name says.
func (o *Observation) place(own []docker.Container) {
	o.own = own
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
func (o *Observation) highest(own []docker.Container) int {
	n := slices.Max(o.State.numbers())
	if o.Include != nil {
		n = max(n, o.Include.Release)
	}
	for i := range own {
		n = max(n, release(&own[i]))
	}
	for _, r := range o.history {
		n = max(n, r.Release)
	}
	return n
}
