package swap

import (
	"errors"
	"maps"
	"slices"
	"time"

	"bluegreen/nginx"
)

// Totals are sums over the runs of a service that are over, from its first one on. They only grow, until
// `down --volumes` takes the history away.
//
// The history keeps KeptRecords lines, so that counting those would not do: each line carries the totals on, from the line
// before it. So the Docker host stays the only state, and a line and its totals come into the file in one rename. Lines are
// written under the service's lock, one after the other, and always at the end of the file, also where they take the place
// of an earlier one: the last line has the newest totals, whatever became of the others.
//
// A run is counted once, when its outcome is known for good. The line of a deploy that has just swapped carries the totals
// on and is not counted in them (Record.Counted): if the watch fails a moment later, the run was switched back, and a
// counter that had it as swapped could not take that back. Its last line counts it. A run that was killed in between is
// counted with the next line that anybody writes: its own, when the next run finds out how it ended, or another run's,
// which names it (Record.Others). A run that was counted is not counted again when more becomes known of it, even if that
// is another outcome.
type Totals struct {
	Commands map[Command]CommandTotals `json:"commands"`
	Failures int                       `json:"failures"`           // runs that failed, or were switched back
	Switches int                       `json:"switches"`           // runs with a SwitchMS
	SwitchMS int64                     `json:"switch_ms"`          // their sum
	Releases int                       `json:"releases"`           // highest number of a release
	LastSwap time.Time                 `json:"last_swap,omitzero"` // or rollback
}

// CommandTotals are those of one command.
type CommandTotals struct {
	Outcomes map[Outcome]int `json:"outcomes"` // runs
	Timed    int             `json:"timed"`    // runs with an MS: all but those that were killed
	MS       int64           `json:"ms"`       // their sum
}

// swapped says whether nginx serves another release since the run: also the one of before, once more.
func (r Record) swapped() bool { return r.Outcome == Swapped || r.Outcome == RolledBack }

// failed says whether a run did not do what it was asked for, other than by somebody's interrupting it.
func (r Record) failed() bool {
	back := r.Outcome == RolledBack && (r.Command != Rollback || r.Error != "")
	return r.Outcome == Failed || back
}

// with are the totals with one more run. They share nothing with those of before.
func (t Totals) with(r Record) Totals {
	c := t.Commands[r.Command]
	c.Outcomes = maps.Clone(c.Outcomes)
	if c.Outcomes == nil {
		c.Outcomes = map[Outcome]int{}
	}
	c.Outcomes[r.Outcome]++
	if r.MS > 0 {
		c.Timed, c.MS = c.Timed+1, c.MS+r.MS
	}
	if t.Commands = maps.Clone(t.Commands); t.Commands == nil {
		t.Commands = map[Command]CommandTotals{}
	}
	t.Commands[r.Command] = c
	if r.failed() {
		t.Failures++
	}
	if r.SwitchMS > 0 {
		t.Switches, t.SwitchMS = t.Switches+1, t.SwitchMS+r.SwitchMS
	}
	if t.Releases = max(t.Releases, r.Release); r.swapped() && r.Time.After(t.LastSwap) {
		t.LastSwap = r.Time
	}
	return t
}

// tally is what a history counts.
type tally struct {
	totals  Totals
	counted map[string]bool // runs that are in it
	left    []Record        // lines of runs that are not
	others  []string        // runs that are in it, and may have no line that says so
}

// tallyOf reads it from a history, oldest line first. Lines without totals are an older bluegreen's, and count as they are.
func tallyOf(history []Record) *tally {
	t := &tally{counted: map[string]bool{}}
	for _, r := range history {
		if r.Totals == nil {
			with := t.totals.with(r)
			r.Totals, r.Counted = &with, true
		}
		t.wrote(r)
		if !r.Counted {
			t.left = append(t.left, r)
		}
	}
	return t
}

// line is a record with the totals that it carries; last: it is the run's last one, as far as the run itself goes. Other runs
// have nothing more to say: whoever writes has the lock.
func (t *tally) line(r Record, last bool) Record {
	totals, others := t.totals, slices.Clone(t.others)
	for _, o := range t.left {
		if o.Run != r.Run && !t.counted[o.Run] {
			totals, others = totals.with(o), append(others, o.Run)
		}
	}
	if r.Counted = t.counted[r.Run]; last && !r.Counted {
		totals, r.Counted = totals.with(r), true
	}
	r.Totals, r.Others = &totals, others
	return r
}

// wrote takes a line that is in the history now, at its end.
func (t *tally) wrote(r Record) {
	t.totals = *r.Totals
	for _, run := range r.Others {
		t.counted[run] = true
	}
	if r.Counted {
		t.counted[r.Run] = true
	}
}

// tried takes a line that was to be written. One whose writing failed may be in the history all the same: the next line must not
// carry less, and names whom it counted, so that nobody counts him again.
func (t *tally) tried(r Record, err error) {
	if err != nil && (untouched(err) || errors.Is(err, nginx.ErrFenced)) {
		return
	}
	t.wrote(r)
	t.others = r.Others
	if err != nil && r.Counted && !slices.Contains(t.others, r.Run) {
		t.others = append(slices.Clone(t.others), r.Run)
	}
}

// tally is what the service's history counts now.
func (j *job) tally() *tally {
	if j.tallied == nil {
		j.tallied = tallyOf(j.obs.history)
	}
	return j.tallied
}
