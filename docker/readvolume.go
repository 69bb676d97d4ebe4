package docker

import (
	"context"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// ReadVolume reads the regular files of a named volume through a container that is created for it, never
// started, and removed again. Names are relative to the volume's root. ErrNotFound when there is no such volume:
// mounting it would make it.
func (c *Client) ReadVolume(ctx context.Context, volume string, labels map[string]string) (map[string][]byte, error) {
	const at = "/volume"
	if _, err := c.api.VolumeInspect(ctx, volume); err != nil {
		return nil, c.explain(err, "read volume %s", volume)
	}
	if err := c.importLockImage(ctx); err != nil {
		return nil, err
	}
	id, err := c.create(ctx, creation{
		config: &container.Config{Image: lockImage, Cmd: []string{"read"}, Labels: labels, NetworkDisabled: true},
		host:   &container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: volume, Target: at}}},
	})
	if err != nil {
		return nil, err
	}
	defer c.discard(ctx, id)
	return c.ReadTree(ctx, id, at)
}
