package swap

import "time"

// EventKind is what happened.
type EventKind string

// The events of a run, in the order in which they come.
const (
	Planned     EventKind = "plan"
	StepStarted EventKind = "step_started"
	StepDone    EventKind = "step_done"
	StepFailed  EventKind = "step_failed"
	Progress    EventKind = "progress"
)

// Event is something that happened in a run. Renderers turn it into lines.
type Event struct {
	Time     time.Time
	Kind     EventKind
	Step     *Step         // of step_* and, where it belongs to one, progress
	Undo     bool          // the step is being undone
	Plan     *Plan         // of plan
	Text     string        // of progress
	Output   bool          // of progress: a line that a hook printed
	Detail   bool          // of progress: only for who asks for every detail
	Pull     string        // of progress: the image that is being pulled. Begun and ended without a Layer
	Layer    *Layer        // of progress in a pull
	Duration time.Duration // of step_done, step_failed and the end of a pull
	Err      error         // of step_failed
}

// Doing is what the event's step, or its undo, does, for a person.
func (e Event) Doing() string {
	if e.Undo {
		return e.Step.Undo
	}
	return e.Step.Text
}

// Layer is how far one layer of an image has come.
type Layer struct {
	ID, Status     string
	Current, Total int64 // bytes
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Swapped     Outcome = "swapped"
	Unchanged   Outcome = "unchanged"
	Done        Outcome = "done" // a stage or down: finished without a swap
	Failed      Outcome = "failed"
	RolledBack  Outcome = "rolled_back" // by rollback, or switched back after a failed watch
	Interrupted Outcome = "interrupted"
	Paused      Outcome = "paused"  // a deploy that stopped before its switch, as asked
	OnlyPlanned Outcome = "planned" // a dry run that found something to do
)

// Timing is how long a step took.
type Timing struct {
	Step string `json:"step"`
	MS   int64  `json:"ms"`
}
