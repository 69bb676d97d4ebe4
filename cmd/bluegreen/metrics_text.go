package main

import (
	"io"
	"maps"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"bluegreen/swap"
)

// families are metrics by name, in the order in which they are written.
type families struct{ list []*dto.MetricFamily }

// family is one metric's name, under which samples are put.
type family struct{ *dto.MetricFamily }

func (f *families) add(name string, kind dto.MetricType, help string) family {
	name = "bluegreen_" + name
	m := &dto.MetricFamily{Name: &name, Help: &help, Type: &kind}
	f.list = append(f.list, m)
	return family{m}
}

// put adds a sample; labels are names and values by turns.
func (f family) put(value float64, labels ...string) {
	m := &dto.Metric{Label: pairs(labels)}
	if f.GetType() == dto.MetricType_COUNTER {
		m.Counter = &dto.Counter{Value: &value}
	} else {
		m.Gauge = &dto.Gauge{Value: &value}
	}
	f.Metric = append(f.Metric, m)
}

// sum adds a sum and how many went into it.
func (f family) sum(ms int64, n int, labels ...string) {
	seconds, count := float64(ms)/1000, uint64(max(n, 0))
	f.Metric = append(f.Metric, &dto.Metric{Label: pairs(labels), Summary: &dto.Summary{SampleSum: &seconds, SampleCount: &count}})
}

// moment adds a time, unless there was none.
func (f family) moment(t time.Time, labels ...string) {
	if !t.IsZero() {
		f.put(float64(t.UnixMilli())/1000, labels...)
	}
}

func pairs(labels []string) (list []*dto.LabelPair) {
	for p := range slices.Chunk(labels, 2) {
		name, value := p[0], p[1]
		list = append(list, &dto.LabelPair{Name: &name, Value: &value})
	}
	return list
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metricsText writes the metrics in Prometheus' text format. Of a service whose status could not be read there is only that.
func metricsText(w io.Writer, services []swap.Measures) error {
	f := measured(services)
	for _, m := range f.list {
		if len(m.Metric) == 0 {
			continue // nobody has one
		}
		if _, err := expfmt.MetricFamilyToText(w, m); err != nil {
			return err
		}
	}
	return nil
}

func measured(services []swap.Measures) families {
	const counter, gauge, summary = dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_SUMMARY
	var f families
	read := f.add("status_read", gauge, "Whether the status of the service could be read (1); if not (0), it has no other metrics.")
	serving := f.add("serving", gauge, "Whether nginx runs and the live profile answers as itself.")
	release := f.add("live_release", gauge, "Number of the live release, 0 when none is live.")
	live := f.add("profile_live", gauge, "Whether the profile is the live one.")
	healthy := f.add("profile_healthy", gauge, "Whether the profile's container runs and answers as itself.")
	paused := f.add("paused", gauge, "Whether a deploy has stopped before its switch, and its release waits.")
	maintenance := f.add("maintenance", gauge, "Whether nginx answers every request with 503.")
	releases := f.add("releases_total", counter, "Releases so far: the highest number of one.")
	runs := f.add("runs_total", counter, "Runs that are over and did something, or failed, by command and outcome.")
	failures := f.add("failures_total", counter, "Runs that failed, or whose release was switched back.")
	took := f.add("run_duration_seconds", summary, "How long these runs took.")
	switched := f.add("switch_duration_seconds", summary, "From a healthy release to nginx's proved switch to it.")
	lastRun := f.add("last_run_timestamp_seconds", gauge, "When the last run that did something, or failed, was recorded.")
	lastSwap := f.add("last_swap_timestamp_seconds", gauge, "When nginx was last switched to another release.")
	expires := f.add("certificate_not_after_timestamp_seconds", gauge, "When the service's certificate expires.")
	for _, s := range services {
		of := []string{"service", s.Service}
		read.put(oneIf(s.Error == ""), of...)
		if s.Error != "" {
			continue
		}
		serving.put(oneIf(s.Serving), of...)
		release.put(float64(s.Release), of...)
		for _, p := range s.Profiles {
			live.put(oneIf(p.Live), append(of, "profile", p.Name)...)
			healthy.put(oneIf(p.Health == "ok"), append(of, "profile", p.Name)...)
		}
		paused.put(oneIf(s.Paused != nil), of...)
		maintenance.put(oneIf(s.Maintenance != nil), of...)
		releases.put(float64(s.Totals.Releases), of...)
		failures.put(float64(s.Totals.Failures), of...)
		for _, c := range slices.Sorted(maps.Keys(s.Totals.Commands)) {
			by := append(of, "command", string(c))
			total := s.Totals.Commands[c]
			for _, o := range slices.Sorted(maps.Keys(total.Outcomes)) {
				runs.put(float64(total.Outcomes[o]), append(by, "outcome", string(o))...)
			}
			took.sum(total.MS, total.Timed, by...)
		}
		switched.sum(s.Totals.SwitchMS, s.Totals.Switches, of...)
		lastRun.moment(s.LastRun, of...)
		lastSwap.moment(s.LastSwap, of...)
		if c := s.Certificate; c != nil {
			expires.moment(c.NotAfter, of...)
		}
	}
	return f
}
