package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
)

// How long a registry may take to say what a tag names: for a note beside a deploy, which must not wait for it, and for
// a dry run of which it is the point.
const (
	noteTime = 3 * time.Second
	askTime  = 15 * time.Second
)

// noteMoved notes when the registry has another image under the tag by now. Only a deploy that goes by what the host has
// asks, and only for an image that came from a registry by a tag.
func (j *job) noteMoved(ctx context.Context, image docker.Image, from source) {
	if from.pull.When != config.PullMissing || image.Digest == "" || image.Pinned() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	now, err := j.w.Remote(ctx, image.Ref)
	switch {
	case err != nil:
		j.emit(Event{Kind: Progress, Detail: true, Text: "whether " + image.Ref + " has moved in its registry could not be asked: " + err.Error()})
	case now.Digest != "" && !slices.Contains(image.Digests, now.Digest):
		j.imageNotes = append(j.imageNotes, fmt.Sprintf("%s has moved in its registry (to %s), and this host has the one of before (%s); `bluegreen %s --pull always` takes the new one",
			image.Ref, shortDigest(now.Digest), shortDigest(image.Digest), j.Command))
	}
}

// findImages resolves the wanted image from what the engine has, or by asking the registry, without fetching anything.
func (j *job) findImages(ctx context.Context) error {
	if !j.Command.needsImage() {
		return nil
	}
	from, err := sourceOf(j.Service)
	if err != nil {
		return err
	}
	local, found, err := j.local(ctx, from)
	switch {
	case err != nil:
		return err
	case from.wants(local, found):
		j.image, err = j.askRegistry(ctx, from, local, found)
		return err
	case !found:
		return from.missing()
	}
	j.image = local
	j.noteMoved(ctx, local, from)
	return j.checkPlatform(ctx, local, from.platform)
}

// askRegistry is what a pull would come to, by the registry's word: the local image when it is the very one, else one without an
// id. What the registry refuses now it would refuse then; that it cannot be asked is only said.
func (j *job) askRegistry(ctx context.Context, from source, local docker.Image, found bool) (docker.Image, error) {
	where := "image " + from.ref + " is on this host"
	if !found {
		where, local = "image "+from.ref+" is not on this host yet", docker.Image{Ref: from.ref}
	}
	limited, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	now, err := j.w.Remote(limited, from.ref)
	var refused *docker.RegistryError
	switch {
	case ctx.Err() != nil:
		return local, ctx.Err()
	case errors.As(err, &refused) && refused.Why != docker.Otherwise:
		return local, err
	case err != nil:
		j.note(fmt.Sprintf("%s; a deploy would pull it first, and its registry could not be asked: %v", where, err))
		return local, nil
	case found && slices.Contains(local.Digests, now.Digest):
		return local, j.checkPlatform(ctx, local, from.platform)
	}
	j.note(fmt.Sprintf("%s; a deploy would pull it first%s", where, inBrackets(now.Digest)))
	return docker.Image{Ref: from.ref, Digest: now.Digest}, j.checkOffer(ctx, from, now)
}

// checkOffer makes sure that a registry has the image for the platform that is asked for, or the host's.
func (j *job) checkOffer(ctx context.Context, from source, now docker.Remote) error {
	if len(now.Platforms) == 0 {
		return nil
	}
	host, err := j.w.HostPlatform(ctx)
	if err != nil {
		return err
	}
	for _, p := range now.Platforms {
		if from.platform != "" && docker.Fits(p, from.platform) || from.platform == "" && !docker.Foreign(p, host) {
			return nil
		}
	}
	if from.platform != "" {
		host = from.platform
	}
	return &PlatformError{Image: from.ref, Platform: strings.Join(now.Platforms, ", "), Host: host}
}
