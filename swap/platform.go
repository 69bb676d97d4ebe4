package swap

import (
	"context"
	"fmt"

	"bluegreen/docker"
)

// PlatformError: an image is made for another platform than the Docker host's, and nobody asked for that.
type PlatformError struct{ Image, Platform, Host string }

func (e *PlatformError) Error() string {
	return fmt.Sprintf("image %s is for %s, and the host is %s: it would not start, or be emulated", e.Image, e.Platform, e.Host)
}

// Remedy is what a person does about it.
func (e *PlatformError) Remedy() string {
	return fmt.Sprintf("build it for %s (docker build --platform %s), or ask for it with compose's `platform: %s`", e.Host, e.Host, e.Platform)
}

// checkPlatform refuses an image that is made for another platform, unless compose's `platform` asks for that one.
func (j *job) checkPlatform(ctx context.Context, image docker.Image, asked string) error {
	if image.Platform == "" {
		return nil
	}
	host, err := j.w.HostPlatform(ctx)
	if err != nil || !docker.Foreign(image.Platform, host) {
		return err
	}
	if asked == "" || !docker.Fits(image.Platform, asked) {
		return &PlatformError{Image: image.Ref, Platform: image.Platform, Host: host}
	}
	j.imageNotes = append(j.imageNotes, fmt.Sprintf("image %s is for %s, as `platform` asks for, and the host is %s: it is emulated, which is slow", image.Ref, image.Platform, host))
	return nil
}
