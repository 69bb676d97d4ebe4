package swap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// Waiting for a lock: how often it is tried, how often the holder is looked at and the waiting is told, and how long a
// run waits for the host's lock, which others hold for the moment of a reload or of creating nginx only. unlockTime
// bounds the removal.
const (
	lockPause    = 50 * time.Millisecond
	holderLook   = 5 * time.Second
	waitTold     = 15 * time.Second
	hostLockWait = time.Minute
	unlockTime   = 10 * time.Second
)

// A lock is renewed while it is held. One that was not for leaseExpires, by the engine's clock, is nobody's any more: four
// renewals in a row did not arrive.
const (
	leaseRenew   = 10 * time.Second
	leaseExpires = 45 * time.Second
)

// Actor is who runs the command, for the lock's labels and the history.
type Actor struct{ Who, Where, Command string }

// heldLock is a lock that this run has.
type heldLock struct {
	id, name string
	stop     func() // ends the renewals
}

// takeLock takes the service's lock, breaking one whose holder is gone.
func (j *job) takeLock(ctx context.Context) error {
	id, err := j.acquire(ctx, lockName(j.service()), j.Wait)
	if err != nil {
		return err
	}
	j.lock = j.keep(id, lockName(j.service()))
	if len(j.dead) > 0 {
		if err := j.locate(ctx); err != nil {
			j.releaseLock(ctx)
			return err
		}
	}
	for _, dead := range j.dead {
		if err := j.revoke(ctx, dead[LabelRun]); err != nil {
			j.releaseLock(ctx)
			return fmt.Errorf("make sure that run %s changes nothing more: %w", dead[LabelRun], err)
		}
	}
	return nil
}

// keptRevoked is how many runs stay revoked: far more than can have a command under way.
const keptRevoked = 50

// revoke makes sure, before anything is looked at, that a run which lost its lock changes nothing in nginx's files any more:
// a command that it began there goes on without it.
func (j *job) revoke(ctx context.Context, run string) error {
	c, err := j.w.Container(ctx, j.names.nginx)
	if errors.Is(err, docker.ErrNotFound) {
		return nil
	}
	if err != nil || c.State == "paused" || j.adopted() && !c.Running() { // nothing goes on in it
		return err
	}
	shots, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleOneShot, LabelRun: run})
	if err != nil {
		return err
	}
	for _, s := range shots {
		if err := j.raw.Remove(ctx, s.ID); err != nil {
			return err
		}
	}
	return j.apply(ctx, nginx.Change{Lines: []nginx.Line{{Path: nginx.RevokedPath(j.service()), Text: run, Keep: keptRevoked, Instead: run}}})
}

// releaseLock removes this run's locks, by id: whatever has the name by now may be another run's.
func (j *job) releaseLock(ctx context.Context) {
	j.lock.stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	for _, id := range append(j.unreleased, j.lock.id) {
		if err := j.raw.Remove(ctx, id); err != nil {
			j.note("warning: a lock could not be removed: " + err.Error())
		}
	}
	if j.Command == Down && j.obs.Nginx == nil {
		_ = j.w.RemoveLockImage(ctx) // other networks' locks may use it, which is fine
	}
}

// keep renews a lock until stop is called, also while a run that was interrupted undoes what it began. A lock that is
// gone ends the run: somebody broke it.
func (j *job) keep(id, name string) heldLock {
	ctx, cancel := context.WithCancel(j.life)
	go func() {
		ticks := time.NewTicker(leaseRenew)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			if j.renew(ctx, id) {
				j.lose(ErrLockLost)
				return
			}
		}
	}()
	return heldLock{id: id, name: name, stop: cancel}
}

// renew says whether the lock is gone. An engine that does not answer now may answer the next time.
func (j *job) renew(ctx context.Context, id string) (gone bool) {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew)
	defer cancel()
	err := j.w.RenewLock(ctx, id)
	return errors.Is(err, docker.ErrNotFound) && ctx.Err() == nil
}

