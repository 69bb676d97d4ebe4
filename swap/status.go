package swap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// Status is what `status` shows; its JSON is documented and stable.
type Status struct {
	Service  string          `json:"service"`
	Live     string          `json:"live"`
	Release  int             `json:"release"`
	Serving  bool            `json:"serving"` // nginx runs and the live profile answers as itself
	Profiles []ProfileStatus `json:"profiles"`
	Nginx    *NginxStatus    `json:"nginx"`
	Lock     *LockStatus     `json:"lock"`
	// Certificate is what nginx shows for the service; nil: it has none.
	Certificate *CertificateStatus `json:"certificate,omitempty"`
	Maintenance *Maintenance       `json:"maintenance,omitempty"` // nil: off
	Paused      *PausedStatus      `json:"paused,omitempty"`      // nil: no release waits for promote or abort
	Notes       []string           `json:"notes,omitempty"`
	// Preview are the URLs under which nginx shows the idle profile; none: it shows that to nobody.
	Preview []string `json:"preview,omitempty"`
	// ServerNames are the host names that nginx serves it under; none: every name that is nobody else's.
	ServerNames []string `json:"server_names,omitempty"`
	Paths       []string `json:"paths,omitempty"` // prefixes under these names; none: all that no other service has
	Opens       []string `json:"opens,omitempty"` // addresses under which people open it, as far as they are known
	Error       string   `json:"error,omitempty"` // in an Overview: why the status could not be read
}

// ProfileStatus is one profile of a Status.
type ProfileStatus struct {
	Name      string     `json:"name"`
	Port      int        `json:"port"`
	Address   string     `json:"address"`
	Container string     `json:"container"`
	Image     string     `json:"image"`
	ImageID   string     `json:"image_id"`
	Digest    string     `json:"digest,omitempty"` // of the image in its registry
	Release   int        `json:"release"`
	State     string     `json:"state"`
	Health    string     `json:"health"` // ok, or why not
	StartedAt *time.Time `json:"started_at"`
	Live      bool       `json:"live"`
}

// PausedStatus is a release that waits for promote or abort.
type PausedStatus struct {
	Release   int        `json:"release"`
	Profile   string     `json:"profile"`
	Since     time.Time  `json:"since"`
	Who       string     `json:"who"`
	PromoteAt *time.Time `json:"promote_at,omitempty"`
	Preview   []string   `json:"preview"` // URLs at which it is to be seen
}

// NginxStatus is nginx in a Status.
type NginxStatus struct {
	Container           string   `json:"container"`
	Image               string   `json:"image"`
	Version             string   `json:"version"`
	State               string   `json:"state"`
	Ports               []string `json:"ports,omitempty"` // that it publishes, "0.0.0.0:80->80"
	Workers             int      `json:"workers"`
	DrainingWorkers     int      `json:"draining_workers"`
	KeepaliveMinTimeout bool     `json:"keepalive_min_timeout"`
	Adopted             bool     `json:"adopted,omitempty"` // somebody's own, which configures itself
}

// LockStatus says who holds the service's lock.
type LockStatus struct {
	Owner   string `json:"owner"`
	Host    string `json:"host"`
	PID     string `json:"pid"`
	Command string `json:"command"`
	Since   string `json:"since"`
	Renewed string `json:"renewed"` // by the engine's clock
	Gone    bool   `json:"gone"`    // its holder is gone: the next command breaks it
	Why     string `json:"why,omitempty"`
}

// Observe looks at the Docker host without taking a lock or changing anything.
func Observe(ctx context.Context, w World, s *config.Service) (Observation, error) {
	j := newJob(w, Request{Service: s})
	err := j.observe(ctx)
	return j.obs, err
}

// ReadStatus asks the Docker host and the profiles what is true now.
func ReadStatus(ctx context.Context, w World, s *config.Service) (Status, error) {
	return newJob(w, Request{Service: s}).readStatus(ctx)
}

