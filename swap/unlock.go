package swap

import (
	"context"
	"errors"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
)

// Lock is a lock that some run holds or left, as `unlock` shows it.
type Lock struct {
	Name string `json:"name"`
	LockStatus
	id, run string
}

// Locks are the locks that a run of this service holds: the service's, and the host's while it changes nginx.
func Locks(ctx context.Context, w World, s *config.Service) ([]Lock, error) {
	j := newJob(w, Request{Service: s})
	var list []Lock
	for _, name := range []string{lockName(j.service()), j.names.lock} {
		c, err := w.Container(ctx, name)
		if errors.Is(err, docker.ErrNotFound) || err == nil && name == j.names.lock && c.Labels[LabelService] != j.service() {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.Labels[LabelRole] != RoleLock {
			return nil, notALock(name)
		}
		list = append(list, Lock{Name: name, LockStatus: j.lockStatusOf(ctx, c), id: c.ID, run: c.Labels[LabelRun]})
	}
	return list, nil
}

// Unlock breaks a lock, by id: one that was taken since is not touched. The run that held it changes nothing more, nor does
// a command that it left running beside nginx.
func Unlock(ctx context.Context, w World, s *config.Service, l Lock) error {
	j := newJob(w, Request{Service: s})
	if err := j.locate(ctx); err != nil {
		return err
	}
	if err := w.Remove(ctx, l.id); err != nil || l.Name != lockName(j.service()) {
		return err
	}
	return j.revoke(ctx, l.run)
}

// lockStatusOf says who holds a lock, and whether he still can.
func (j *job) lockStatusOf(ctx context.Context, c docker.Container) LockStatus {
	l := c.Labels
	s := LockStatus{
		Owner: l[LabelLockWho], Host: l[LabelLockWhere], PID: l[LabelLockPID], Command: l[LabelLockCommand],
		Since: l[LabelLockSince], Why: j.goneWhy(ctx, c),
	}
	s.Gone = s.Why != ""
	if lease, err := j.w.LockLease(ctx, c); err == nil {
		s.Renewed = lease.Renewed.UTC().Format(time.RFC3339)
	}
	return s
}
