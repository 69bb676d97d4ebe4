package swap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"bluegreen/docker"
)

// Labels that say who holds a lock.
const (
	LabelLockWho     = "bluegreen.lock.who"
	LabelLockWhere   = "bluegreen.lock.where"
	LabelLockCommand = "bluegreen.lock.command"
	LabelLockSince   = "bluegreen.lock.since"
	LabelLockPID     = "bluegreen.lock.pid"
	LabelLockBoot    = "bluegreen.lock.boot-id"
	LabelLockPIDNS   = "bluegreen.lock.pid-namespace"
	LabelLockStart   = "bluegreen.lock.process-start"
)

// Waiting for a lock: how often it is tried, and how long a run waits for the host's lock, which
// others hold for the moment of a reload or of creating nginx only. unlockTime bounds the removal.
const (
	lockPause    = 50 * time.Millisecond
	hostLockWait = time.Minute
	unlockTime   = 10 * time.Second
)

// Actor is who runs the command, for the lock's labels and the history.
type Actor struct{ Who, Where, Command string }

// takeLock takes the service's lock, breaking one whose holder is provably gone.
func (j *job) takeLock(ctx context.Context) error {
	id, err := j.acquire(ctx, lockName(j.service()), j.Wait)
	j.lock = id
	return err
}

// releaseLock removes this run's locks, by id: whatever has the name by now may be another run's.
func (j *job) releaseLock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	for _, id := range append(j.unreleased, j.lock) {
		if err := j.w.Remove(ctx, id); err != nil {
			j.note("warning: a lock could not be removed: " + err.Error())
		}
	}
	if j.Command == Down && j.obs.Nginx == nil {
		_ = j.w.RemoveLockImage(ctx) // other networks' locks may use it, which is fine
	}
}

var errLockLost = errors.New("the lock is no longer this run's: somebody broke it; nothing more is changed")

// proveLock makes sure, before traffic moves, that nobody broke the lock.
func (j *job) proveLock(ctx context.Context) error {
	_, err := j.w.Container(ctx, j.lock)
	if errors.Is(err, docker.ErrNotFound) {
		return errLockLost
	}
	return err
}

// underHostLock runs fn while no other run changes nginx, the network or the volume.
func (j *job) underHostLock(ctx context.Context, fn func(context.Context) error) error {
	id, err := j.acquire(ctx, j.names.lock, hostLockWait)
	if err != nil {
		return err
	}
	err = fn(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	if j.w.Remove(ctx, id) != nil {
		j.unreleased = append(j.unreleased, id) // no reason to undo what was done: it is tried again at the end
	}
	return err
}

// acquire takes a lock, waiting at most wait for whoever holds it.
func (j *job) acquire(ctx context.Context, name string, wait time.Duration) (string, error) {
	labels, end, said := j.lockLabels(), time.Now().Add(wait), false
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
		}
		locked := &LockedError{Lock: name, Holder: held.Holder.Labels}
		if j.w.HolderGone(held.Holder.Labels) {
			j.note("breaking the lock of a run that is gone: " + locked.Error())
			if err := j.w.Remove(ctx, held.Holder.ID); err != nil {
				return "", fmt.Errorf("break lock %s: %w", name, err)
			}
			continue
		}
		if !time.Now().Before(end) {
			return "", locked
		}
		if !said && name != j.names.lock {
			j.note(fmt.Sprintf("waiting up to %v: %v", wait, locked))
			said = true
		}
		select {
		case <-ctx.Done():
			return "", interrupted(ctx, "nothing was changed")
		case <-time.After(lockPause):
		}
	}
}

// dropLock removes a lock that was taken although the engine's answer got lost: nobody else would.
func (j *job) dropLock(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	if c, err := j.w.Container(ctx, name); err == nil && c.Labels[LabelRun] == j.run {
		_ = j.w.Remove(ctx, c.ID) // the error of the take says more
	}
}

func (j *job) lockLabels() map[string]string {
	boot, ns, start := processIdentity(os.Getpid())
	return j.labels(RoleLock, map[string]string{
		LabelService: j.service(), LabelLockWho: j.Actor.Who, LabelLockWhere: j.Actor.Where, LabelLockCommand: j.Actor.Command,
		LabelLockSince: time.Now().UTC().Format(time.RFC3339), LabelLockPID: strconv.Itoa(os.Getpid()),
		LabelLockBoot: boot, LabelLockPIDNS: ns, LabelLockStart: start,
	})
}

// processIdentity is what tells one process from every other that ever had its pid: the machine's boot,
// the pid namespace and the start time in clock ticks (field 22 of /proc/PID/stat, proc(5)). Empty
// where there is no /proc.
func processIdentity(pid int) (boot, namespace, start string) {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	namespace, _ = os.Readlink("/proc/self/ns/pid")
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The second field is the command in parentheses and may hold anything: count from its end.
	if i := strings.LastIndexByte(string(stat), ')'); i >= 0 {
		if f := strings.Fields(string(stat[i+1:])); len(f) > 19 {
			start = f[19]
		}
	}
	return strings.TrimSpace(string(b)), namespace, start
}

// holderGone says whether the process that took a lock is provably gone: it ran on this boot and in this
// pid namespace, and its pid is free or has another start time.
func holderGone(l map[string]string) bool {
	pid, err := strconv.Atoi(l[LabelLockPID])
	if err != nil || l[LabelLockBoot] == "" || l[LabelLockStart] == "" {
		return false
	}
	boot, ns, start := processIdentity(pid)
	return boot == l[LabelLockBoot] && ns == l[LabelLockPIDNS] && ns != "" && start != l[LabelLockStart]
}
