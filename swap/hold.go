package swap

import (
	"context"
	"errors"

	"bluegreen/docker"
)

// Hold takes a lock of the caller's own name, for something that lasts longer than one run, and renews it like a run's
// until release is called, which removes it. The context it returns ends when somebody breaks the lock, with ErrLockLost
// as its cause. Of r, the service's name, the network and the actor are looked at, for the lock's labels.
func Hold(ctx context.Context, w World, r Request, name string) (held context.Context, release func() error, err error) {
	j := newJob(w, r)
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	held, j.lose = context.WithCancelCause(ctx)
	j.life = life
	id, err := j.acquire(ctx, name, r.Wait)
	if err != nil {
		end()
		j.lose(nil)
		return nil, nil, err
	}
	lock := j.keep(id, name)
	return held, func() error {
		lock.stop()
		end()
		j.lose(nil)
		sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
		defer cancel()
		return errors.Join(j.raw.Remove(sure, id), j.raw.RemoveLockImage(sure))
	}, nil
}

// Abandoned says why the holder of a lock counts as gone; "" when it may live.
func Abandoned(ctx context.Context, w World, lock docker.Container) string {
	return (&job{w: w}).goneWhy(ctx, lock)
}