func (j *job) readStatus(ctx context.Context) (Status, error) {
	if err := j.observe(ctx); err != nil {
		return Status{}, err
	}
	st := Status{Service: j.service()}
	st.ServerNames, st.Paths = j.serves()
	st.Preview = j.previewURLs()
	disagrees := j.askLive(ctx)
	st.Opens = j.opens()
	if t := j.obs.Include; t != nil {
		st.Live, st.Release, st.Serving = t.Profile, t.Release, j.serving()
	}
	for _, p := range j.obs.Places {
		st.Profiles = append(st.Profiles, j.profileStatus(ctx, p))
	}
	var unlisted string
	var err error
	if st.Nginx, unlisted, err = j.nginxStatus(ctx); err != nil {
		return st, err
	}
	if st.Lock, err = j.lockStatus(ctx); err != nil {
		return st, err
	}
	var certificate []string
	st.Certificate, certificate = j.certificateStatus()
	st.Notes = slices.Concat(disagrees, j.notes(), certificate)
	if m := j.obs.State.Maintenance; m != nil && j.obs.Include != nil {
		st.Maintenance = m
		st.Notes = append(st.Notes, inMaintenance(m, j.service()))
	}
	if p := j.obs.State.Paused; p != nil {
		st.Paused = &PausedStatus{Release: p.Release, Profile: p.Profile, Since: p.Since, Who: p.Who, PromoteAt: p.PromoteAt, Preview: j.preview(p.Profile)}
		if c := j.obs.Place(p.Profile).Container; c.Running() {
			st.Notes = append(st.Notes, fmt.Sprintf("%v: %s; `bluegreen promote %s` makes it live, `bluegreen abort %[3]s` takes it away", p, strings.Join(st.Paused.Preview, ", "), j.anywhere()))
		} else {
			st.Notes = append(st.Notes, fmt.Sprintf("%v, and has ended: `bluegreen abort %s` takes it away", p, j.anywhere()))
		}
	}
	if p := j.obs.Lost; p != nil {
		st.Notes = append(st.Notes, fmt.Sprintf("%v, and is not there any more: deploy it again", p))
	}
	if unlisted != "" {
		st.Notes = append(st.Notes, unlisted)
	}
	for _, p := range st.Profiles {
		if p.Health != "" && p.Health != "ok" {
			st.Notes = append(st.Notes, p.Name+": "+p.Health)
		}
	}
	return st, nil
}

// askLive takes nginx's own word for what is live, where it differs from the include: a run was killed between writing
// and reloading, or somebody's hand was in it.
func (j *job) askLive(ctx context.Context) (notes []string) {
	written := j.obs.Include
	if written == nil || !j.obs.NginxRuns() {
		return nil
	}
	got, err := j.w.Ask(ctx, j.listener(&j.obs), j.service())
	if err != nil || got == *written || j.obs.Place(got.Profile).Profile.Name == "" {
		return nil
	}
	j.obs.Include = &got
	j.obs.Healthy = j.answers(ctx, j.obs.Place(got.Profile), j.obs.State.LastLive)
	return []string{fmt.Sprintf("nginx serves release %d in %s, but its include names release %d in %s: the next command settles it", got.Release, got.Profile, written.Release, written.Profile)}
}

// serving says whether users are answered by the live profile, as far as that shows without asking as one of them.
func (j *job) serving() bool {
	live, ok := j.obs.Live()
	reached := live.Container != nil && j.obs.Nginx != nil && !j.obs.offNetwork(live.Container) && !j.obs.offNetwork(j.obs.Nginx)
	return ok && j.obs.Healthy && j.obs.NginxRuns() && reached
}

func (j *job) profileStatus(ctx context.Context, p Place) ProfileStatus {
	s := ProfileStatus{Name: p.Profile.Name, Port: p.Profile.Port, Live: j.obs.Include != nil && j.obs.Include.Profile == p.Profile.Name}
	c := p.Container
	if c == nil {
		return s
	}
	s.Container, s.Image, s.ImageID, s.Release, s.State = c.Name, c.Labels[LabelImage], c.ImageID, release(c), c.State
	s.Address, s.Digest = c.Labels[LabelAddress], c.Labels[LabelDigest]
	if port, err := strconv.Atoi(c.Labels[LabelPort]); err == nil {
		s.Port = port // where it was made to listen, whatever is wanted of the next one
	}
	if !c.Running() {
		return s
	}
	s.StartedAt, s.Health = &c.StartedAt, "ok"
	ctx, cancel := context.WithTimeout(ctx, j.patience(j.Service.Settings))
	defer cancel()
	if _, err := j.w.Probe(ctx, j.probe(p.Profile, c, j.obs.State.LastLive)); err != nil {
		s.Health = err.Error()
	}
	return s
}

