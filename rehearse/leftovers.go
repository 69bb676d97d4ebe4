package rehearse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bluegreen/docker"
	"bluegreen/swap"
)

// Everything that a rehearsal makes says so by its label, which is the network's name: what only has a name that looks like
// one of ours is somebody else's.

// clean removes everything of one rehearsal but its lock, whatever state it is in.
func clean(ctx context.Context, c *docker.Client, n names) error {
	err := removeCopy(ctx, c, n)
	for _, version := range exampleVersions {
		image, e := c.Image(ctx, n.image(version))
		switch {
		case e == nil && image.Labels[swap.LabelNetwork] == n.network:
			err = errors.Join(err, c.RemoveImage(ctx, n.image(version)))
		case e != nil && !errors.Is(e, docker.ErrNotFound):
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("clean up rehearsal %s: %w", n.id, err)
	}
	return nil
}

// removeCopy removes the copy: its containers, networks and volumes.
func removeCopy(ctx context.Context, c *docker.Client, n names) error {
	containers, err := c.Containers(ctx, map[string]string{swap.LabelNetwork: n.network})
	for _, one := range containers {
		if one.Name != n.lock() {
			err = errors.Join(err, c.Remove(ctx, one.ID))
		}
	}
	networks, e := c.NetworksLike(ctx, n.network)
	err = errors.Join(err, e)
	for _, one := range networks {
		if one.Labels[swap.LabelNetwork] == n.network {
			err = errors.Join(err, c.RemoveNetwork(ctx, one.ID))
		}
	}
	volumes, e := c.Volumes(ctx, swap.LabelNetwork)
	err = errors.Join(err, e)
	for _, one := range volumes {
		if one.Labels[swap.LabelNetwork] == n.network {
			err = errors.Join(err, c.RemoveVolume(ctx, one.Name))
		}
	}
	return err
}

// CleanUp removes what rehearsals left that were killed, and, when kept is set, also what --keep left. It leaves alone
// those that are under way, and returns the ids of the others. What could not be removed is in the error.
func CleanUp(ctx context.Context, c *docker.Client, kept bool) (ids []string, err error) {
	all, err := rehearsals(ctx, c)
	if err != nil {
		return nil, err
	}
	locks, err := c.Containers(ctx, map[string]string{swap.LabelRole: swap.RoleLock})
	if err != nil {
		return nil, err
	}
	held := func(name string) (docker.Container, bool) {
		at := slices.IndexFunc(locks, func(l docker.Container) bool { return l.Name == name })
		if at < 0 {
			return docker.Container{}, false
		}
		return locks[at], true
	}
	w := swap.RealWorld(c)
	for _, n := range all {
		if _, marked := held(n.kept()); marked && !kept {
			continue
		}
		lock, there := held(n.lock())
		if there && swap.Abandoned(ctx, w, lock) == "" {
			continue
		}
		e := clean(ctx, c, n)
		if there && e == nil { // last, so that what could not be removed is found again
			e = c.Remove(ctx, lock.ID)
		}
		ids, err = append(ids, n.id), errors.Join(err, e)
	}
	return ids, err
}

// rehearsals are all of which something is there. What a rehearsal makes is looked for before the locks are: it takes its
// lock first, and lets go of it last.
func rehearsals(ctx context.Context, c *docker.Client) ([]names, error) {
	var labels []string
	networks, err := c.NetworksLike(ctx, prefix)
	if err != nil {
		return nil, err
	}
	for _, one := range networks {
		labels = append(labels, one.Labels[swap.LabelNetwork])
	}
	volumes, err := c.Volumes(ctx, swap.LabelNetwork)
	if err != nil {
		return nil, err
	}
	for _, one := range volumes {
		labels = append(labels, one.Labels[swap.LabelNetwork])
	}
	containers, err := c.Containers(ctx, map[string]string{swap.LabelNetwork: ""})
	if err != nil {
		return nil, err
	}
	for _, one := range containers {
		labels = append(labels, one.Labels[swap.LabelNetwork])
	}
	slices.Sort(labels)
	var all []names
	for _, label := range slices.Compact(labels) {
		if id, ours := strings.CutPrefix(label, prefix); ours && validID(id) {
			all = append(all, namesOf(id))
		}
	}
	return all, nil
}
