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

// clean removes everything of one rehearsal but its lock, whatever state it is in.
func clean(ctx context.Context, c *docker.Client, n names) error {
	err := clear(ctx, c, n)
	for _, version := range exampleVersions {
		err = errors.Join(err, c.RemoveImage(ctx, n.image(version)))
	}
	if err != nil {
		return fmt.Errorf("clean up rehearsal %s: %w", n.id, err)
	}
	return nil
}

// clear removes the copy: its containers, networks and volumes.
func clear(ctx context.Context, c *docker.Client, n names) error {
	containers, err := c.Containers(ctx, map[string]string{swap.LabelNetwork: n.network})
	for _, one := range containers {
		if one.Name != n.lock() {
			err = errors.Join(err, c.Remove(ctx, one.ID))
		}
	}
	networks, e := c.NetworksLike(ctx, n.network)
	err = errors.Join(err, e)
	for _, one := range networks {
		err = errors.Join(err, c.RemoveNetwork(ctx, one.ID))
	}
	volumes, e := c.VolumesLike(ctx, n.network)
	err = errors.Join(err, e)
	for _, name := range volumes {
		err = errors.Join(err, c.RemoveVolume(ctx, name))
	}
	return err
}

// CleanUp removes what rehearsals left that were killed, and, when kept is set, also what --keep left. It leaves alone
// those that are under way, and returns the ids of the others.
func CleanUp(ctx context.Context, c *docker.Client, kept bool) (ids []string, err error) {
	all, err := rehearsals(ctx, c)
	if err != nil {
		return nil, err
	}
	locks, err := c.Containers(ctx, map[string]string{swap.LabelRole: swap.RoleLock})
	if err != nil {
		return nil, err
	}
	w := swap.RealWorld(c)
	for _, n := range all {
		if !kept && slices.ContainsFunc(locks, func(l docker.Container) bool { return l.Name == n.kept() }) {
			continue
		}
		at := slices.IndexFunc(locks, func(l docker.Container) bool { return l.Name == n.lock() })
		if at >= 0 && swap.Abandoned(ctx, w, locks[at]) == "" {
			continue
		}
		err = errors.Join(err, clean(ctx, c, n))
		if at >= 0 && err == nil { // last, so that what could not be removed is found again
			err = c.Remove(ctx, locks[at].ID)
		}
		ids = append(ids, n.id)
	}
	return ids, err
}

// rehearsals are all of which something is there. What a rehearsal makes is looked for before the locks are: it takes its
// lock first, and lets go of it last.
func rehearsals(ctx context.Context, c *docker.Client) ([]names, error) {
	var found []string
	networks, err := c.NetworksLike(ctx, prefix)
	if err != nil {
		return nil, err
	}
	for _, n := range networks {
		found = append(found, n.Name)
	}
	volumes, err := c.VolumesLike(ctx, prefix)
	if err != nil {
		return nil, err
	}
	found = append(found, volumes...)
	containers, err := c.Containers(ctx, map[string]string{swap.LabelNetwork: ""})
	if err != nil {
		return nil, err
	}
	for _, one := range containers {
		found = append(found, one.Labels[swap.LabelNetwork])
	}
	var all []names
	for _, name := range found {
		rest, ours := strings.CutPrefix(name, prefix)
		if id, _, _ := strings.Cut(strings.ReplaceAll(rest, "_", "-"), "-"); ours && validID(id) && !slices.Contains(all, namesOf(id)) {
			all = append(all, namesOf(id))
		}
	}
	return all, nil
}
