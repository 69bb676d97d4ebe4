package swap

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// createNetwork creates the network, unless another run was quicker.
func (j *job) createNetwork(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		n, err := j.w.Network(ctx, j.names.network)
		if errors.Is(err, docker.ErrNotFound) {
			if err := j.removeProbes(ctx); err != nil {
				return err
			}
			j.made.network = true // also when the engine's answer gets lost
			n, err = j.w.CreateNetwork(ctx, j.names.network, cmp.Or(j.Service.Host.Subnet, j.subnetBefore()), j.labels("network", j.hostLabel()))
		}
		if err != nil {
			return err
		}
		j.obs.Network = &n
		_, err = j.reattach(ctx) // somebody removed the network under what runs
		return err
	})
}

// removeProbes removes the networks that killed runs made to find a free subnet. Whoever makes one has the host's lock, as
// this run has now.
func (j *job) removeProbes(ctx context.Context) error {
	left, err := j.w.NetworksLike(ctx, j.names.network+"-probe-")
	for _, n := range left {
		if err == nil && n.Labels[LabelNetwork] == j.names.network {
			err = j.w.RemoveNetwork(ctx, n.ID)
		}
	}
	return err
}

// subnetBefore is the subnet of a network that somebody removed, for which the addresses of what runs are made.
func (j *job) subnetBefore() string {
	if j.obs.Nginx == nil {
		return ""
	}
	return j.obs.Nginx.Labels[LabelSubnet]
}

func (j *job) removeNetwork(ctx context.Context, _ Step) error {
	if !j.made.network {
		return nil
	}
	return j.unlessNeeded(ctx, func(ctx context.Context) error {
		n, err := j.w.Network(ctx, j.names.network)
		if err != nil {
			return ignoreNotFound(err)
		}
		if err := j.detachOwn(ctx, n); err != nil {
			return err
		}
		return j.w.RemoveNetwork(ctx, n.ID)
	})
}

// unlessNeeded runs an undo that takes away what this run made for the whole host, unless this service is live
// through it or another service has begun to use it meanwhile.
func (j *job) unlessNeeded(ctx context.Context, undo func(context.Context) error) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		alone, err := j.alone(ctx)
		if err != nil {
			return err
		}
		others, err := j.othersAtWork(ctx)
		if err != nil {
			return err
		}
		if !alone || others || j.obs.Include != nil {
			return nil
		}
		return undo(ctx)
	})
}

// othersAtWork says whether a run of another service is under way that may need nginx: not one that takes its service down.
func (j *job) othersAtWork(ctx context.Context) (bool, error) {
	locks, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleLock})
	return slices.ContainsFunc(locks, j.needsNginx), err
}

// needsNginx says whether a lock is that of a run of another service which may need nginx.
func (j *job) needsNginx(l docker.Container) bool {
	return l.Labels[LabelService] != j.service() && commandOf(l.Labels[LabelLockCommand]) != Down
}

// startNginx creates nginx with its volume and a configuration that nginx itself tested, or starts the
// one that is down.
func (j *job) startNginx(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		c, err := j.w.Container(ctx, j.names.nginx)
		switch {
		case j.adopted() && err == nil && !c.Running():
			err = ownDown(c)
		case j.adopted():
		case errors.Is(err, docker.ErrNotFound):
			err = j.createNginx(ctx)
		case err == nil && !c.Running():
			err = j.wakeNginx(ctx, c)
		}
		if err != nil {
			return err
		}
		_, err = j.workers(ctx)
		return err
	})
}

// wakeNginx starts an nginx that is down, with a configuration that it takes.
func (j *job) wakeNginx(ctx context.Context, c docker.Container) error {
	if c.State == "paused" {
		return paused(c)
	}
	if err := j.mendConfiguration(ctx, c); err != nil {
		return fmt.Errorf("%w, and would not start: %w", ErrNginxDown, err)
	}
	if c.State == "restarting" { // the engine's next try may be a minute away
		if err := j.w.Stop(ctx, c.ID); err != nil {
			return err
		}
	}
	return j.revive(ctx, c.ID)
}