// ErrLockLost ends a run whose lock somebody broke.
var ErrLockLost = errors.New("the lock is no longer this run's: somebody broke it, or removed its container; nothing more is changed")

// proveLock makes sure, before anything is changed, that nobody broke a lock of this run.
func (j *job) proveLock(ctx context.Context) error {
	for _, held := range []heldLock{j.lock, j.hostLock} {
		if held.id == "" {
			continue
		}
		c, err := j.w.Container(ctx, held.id)
		if errors.Is(err, docker.ErrNotFound) || err == nil && c.Name != held.name { // renamed, it keeps nobody out
			return ErrLockLost
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// underHostLock runs fn while no other run changes nginx, the network or the volume.
func (j *job) underHostLock(ctx context.Context, fn func(context.Context) error) error {
	id, err := j.acquire(ctx, j.names.lock, hostLockWait)
	if err != nil {
		return err
	}
	j.hostLock = j.keep(id, j.names.lock)
	err = fn(ctx)
	j.hostLock.stop()
	j.hostLock = heldLock{}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	if j.raw.Remove(ctx, id) != nil {
		j.unreleased = append(j.unreleased, id) // no reason to undo what was done: it is tried again at the end
	}
	return err
}

// acquire takes a lock, waiting at most wait for whoever holds it.
func (j *job) acquire(ctx context.Context, name string, wait time.Duration) (string, error) {
	labels, began := j.lockLabels(), time.Now()
	var looked, told time.Time
	for {
		id, err := j.w.TakeLock(ctx, name, labels)
		var held *docker.LockHeldError
		switch {
		case err == nil:
			return id, nil
		case !errors.As(err, &held):
			j.dropLock(ctx, name)
			return "", err
		case held.Holder.Labels[LabelRun] == j.run:
			return held.Holder.ID, nil // it could not be removed when it was no longer needed
		case held.Holder.Labels[LabelRole] != RoleLock:
			return "", notALock(name)
		}
		if time.Since(looked) >= holderLook {
			looked = time.Now()
			if broke, err := j.breakDead(ctx, held.Holder); broke || err != nil {
				if err != nil {
					return "", fmt.Errorf("break lock %s: %w", name, err)
				}
				continue
			}
		}
		locked := &LockedError{Lock: name, Holder: held.Holder.Labels}
		left := wait - time.Since(began)
		if left <= 0 {
			return "", locked
		}
		if name != j.names.lock && time.Since(told) >= waitTold {
			told = time.Now()
			j.note(fmt.Sprintf("waiting up to %v: %v", left.Round(time.Second), locked))
		}
		select {
		case <-ctx.Done():
			return "", interrupted(ctx, "nothing was changed")
		case <-time.After(min(lockPause, left)):
		}
	}
}

// breakDead removes the lock of a run that is gone, by id: another may have been quicker, and the name is its own by now.
func (j *job) breakDead(ctx context.Context, lock docker.Container) (broke bool, err error) {
	why := j.goneWhy(ctx, lock)
	if why == "" {
		return false, nil
	}
	j.note(fmt.Sprintf("breaking %s, the lock of a run that is gone (%s): %v", lock.Name, why, &LockedError{Lock: lock.Name, Holder: lock.Labels}))
	if lock.Name == lockName(j.service()) {
		j.dead = append(j.dead, lock.Labels)
	}
	return true, j.raw.Remove(ctx, lock.ID)
}

// notALock is the error for somebody else's container under a lock's name.
func notALock(name string) error {
	return &config.Error{
		Where: "container " + name, What: "is not bluegreen's, but has the name that bluegreen needs for a lock",
		Do: "Rename or remove it, or rename the service with x-bluegreen: {name: …}.",
	}
}

// dropLock removes a lock that was taken although the engine's answer got lost: nobody else would.
func (j *job) dropLock(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	if c, err := j.w.Container(ctx, name); err == nil && c.Labels[LabelRun] == j.run {
		_ = j.raw.Remove(ctx, c.ID) // the error of the take says more
	}
}
