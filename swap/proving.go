package swap

import (
	"context"

	"bluegreen/docker"
)

// proving is a world whose changes of containers are made only while this run has its locks: the proof comes right before
// each, however long the run stood still since its step began.
func (j *job) proving(w World) World {
	raw := w
	act := func(ctx context.Context, do func() error) error {
		if err := j.proveLock(ctx); err != nil {
			return err
		}
		return do()
	}
	make := func(ctx context.Context, do func() (string, error)) (id string, err error) {
		err = act(ctx, func() error { id, err = do(); return err })
		return id, err
	}
	w.Start = func(ctx context.Context, id string) error {
		return act(ctx, func() error { return raw.Start(ctx, id) })
	}
	w.Stop = func(ctx context.Context, id string) error {
		return act(ctx, func() error { return raw.Stop(ctx, id) })
	}
	w.Rename = func(ctx context.Context, id, name string) error {
		return act(ctx, func() error { return raw.Rename(ctx, id, name) })
	}
	w.Remove = func(ctx context.Context, id string) error {
		return act(ctx, func() error { return raw.Remove(ctx, id) })
	}
	w.SetRestartPolicy = func(ctx context.Context, id, policy string) error {
		return act(ctx, func() error { return raw.SetRestartPolicy(ctx, id, policy) })
	}
	w.CreateProfile = func(ctx context.Context, s docker.ProfileSpec) (string, error) {
		return make(ctx, func() (string, error) { return raw.CreateProfile(ctx, s) })
	}
	w.Recreate = func(ctx context.Context, id string) (string, error) {
		return make(ctx, func() (string, error) { return raw.Recreate(ctx, id) })
	}
	return w
}
