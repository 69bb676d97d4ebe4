package docker

import (
	"context"
	"errors"

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
