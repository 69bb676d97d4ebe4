package swap

import (
	"context"
	"time"

	"bluegreen/config"
)

// Measures are what the metrics of a service are made of.
type Measures struct {
	Status
	Totals   Totals
	LastRun  time.Time // when the last line of history was first written; zero: there is none
	LastSwap time.Time // zero: there was none
}

// ReadMeasures asks the Docker host for all of it, as ReadOverview does for the status.
func ReadMeasures(ctx context.Context, w World, services []*config.Service) ([]Measures, error) {
	all := make([]Measures, len(services))
	err := askAll(ctx, services, func(i int, s *config.Service) error {
		j := newJob(w, Request{Service: s})
		st, err := j.readStatus(ctx)
		if err == nil {
			all[i] = j.measures()
		}
		all[i].Status = st
		return err
	}, func(i int, name string, err error) {
		if all[i].Service = name; err != nil {
			all[i].Error = err.Error()
		}
	})
	return all, err
}

// measures are those that are no part of the status.
func (j *job) measures() Measures {
	m := Measures{Totals: j.tally().totals}
	m.Totals.Releases = max(m.Totals.Releases, j.obs.Highest)
	m.LastSwap = m.Totals.LastSwap
	for _, r := range j.obs.history {
		m.LastRun = r.Time
		if r.swapped() && r.Time.After(m.LastSwap) {
			m.LastSwap = r.Time
		}
	}
	return m
}
