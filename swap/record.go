package swap

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bluegreen/nginx"
)

// write writes the state with one line of history, without touching what nginx reads.
func (j *job) write(ctx context.Context, state State, r Record) error {
	err := j.apply(ctx, nginx.Change{
		First: []nginx.File{{Path: nginx.StatePath(j.service()), Text: state.text()}},
		Lines: []nginx.Line{r.line(j.service())},
	})
	if err != nil {
		return fmt.Errorf("record the result: %w", err)
	}
	return nil
}

// newRecord is a line of history for this run as far as it has come.
func (j *job) newRecord(o Outcome, ref *ReleaseRef, err error) Record {
	r := Record{
		Time: time.Now().UTC().Truncate(time.Millisecond), Run: j.run, Command: j.Command, Outcome: o, Who: j.Actor.Who, Where: j.Actor.Where,
		SwitchMS: j.switchMS, MS: time.Since(j.began).Milliseconds(), Steps: j.timings,
	}
	if ref != nil {
		r.Release, r.Profile, r.Image, r.ImageID = ref.Release, ref.Profile, ref.Image, ref.ImageID
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

// recordFailure writes a failed run into the history. What cannot be written is only said: the run
// failed already, for a reason that matters more.
func (j *job) recordFailure(ctx context.Context, err error) {
	if err == nil || !j.obs.Volume || j.obs.Nginx == nil || j.switched == switchConfirmed || ExitCode(err) == ExitUsage {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	ref := &ReleaseRef{Release: j.release, Profile: j.obs.Idle().Profile.Name, Image: j.Service.Image, ImageID: j.image.ID}
	if c := j.obs.Idle().Container; c != nil && !j.Command.needsImage() {
		ref.Image, ref.ImageID = c.Labels[LabelImage], c.ImageID
	}
	change := nginx.Change{Lines: []nginx.Line{j.newRecord(j.outcomeOf(err), ref, err).line(j.service())}}
	e := j.underHostLock(ctx, func(ctx context.Context) error { return j.apply(ctx, change) })
	if e != nil {
		j.note("warning: the failure could not be written into the history: " + e.Error())
	}
}
