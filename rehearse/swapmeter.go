package rehearse

import (
	"strconv"
	"time"

	"bluegreen/rehearse/report"
)

// swapMeter is what is known of one swap. A swap is under way from its first step until its command is done and no
// worker of the old generation is left, or until the next one begins.
type swapMeter struct {
	report.Swap
	began, switched, confirmed, ended, drained time.Time

	latency latency
	gap     time.Duration
	lost    int64
	share   *report.Share
}

// beginSwap opens a swap.
func (m *meter) beginSwap(now time.Time, image string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endSwap(now)
	s := &swapMeter{began: now, latency: newLatency(), Swap: report.Swap{Number: len(m.swaps) + 1, Image: image}}
	m.swaps = append(m.swaps, s)
	m.current, m.ended = s, time.Time{}
}

// first notes the release that is live from the beginning.
func (m *meter) first(release int, profile string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.place[profile] = release
	m.releases.Live(strconv.Itoa(release), m.start)
}

// retiring notes that the container in a profile is about to be stopped: no request sent later may be answered by it.
func (m *meter) retiring(now time.Time, profile string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if release, there := m.place[profile]; there {
		m.releases.Retired(strconv.Itoa(release), now)
	}
}

// planned notes from which release to which the swap is to go, and in which profile that one is.
func (m *meter) planned(from, to int, profile string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.current; s != nil {
		s.From, s.Release, s.Profile = from, to, profile
	}
}

// switching notes that nginx is about to be pointed at the planned release.
func (m *meter) switching(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.current; s != nil {
		s.switched = now
		m.place[s.Profile] = s.Release
		m.releases.Live(strconv.Itoa(s.Release), now)
	}
}

// confirmed notes the proof that the swap took.
func (m *meter) confirmed(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil {
		m.current.confirmed = now
	}
}

// begun notes the step that is under way, in words.
func (m *meter) begun(step string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doing = step
}

// step notes a step that is done.
func (m *meter) step(name string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil {
		m.current.Steps = append(m.current.Steps, report.Step{Name: name, MS: report.Millis(took)})
	}
}

// done notes the end of the swap's command.
func (m *meter) done(now time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doing = ""
	if m.current == nil {
		return
	}
	m.current.ended = now
	if err != nil {
		m.current.Error = err.Error()
		m.endSwap(now)
	}
}

// profileOf is the profile that a release is in, "" when it is in none any more.
func (m *meter) profileOf(release string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for profile, n := range m.place {
		if strconv.Itoa(n) == release {
			return profile
		}
	}
	return ""
}

// seen takes the number of draining workers at a moment: none, once the swap is confirmed, ends the drain.
func (s *swapMeter) seen(m *meter, at time.Time, draining int) {
	if s.drained.IsZero() && draining == 0 && !s.confirmed.IsZero() && at.After(s.confirmed) {
		s.drained = at
	}
	if !s.switched.IsZero() && at.Sub(s.switched) > shareLongest+shareAfter {
		s.copyShare(m)
	}
	if !s.drained.IsZero() && !s.ended.IsZero() {
		m.endSwap(at)
	}
}

// endSwap closes the swap under way, if there is one.
func (m *meter) endSwap(now time.Time) {
	s := m.current
	if s == nil {
		return
	}
	if s.ended.IsZero() {
		s.ended = now
	}
	s.copyShare(m)
	m.current, m.ended = nil, now
}

// copyShare keeps the answers around the switch, before newer ones take their place in memory.
func (s *swapMeter) copyShare(m *meter) {
	if s.share != nil || s.switched.IsZero() {
		return
	}
	from, last := s.switched, s.confirmed
	if l := m.answers[strconv.Itoa(s.From)]; l != nil && l.last.After(last) {
		last = l.last
	}
	if last.Sub(from) > shareLongest {
		last = from.Add(shareLongest)
	}
	since := func(t time.Time) time.Duration { return t.Sub(m.start) }
	s.share = m.shares.between(max(0, since(from)-shareBefore), since(last)+shareAfter, since(from), [2]int{s.From, s.Release})
}

// of is the swap as the report has it.
func (s *swapMeter) of(m *meter) report.Swap {
	r := s.Swap
	r.Began, r.Ended = m.at(s.began), m.at(s.ended)
	if !s.switched.IsZero() {
		r.Switched = m.at(s.switched)
	}
	if !s.confirmed.IsZero() {
		r.Confirmed = m.at(s.confirmed)
	}
	if !s.drained.IsZero() {
		drained := m.at(s.drained)
		r.Drained = &drained
	}
	r.Gap, r.Lost, r.P99 = report.Millis(s.gap), s.lost, s.latency.at(99)
	if r.Steps == nil {
		r.Steps = []report.Step{}
	}
	r.Share = s.shared(m)
	return r
}

// shared adds to the share when the new release first and the old one last answered; nil when the answers name no release.
func (s *swapMeter) shared(m *meter) *report.Share {
	from, to := m.answers[strconv.Itoa(s.From)], m.answers[strconv.Itoa(s.Release)]
	if s.share == nil || from == nil && to == nil {
		return nil
	}
	since := func(t time.Time) *report.MS {
		ms := report.Millis(t.Sub(s.switched))
		return &ms
	}
	if to != nil {
		s.share.FirstNew = since(to.first)
	}
	if from != nil {
		s.share.LastOld = since(from.last)
	}
	return s.share
}
