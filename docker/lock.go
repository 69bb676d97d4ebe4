package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// lockImage is empty and made on the spot: locks work where nothing can be pulled.
const (
	lockImage = "bluegreen/lock:latest"
	lockLabel = "bluegreen.lock-image"
)

// A name is reserved a moment before its container can be looked at, and a holder may be gone when it is: a take is
// tried anew until the one or the other has settled.
const (
	lockPatience = 10 * time.Second
	lockPause    = 25 * time.Millisecond
)

// LockHeldError says who holds a lock.
type LockHeldError struct{ Holder Container }

func (e *LockHeldError) Error() string {
	return fmt.Sprintf("lock %s is held since %s", e.Holder.Name, e.Holder.Created.Format(time.RFC3339))
}

// TakeLock creates the container name, never started, from an empty image made on the spot. Creating is
// the atomic take: *LockHeldError when the name exists.
func (c *Client) TakeLock(ctx context.Context, name string, labels map[string]string) (id string, err error) {
	lock := creation{name: name, host: &container.HostConfig{}, config: &container.Config{
		Image: lockImage, Cmd: []string{"lock"}, Labels: labels, NetworkDisabled: true,
	}}
	for deadline := time.Now().Add(lockPatience); ; {
		id, err = c.create(ctx, lock)
		switch {
		case err == nil:
			return id, nil
		case errors.Is(err, ErrNotFound):
			if err := c.importLockImage(ctx); err != nil {
				return "", err
			}
		case errdefs.IsConflict(err):
			holder, missing := c.Container(ctx, name)
			if missing == nil {
				return "", &LockHeldError{Holder: holder}
			}
			if !errors.Is(missing, ErrNotFound) {
				return "", missing
			}
			time.Sleep(lockPause)
		default:
			return "", err
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("take lock %s: no answer to who holds it in %s: %w", name, lockPatience, err)
		}
	}
}

// importLockImage makes the image unless another goroutine just did: a second import would take over the name and
// leave the first image without one.
func (c *Client) importLockImage(ctx context.Context) error {
	c.importing.Lock()
	defer c.importing.Unlock()
	if _, err := c.Image(ctx, lockImage); !errors.Is(err, ErrNotFound) {
		return err
	}
	var empty bytes.Buffer
	if err := tar.NewWriter(&empty).Close(); err != nil {
		return err
	}
	stream, err := c.api.ImageImport(ctx, image.ImportSource{Source: &empty, SourceName: "-"}, lockImage, image.ImportOptions{
		Changes: []string{"LABEL " + lockLabel + "=true"}, Message: "bluegreen's locks are containers of this empty image",
	})
	if err != nil {
		return c.explain(err, "import image %s", lockImage)
	}
	defer stream.Close()
	return c.explain(readProgress(stream, nil), "import image %s", lockImage)
}

// RemoveLockImage removes the empty image the locks are made from, if nothing uses it. Two machines that took their
// first locks at one moment have made one each, so it goes by the label.
func (c *Client) RemoveLockImage(ctx context.Context) error {
	found, err := c.api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", lockLabel))})
	if err != nil {
		return c.explain(err, "list lock images")
	}
	for _, i := range found {
		_, err := c.api.ImageRemove(ctx, i.ID, image.RemoveOptions{})
		if errdefs.IsConflict(err) {
			continue // somebody else holds a lock
		}
		if err := absentIsFine(err); err != nil {
			return c.explain(err, "remove image %s", lockImage)
		}
	}
	return nil
}

// leaseFile is where a lock's file system says when its holder last renewed it.
const leaseFile = "/lease.json"

// Lease is how long ago, by the engine's own clock, a lock was renewed. The clocks of its holder and of whoever asks
// play no part.
type Lease struct {
	Renewed time.Time
	Age     time.Duration
}

// RenewLock notes the engine's time in the lock. ErrNotFound when the lock is gone: somebody broke it.
func (c *Client) RenewLock(ctx context.Context, id string) error {
	now, err := c.now(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]time.Time{"renewed": now})
	if err != nil {
		return err
	}
	return c.WriteFile(ctx, id, leaseFile, text)
}

// LockLease reads when a lock was last renewed; taking it counts. ErrNotFound when the lock is gone.
func (c *Client) LockLease(ctx context.Context, lock Container) (Lease, error) {
	renewed := lock.Created
	files, err := c.ReadTree(ctx, lock.ID, leaseFile)
	switch {
	case err == nil:
		var said struct{ Renewed time.Time }
		for _, text := range files {
			if json.Unmarshal(text, &said) == nil && said.Renewed.After(renewed) {
				renewed = said.Renewed
			}
		}
	case !errors.Is(err, ErrNotFound):
		return Lease{}, err
	}
	now, err := c.now(ctx)
	return Lease{Renewed: renewed, Age: now.Sub(renewed)}, err
}

// now is the time by the engine's clock.
func (c *Client) now(ctx context.Context) (time.Time, error) {
	info, err := c.api.Info(ctx)
	if err != nil {
		return time.Time{}, c.explain(err, "ask the engine for its time")
	}
	t := moment(info.SystemTime)
	if t.IsZero() {
		return t, fmt.Errorf("ask the engine for its time: %q is none", info.SystemTime)
	}
	return t, nil
}
