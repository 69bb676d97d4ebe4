package docker

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
)

// CreateVolume creates a named volume, or finds it.
func (c *Client) CreateVolume(ctx context.Context, name string, labels map[string]string) error {
	_, err := c.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: labels})
	return c.explain(err, "create volume %s", name)
}

// VolumeExists says whether there is a volume of that name.
func (c *Client) VolumeExists(ctx context.Context, name string) (bool, error) {
	_, err := c.api.VolumeInspect(ctx, name)
	err = c.explain(err, "look up volume %s", name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RemoveVolume removes a named volume; one that is gone is success.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	return c.explain(absentIsFine(c.api.VolumeRemove(ctx, name, false)), "remove volume %s", name)
}

// Volume is a named volume.
type Volume struct {
	Name   string
	Labels map[string]string
}

// Volumes lists the volumes that carry a label, whatever its value, by name.
func (c *Client) Volumes(ctx context.Context, label string) ([]Volume, error) {
	listed, err := c.api.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(filters.Arg("label", label))})
	if err != nil {
		return nil, c.explain(err, "list volumes")
	}
	var found []Volume
	for _, v := range listed.Volumes {
		found = append(found, Volume{Name: v.Name, Labels: v.Labels})
	}
	slices.SortFunc(found, func(a, b Volume) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}
