package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluegreen/nginx"
)

// write writes the state with this run's line of history and what else is to be kept, without touching what nginx reads. What is
// kept comes first: once the state has no intent any more, nobody would write it.
func (j *job) write(ctx context.Context, state State, r Record, kept ...nginx.File) error {
	r = j.tally().line(r, j.lastWordAtSwap(r))
	change := nginx.Change{Lines: []nginx.Line{r.line(j.service())}}
	for _, f := range kept {
		if f.Remove {
			change.Files = append(change.Files, f)
		} else {
			change.First = append(change.First, f)
		}
	}
	change.First = append(change.First, nginx.File{Path: nginx.StatePath(j.service()), Text: state.text()})
	err := j.apply(ctx, change)
	j.tallied.tried(r, err)
	if err != nil {
		return fmt.Errorf("record the result: %w", err)
	}
	j.recorded = r
	return nil
}

// lastWordAtSwap says whether a line that is written with the state may be all that is ever said of its run: a rollback's, one of
// a down which takes nginx away, too, and that of a run which is dead.
func (j *job) lastWordAtSwap(r Record) bool {
	return j.Command == Rollback || j.Command == Down || r.Run != j.run
}

// newRecord is a line of history for this run as far as it has come.
func (j *job) newRecord(o Outcome, ref *ReleaseRef, err error) Record {
	r := Record{
		Time: time.Now().UTC().Truncate(time.Millisecond), Started: j.began.UTC().Truncate(time.Millisecond),
		Run: j.run, Command: j.Command, Outcome: o, Who: j.Actor.Who, Where: j.Actor.Where,
		SwitchMS: j.switchMS, MS: time.Since(j.began).Milliseconds(), Steps: j.stepsSoFar(),
	}
	if ref != nil {
		r.Release, r.Profile, r.Image, r.ImageID, r.Digest = ref.Release, ref.Profile, ref.Image, ref.ImageID, ref.Digest
	}
	if err != nil {
		r.Error = clip(err.Error(), keptError)
	}
	return r
}

// keptError is how much of an error the history keeps, in bytes: a container's last lines may be long.
const keptError = 4 << 10

// clip shortens a text to a number of bytes, without half a character at its end.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// recordTime bounds the writing of a line, recordTries how often it is tried: another service's run may clear nginx's
// temporary files in the middle of it.
const (
	recordTime  = 20 * time.Second
	recordTries = 3
)

// record writes a run's last line, in the place of an earlier one.
func (j *job) record(ctx context.Context, r Record) error {
	r = j.tally().line(r, true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	var err error
	for range recordTries {
		err = j.apply(ctx, nginx.Change{Lines: []nginx.Line{r.line(j.service())}})
		if err == nil || !errors.Is(err, nginx.ErrFenced) {
			break
		}
	}
	j.tallied.tried(r, err)
	return err
}

// recordEnd writes how the run ended into the history. What cannot be written is only said: the run's own outcome
// matters more. A run that had nothing to do has no line, nor has one whose history is gone.
func (j *job) recordEnd(ctx context.Context, err error) {
	r, ok := j.lastWord(err)
	if !ok || !j.obs.Volume || j.obs.Nginx == nil || errors.Is(err, ErrLockLost) {
		return
	}
	if e := j.record(ctx, r); e == nil {
		j.recorded = r
	} else {
		j.note("warning: the history could not be written: " + e.Error())
	}
}

// lastWord is the line of history for the run as it ended; ok is false when there is nothing to write, or nothing more.
func (j *job) lastWord(err error) (r Record, ok bool) {
	before := j.recorded
	var declined *DeclinedError
	switch {
	case errors.As(err, &declined):
		return r, false
	case err == nil && j.planned.Unchanged(), ExitCode(err) == ExitUsage, j.Command == Down && err == nil && j.Volumes:
		return r, false
	case j.Command == Recreate && j.obs.Include == nil:
		return r, false // it is not this service's
	case j.planned.has(StepReload) && err == nil:
		return r, false // nothing was changed
	case err == nil && j.Command == Rollback && before.Outcome == RolledBack && !j.planned.has(StepPostSwitch):
		return r, false // written at the swap, with all but a moment: a rollback is to be quick
	case before.Run != "": // swapped, or switched back: now with all its steps
		before.MS, before.Steps = time.Since(j.began).Milliseconds(), j.stepsSoFar()
		if err != nil && before.Error == "" {
			before.Error = clip(err.Error(), keptError)
		}
		if err != nil && before.Outcome == Done {
			before.Outcome = j.outcomeOf(err)
		}
		return before, true
	}
	return j.wordOf(err), true
}

// wordOf is the line of history for a run that ended with err, before or without a swap.
func (j *job) wordOf(err error) Record {
	if live := j.obs.Include; live != nil && live.Release == j.release { // nothing but nginx was changed
		return j.newRecord(j.outcomeOf(err), refOf(j.obs.Place(live.Profile).Container, live.Profile, live.Release), err)
	}
	ref := &ReleaseRef{Release: j.release, Profile: j.obs.Idle().Profile.Name, Image: j.Service.Image, ImageID: j.image.ID, Digest: j.image.Digest}
	if c := j.obs.Idle().Container; c != nil && !j.Command.needsImage() {
		ref.Image, ref.ImageID, ref.Digest = c.Labels[LabelImage], c.ImageID, c.Labels[LabelDigest]
	}
	return j.newRecord(j.outcomeOf(err), ref, err)
}

// recordDead writes a line for a run that was killed, or lost its lock, before it could write one itself; if it wrote one
// at its swap, that it went no further. From its containers' labels come the release and its number, which is not given
// out again.
func (j *job) recordDead(ctx context.Context, run string) error {
	lock := j.deadLock(run)
	for _, r := range j.obs.history {
		if r.Run == run && (lock == nil || r.Error != "") {
			return nil
		}
		if r.Run == run {
			r.Error = "the run was killed after its swap, before its end"
			return j.record(ctx, r)
		}
	}
	r := Record{
		Time: time.Now().UTC().Truncate(time.Millisecond), Run: run, Outcome: Interrupted, Who: lock[LabelLockWho], Where: lock[LabelLockWhere],
		Command: commandOf(lock[LabelLockCommand]), Steps: []Timing{}, Error: "the run was killed",
	}
	if lock == nil {
		r.Error = "the run was killed, or lost its lock, and left no word of its own"
	}
	if since, err := time.Parse(time.RFC3339, lock[LabelLockSince]); err == nil {
		r.Started = since
	}
	for _, c := range j.obs.own {
		if c.Labels[LabelRun] == run {
			r.Release, r.Profile, r.Image, r.ImageID = release(&c), c.Labels[LabelProfile], c.Labels[LabelImage], c.ImageID
			r.Digest = c.Labels[LabelDigest]
		}
	}
	return j.record(ctx, r)
}

// deadLock are the labels of the lock that a run had which is gone; none when this run did not break it.
func (j *job) deadLock(run string) map[string]string {
	for _, lock := range j.dead {
		if lock[LabelRun] == run {
			return lock
		}
	}
	return nil
}

// commandOf is the command of a lock's label, "bluegreen deploy".
func commandOf(line string) Command {
	words := strings.Fields(line)
	if i := slices.Index(words, "bluegreen"); i >= 0 && i+1 < len(words) {
		return Command(strings.Join(words[i+1:], " "))
	}
	if len(words) == 0 {
		return ""
	}
	return Command(words[len(words)-1])
}
