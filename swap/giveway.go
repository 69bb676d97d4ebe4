package swap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"bluegreen/docker"
)

// giveWay keeps a run that stops nginx from meeting others that need it: it waits for them as long as it is told to. What it
// plans is looked at only after that.
func (j *job) giveWay(ctx context.Context) error {
	if j.Command != Recreate {
		return nil
	}
	var told time.Time
	for began := time.Now(); ; {
		err := j.inTheWay(ctx)
		locked, ok := err.(*LockedError)
		left := j.Wait - time.Since(began)
		if !ok || left <= 0 {
			return err
		}
		if time.Since(told) >= waitTold {
			told = time.Now()
			j.note(fmt.Sprintf("waiting up to %v: %v", left.Round(time.Second), locked))
		}
		select {
		case <-ctx.Done():
			return interrupted(ctx, "nothing was changed")
		case <-time.After(min(lockPause, left)):
		}
	}
}

// inTheWay is a *LockedError that names a run of another service which needs nginx. Of two runs that make it anew, the one
// that took its lock later gives way; one that is gone leaves nothing that the other's settling does not mend.
func (j *job) inTheWay(ctx context.Context) error {
	locks, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleLock})
	if err != nil {
		return err
	}
	own, err := j.w.Container(ctx, j.lock.id)
	if err != nil {
		return err
	}
	for _, l := range locks {
		if !j.needsNginx(l) {
			continue
		}
		if commandOf(l.Labels[LabelLockCommand]) == Recreate && (younger(l, own) || j.goneWhy(ctx, l) != "") {
			continue
		}
		return &LockedError{Lock: l.Name, Holder: l.Labels}
	}
	return nil
}

// younger says whether one lock was taken after another.
func younger(a, b docker.Container) bool {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) > 0
}

// tryPorts proves, before anything is stopped, that the ports which nginx does not have yet can be published: whoever holds
// one may be no container.
func (j *job) tryPorts(ctx context.Context, keys HostKeys) error {
	ports := slices.DeleteFunc(keys.ports(), func(p docker.Port) bool {
		return j.obs.NginxRuns() && slices.ContainsFunc(j.obs.Host.ports(), func(have docker.Port) bool { return have.HostPort == p.HostPort })
	})
	if len(ports) == 0 {
		return nil
	}
	_, err := j.w.RunOnce(ctx, docker.OneShot{
		Name: j.names.nginx + "-once-" + newRunID(), ImageID: j.nginx.ID, Cmd: []string{"nginx", "-v"},
		Network: j.obs.Network.ID, Ports: ports,
		Labels: map[string]string{LabelRole: RoleOneShot, LabelNetwork: j.names.network, LabelRun: j.run},
	})
	return err
}
