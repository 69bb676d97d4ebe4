package swap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// nginxUp is how long a started nginx may take until its workers are there.
const nginxUp = 10 * time.Second

// createNetwork creates the network, unless another run was quicker.
func (j *job) createNetwork(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		n, err := j.w.Network(ctx, j.names.network)
		if errors.Is(err, docker.ErrNotFound) {
			j.made.network = true // also when the engine's answer gets lost
			n, err = j.w.CreateNetwork(ctx, j.names.network, j.Service.Host.Subnet, j.labels("network", nil))
		}
		if err != nil {
			return err
		}
		j.obs.Network = &n
		return nil
	})
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
		locks, err := j.w.Containers(ctx, map[string]string{LabelNetwork: j.names.network, LabelRole: RoleLock})
		if err != nil {
			return err
		}
		others := slices.ContainsFunc(locks, func(l docker.Container) bool { return l.Labels[LabelService] != j.service() })
		if !alone || others || j.obs.Include != nil {
			return nil
		}
		return undo(ctx)
	})
}

// hostKeys are the keys that a new nginx is made with: what this project says, else the defaults.
func hostKeys(h config.Host) HostKeys {
	k := HostKeys{HTTP: config.DefaultHTTP, Status: config.DefaultStatus, Image: config.DefaultImage, ShutdownTimeout: config.DefaultShutdownTimeout.String()}
	if h.HTTP != 0 {
		k.HTTP = h.HTTP
	}
	if h.Status != 0 {
		k.Status = h.Status
	}
	if h.Image != "" {
		k.Image = h.Image
	}
	if h.ShutdownTimeout != 0 {
		k.ShutdownTimeout = h.ShutdownTimeout.String()
	}
	return k
}

// checkHost refuses host keys that differ from those which the running nginx was made with.
func (o *Observation) checkHost(h config.Host) error {
	if o.Nginx == nil {
		return nil
	}
	differs := func(key string, want, have any) error {
		return &config.Error{
			Where: "x-bluegreen.nginx." + key, What: fmt.Sprintf("this project wants %v, but the nginx of this host was made with %v", want, have),
			Do: "Take the key out, or use the host's value: one nginx serves every service of the host.",
		}
	}
	switch {
	case h.Subnet != "" && o.Network != nil && h.Subnet != o.Network.Subnet:
		return &config.Error{
			Where: "x-bluegreen.network.subnet", What: fmt.Sprintf("this project wants %s, but the network has %s", h.Subnet, o.Network.Subnet),
			Do: "Take the key out, or use another network name.",
		}
	case h.HTTP != 0 && h.HTTP != o.Host.HTTP:
		return differs("http", h.HTTP, o.Host.HTTP)
	case h.Status != 0 && h.Status != o.Host.Status:
		return differs("status", h.Status, o.Host.Status)
	case h.Image != "" && h.Image != o.Host.Image:
		return differs("image", h.Image, o.Host.Image)
	case h.ShutdownTimeout != 0 && h.ShutdownTimeout.String() != o.Host.ShutdownTimeout:
		return differs("shutdown_timeout", h.ShutdownTimeout, o.Host.ShutdownTimeout)
	}
	return nil
}

// startNginx creates nginx with its volume and a configuration that nginx itself tested, or starts the
// one that is down.
func (j *job) startNginx(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		c, err := j.w.Container(ctx, j.names.nginx)
		switch {
		case errors.Is(err, docker.ErrNotFound):
			err = j.createNginx(ctx)
		case err == nil && !c.Running():
			err = j.w.Start(ctx, c.ID)
		}
		if err != nil {
			return err
		}
		return j.waitForNginx(ctx)
	})
}

func (j *job) createNginx(ctx context.Context) error {
	keys := hostKeys(j.Service.Host)
	if !j.obs.Volume {
		j.made.volume = true // here and below also when the engine's answer gets lost
		if err := j.w.CreateVolume(ctx, j.names.volume, j.labels("volume", nil)); err != nil {
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
	timeout, err := time.ParseDuration(keys.ShutdownTimeout)
	if err != nil {
		return fmt.Errorf("read shutdown_timeout: %w", err)
	}
	main := nginx.Main(nginx.MainConfig{Version: version, ShutdownTimeout: timeout})
	change := nginx.Change{Files: []nginx.File{{Path: nginx.MainPath, Text: main}}, Test: true}
	if err := j.apply(ctx, change); err != nil {
		return fmt.Errorf("set up nginx image %s: %w", keys.Image, err)
	}
	label, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("write label %s: %w", LabelHost, err)
	}
	j.made.nginx = true
	id, err := j.w.CreateNginx(ctx, docker.NginxSpec{
		Name: j.names.nginx, ImageID: j.nginx.ID, Volume: j.names.volume, At: nginx.Root,
		Cmd:       []string{"nginx", "-c", nginx.Root + "/" + nginx.MainPath, "-g", "daemon off;"},
		NetworkID: j.obs.Network.ID, NetworkName: j.names.network, HTTP: keys.HTTP, Status: keys.Status,
		Labels: j.labels(RoleNginx, map[string]string{LabelHost: string(label), LabelNginxVersion: version}),
	})
	if err != nil {
		return err
	}
	return j.w.Start(ctx, id)
}

// waitForNginx returns once nginx has workers, and remembers the container that runs now.
func (j *job) waitForNginx(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, nginxUp)
	defer cancel()
	for {
		c, err := j.w.Container(ctx, j.names.nginx)
		if err != nil {
			return err
		}
		if c.Running() {
			if w, err := j.w.Workers(ctx, place{j}); err == nil && len(w.Serving) > 0 {
				j.obs.Nginx = &c
				return json.Unmarshal([]byte(c.Labels[LabelHost]), &j.obs.Host)
			}
		}
		select {
		case <-ctx.Done():
			log := strings.TrimSpace(j.tail(ctx, c.Name))
			return fmt.Errorf("%w: container %s is %s; its last lines:\n    %s", ErrNginxDown, c.Name, c.State, strings.ReplaceAll(log, "\n", "\n    "))
		case <-time.After(20 * time.Millisecond):
		}
	}
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
			return j.w.RemoveVolume(ctx, j.names.volume)
		}
		return nil
	})
}

// removeHost removes nginx, the network and, when asked for, the volume with the history.
func (j *job) removeHost(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		if alone, err := j.alone(ctx); err != nil || !alone {
			return err // a service came while this one went: it needs nginx
		}
		if j.obs.Nginx != nil {
			if err := j.w.Stop(ctx, j.obs.Nginx.ID); err != nil {
				return err
			}
			if err := j.w.Remove(ctx, j.obs.Nginx.ID); err != nil {
				return err
			}
			j.obs.Nginx = nil
		}
		if n := j.obs.Network; n != nil && n.Labels[LabelRole] == "network" { // one that was there before is not ours to remove
			if err := j.w.RemoveNetwork(ctx, j.obs.Network.ID); err != nil {
				return err
			}
		}
		if j.Volumes {
			return j.w.RemoveVolume(ctx, j.names.volume)
		}
		return nil
	})
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