// nginxStatus is nginx as it is, which may be just ending or coming up: unlisted says why its workers cannot be told.
func (j *job) nginxStatus(ctx context.Context) (s *NginxStatus, unlisted string, err error) {
	c := j.obs.Nginx
	if c == nil {
		return nil, "", nil
	}
	s = &NginxStatus{Container: c.Name, Image: cmp.Or(j.obs.Host.Image, c.Image), Version: j.obs.version(), State: c.State, Ports: publishedAs(c), Adopted: j.obs.adopted()}
	j.askKeepalive(ctx)
	s.KeepaliveMinTimeout = nginx.SupportsKeepaliveMinTimeout(s.Version) && j.obs.keepalive != no
	if !c.Running() {
		return s, "", nil
	}
	workers, err := j.w.Workers(ctx, place{j})
	if err == nil {
		s.Workers, s.DrainingWorkers = len(workers.Serving), len(workers.Draining)
		return s, "", nil
	}
	now, gone := j.w.Container(ctx, c.ID)
	if gone != nil {
		return s, "", gone
	}
	if s.State = now.State; now.Running() {
		unlisted = err.Error()
	}
	return s, unlisted, nil
}

func (j *job) lockStatus(ctx context.Context) (*LockStatus, error) {
	c, err := j.w.Container(ctx, lockName(j.service()))
	if errors.Is(err, docker.ErrNotFound) || err == nil && c.Labels[LabelRole] != RoleLock {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := j.lockStatusOf(ctx, c)
	return &s, nil
}

// notes are what a person should know: a live profile that is down, a swap left open.
func (j *job) notes() (list []string) {
	for _, d := range j.obs.Damage {
		list = append(list, "damaged: "+d)
	}
	live, ok := j.obs.Live()
	switch c := j.obs.Nginx; {
	case j.adopted() && c == nil && ok, j.adopted() && c != nil && !c.Running() && c.State != "paused":
		list = append(list, "your nginx, container "+j.names.nginx+", does not run, and nobody is served: docker start "+j.names.nginx)
	case c == nil && ok:
		list = append(list, "nginx is gone, and nobody is served: `bluegreen deploy` or `bluegreen rollback` makes it anew")
	case c != nil && c.State == "paused":
		list = append(list, "nginx is paused, and nobody is served: docker unpause "+c.Name)
	case c != nil && !c.Running():
		list = append(list, "nginx is "+c.State+", and nobody is served: `bluegreen deploy` or `bluegreen rollback` starts it; docker logs "+c.Name+" shows why it is down")
	}
	if c := j.obs.Nginx; c != nil && c.Running() && j.obs.offNetwork(c) {
		list = append(list, c.Name+" is not on the network "+j.names.network+": it reaches nobody; `bluegreen deploy` or `bluegreen rollback` attaches it again")
	}
	if c := live.Container; c != nil && c.Running() && j.obs.offNetwork(c) {
		list = append(list, c.Name+" has lost its place on the network "+j.names.network+": nginx does not reach it; `bluegreen deploy` or `bluegreen rollback` puts it back")
	}
	if ok && !j.obs.Healthy {
		next := "`bluegreen deploy` replaces it"
		if j.obs.wayBack() {
			next = "`bluegreen rollback` brings the other one up"
		}
		list = append(list, "the live profile "+live.Profile.Name+" does not answer; "+next)
	}
	if p := j.obs.State.Previous; p != nil && ok && j.obs.State.Paused == nil && j.obs.waiting(j.obs.Idle()) && release(j.obs.Idle().Prev) == p.Release {
		list = append(list, fmt.Sprintf("%s holds release %d, which was never live; `bluegreen switch` makes it live, `bluegreen rollback` brings release %d back",
			j.obs.Idle().Profile.Name, release(j.obs.Idle().Container), p.Release))
	}
	if i := j.obs.State.Intent; i != nil {
		list = append(list, i.String()+"; the next command settles it")
	}
	for _, p := range j.obs.Places {
		if p.Failed != nil {
			list = append(list, fmt.Sprintf("%s (release %d, which failed) is kept until the next release is live: docker logs %s", p.Failed.Name, release(p.Failed), p.Failed.Name))
		}
	}
	return list
}

// History is the service's history, oldest first.
func History(ctx context.Context, w World, s *config.Service) ([]Record, error) {
	o, err := Observe(ctx, w, s)
	if err != nil {
		return nil, err
	}
	return o.history, nil
}