func (j *job) createNginx(ctx context.Context) error {
	keys := j.hostKeys()
	if !j.obs.Volume {
		j.made.volume = true // here and below also when the engine's answer gets lost
		if err := j.w.CreateVolume(ctx, j.names.volume, j.labels("volume", nil)); err != nil {
			return err
		}
		j.obs.Volume = true
	}
	if j.nginx.ID == "" { // there was an nginx when this run looked; another one took it away since
		var err error
		if j.nginx, _, err = j.fetch(ctx, j.nginxSource()); err != nil {
			return err
		}
	}
	version, err := j.w.NginxVersion(ctx, place{j})
	if err != nil {
		return fmt.Errorf("look at nginx image %s: %w", keys.Image, err)
	}
	for _, w := range warnings(version) {
		j.note("warning: " + w)
	}
	main, err := mainFile(keys, version)
	if err != nil {
		return err
	}
	label, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("write label %s: %w", LabelHost, err)
	}
	change := nginx.Change{Files: []nginx.File{main, {Path: nginx.HostPath, Text: string(label) + "\n"}, acmeFile(keys)}, Test: true}
	if err := j.applyMended(ctx, change); err != nil {
		return fmt.Errorf("set up nginx image %s: %w", keys.Image, err)
	}
	if j.obs.Files == nil {
		j.obs.Files = map[string][]byte{}
	}
	j.obs.Files[nginx.MainPath] = []byte(main.Text)
	j.made.nginx = true
	id, err := j.w.CreateNginx(ctx, j.nginxSpec(keys, string(label), version))
	if err != nil {
		return err
	}
	return j.w.Start(ctx, id)
}

// nginxSpec is the nginx container for a host's keys.
func (j *job) nginxSpec(keys HostKeys, label, version string) docker.NginxSpec {
	return docker.NginxSpec{
		Name: j.names.nginx, ImageID: j.nginx.ID, Volume: j.names.volume, At: nginx.Root,
		Cmd:       []string{"nginx", "-c", nginx.Root + "/" + nginx.MainPath, "-g", "daemon off;"},
		NetworkID: j.obs.Network.ID, NetworkName: j.names.network, Ports: keys.ports(),
		Webroot: keys.Webroot, WebrootAt: nginx.WebrootAt,
		Labels: j.labels(RoleNginx, map[string]string{LabelHost: label, LabelNginxVersion: version, LabelSubnet: j.obs.Network.Subnet}),
	}
}

// acmeFile serves an ACME client's answers where the host has a folder for them.
func acmeFile(keys HostKeys) nginx.File {
	return nginx.File{Path: nginx.AcmePath, Text: nginx.Acme(), Remove: keys.Webroot == ""}
}

// removeNginx undoes startNginx as far as this run made what is there.
func (j *job) removeNginx(ctx context.Context, _ Step) error {
	if !j.made.nginx && !j.made.volume {
		return nil
	}
	return j.unlessNeeded(ctx, func(ctx context.Context) error {
		if j.made.nginx {
			if err := j.w.Remove(ctx, j.names.nginx); err != nil {
				return err
			}
			j.obs.Nginx = nil
		}
		if j.made.volume {
			j.obs.Volume = false
			return j.w.RemoveVolume(ctx, j.names.volume)
		}
		return nil
	})
}

// removeHost removes nginx, the network and, when asked for, the volume with the history.
func (j *job) removeHost(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		alone, err := j.alone(ctx)
		if err != nil || !alone {
			return err // a service came while this one went: it needs nginx
		}
		if others, err := j.othersAtWork(ctx); err != nil || others {
			return err
		}
		if err := j.removeProbes(ctx); err != nil {
			return err
		}
		if j.adopted() && j.obs.Network != nil {
			if err := j.detachOwn(ctx, *j.obs.Network); err != nil {
				return err
			}
		}
		if j.obs.Nginx != nil && !j.adopted() {
			if err := j.w.Stop(ctx, j.obs.Nginx.ID); err != nil {
				return err
			}
			if err := j.w.Remove(ctx, j.obs.Nginx.ID); err != nil {
				return err
			}
			j.obs.Nginx = nil
		}
		if n := j.obs.Network; n != nil && n.Labels[LabelRole] == "network" { // one that was there before is not ours to remove
			err = j.w.RemoveNetwork(ctx, j.obs.Network.ID)
		}
		if j.Volumes && !j.adopted() {
			err = errors.Join(err, j.w.RemoveVolume(ctx, j.names.volume))
		}
		return err
	})
}

// detachOwn takes an adopted nginx off the network, which is to be removed.
func (j *job) detachOwn(ctx context.Context, n docker.Network) error {
	if !j.adopted() {
		return nil
	}
	c, err := j.w.Container(ctx, j.names.nginx)
	if _, on := c.Networks[n.Name]; err != nil || !on {
		return ignoreNotFound(err)
	}
	return j.w.Disconnect(ctx, n.ID, c.ID)
}

// alone says whether no other service needs nginx and the network. A failed container that is kept does not.
func (j *job) alone(ctx context.Context) (bool, error) {
	all, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleProfile})
	if err != nil {
		return false, err
	}
	for _, c := range all {
		leftover := c.Name == failedName(c.Labels[LabelService], c.Labels[LabelProfile])
		if c.Labels[LabelService] != j.service() && !leftover {
			return false, nil
		}
	}
	return true, nil
}
