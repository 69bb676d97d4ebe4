package swap

import (
	"context"
	"encoding/json"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
)

// answers says whether what is in a place is healthy now. One failed question never says that it is not.
func (j *job) answers(ctx context.Context, p Place, lastLive int) bool {
	if !runs(p) {
		return false
	}
	for range 2 {
		tctx, cancel := context.WithTimeout(ctx, j.patience(j.Service.Settings))
		_, err := j.w.Probe(tctx, j.probe(p.Profile, p.Container, lastLive))
		cancel()
		if err == nil {
			return true
		}
	}
	return false
}

// probe is the health question to a profile's container.
func (j *job) probe(p config.Profile, c *docker.Container, lastLive int) health.Probe {
	return j.probeProfile(p, c, j.settingsFor(c, lastLive))
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

// ProbeFor is the health question for a profile, asked at HOST:PORT: the profile's own, or nginx's.
func ProbeFor(s config.Settings, p config.Profile, at string) health.Probe {
	q := health.Probe{URL: "http://" + at + s.Health.Path, Host: s.Health.Host}
	switch s.Health.Expect {
	case config.ExpectProfile:
		q.Profile = p.Name
	case config.ExpectText:
		q.Text = s.Health.Text
	}
	return q
}
