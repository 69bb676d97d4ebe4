package swap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
)

// source is an image and how it is to be had.
type source struct {
	ref      string
	pull     config.Pull
	platform string // asked for by compose; "" the host's own
}

// sourceOf is where a service's image comes from.
func sourceOf(s *config.Service) (source, error) {
	pull, err := config.PullPolicy(s.Compose)
	return source{ref: s.Image, pull: pull, platform: s.Compose.Platform}, err
}

// nginxSource is where nginx's image comes from: the host needs one, and not the newest.
func (j *job) nginxSource() source {
	return source{ref: j.hostKeys().Image, pull: config.Pull{When: config.PullMissing}}
}

// Fetch makes sure that the engine has the image of a service, by compose's pull policy, and notes when it has to be pulled.
func Fetch(ctx context.Context, w World, s *config.Service, note func(string)) error {
	j := newJob(w, Request{Service: s, Emit: func(e Event) {
		if e.Layer == nil && !e.Detail {
			note(e.Text)
		}
	}})
	from, err := sourceOf(s)
	if err != nil {
		return err
	}
	_, _, err = j.fetch(ctx, from)
	return err
}

// fetch gets an image by its pull policy, and makes sure that it is one for this host. pulled says whether the registry
// was asked.
func (j *job) fetch(ctx context.Context, from source) (image docker.Image, pulled bool, err error) {
	local, found, err := j.local(ctx, from)
	if err != nil {
		return local, false, err
	}
	image = local
	if from.wants(local, found) {
		if image, err = j.fetchNow(ctx, from, local); err != nil {
			return image, true, fmt.Errorf("get image %s: %w", from.ref, err)
		}
		pulled = true
	} else if !found {
		return image, false, from.missing()
	}
	return image, pulled, j.checkPlatform(ctx, image, from.platform)
}

// local is the image as the host has it. One for another platform than is asked for does not count.
func (j *job) local(ctx context.Context, from source) (image docker.Image, found bool, err error) {
	image, err = j.w.Image(ctx, from.ref)
	switch {
	case errors.Is(err, docker.ErrNotFound):
		return docker.Image{Ref: from.ref}, false, nil
	case err != nil:
		return image, false, fmt.Errorf("get image %s: %w", from.ref, err)
	}
	return image, docker.Fits(image.Platform, from.platform), nil
}

// wants says whether the policy has the image pulled.
func (s source) wants(local docker.Image, found bool) bool {
	switch s.pull.When {
	case config.PullAlways:
		return true
	case config.PullNever, config.PullBuild:
		return false
	case config.PullRefresh:
		return !found || time.Since(local.Tagged) >= s.pull.After // an engine that does not tell has the zero time
	}
	return !found
}

// missing says that the host lacks an image that its policy does not let it pull.
func (s source) missing() error {
	what := s.ref
	if s.platform != "" {
		what += " for " + s.platform
	}
	do := fmt.Sprintf("docker pull %s, or another pull policy (--pull missing), gets it", s.ref)
	if s.pull.When == config.PullBuild {
		do = "bluegreen does not build: `docker compose build` does"
	}
	return fmt.Errorf("image %s: %w on this host, and its pull policy is %s: %s", what, docker.ErrNotFound, s.pull.When, do)
}

// fetchNow pulls an image and tells how far it is.
func (j *job) fetchNow(ctx context.Context, from source, before docker.Image) (docker.Image, error) {
	start := time.Now()
	j.emit(Event{Kind: Progress, Text: "pulling " + from.ref, Pull: from.ref})
	image, err := j.w.Pull(ctx, from.ref, from.platform, func(p docker.PullProgress) {
		switch {
		case p.Warning != "":
			j.note("warning: " + p.Warning)
		case p.Layer != "":
			j.emit(Event{Kind: Progress, Text: p.Status, Pull: from.ref, Layer: &Layer{ID: p.Layer, Status: p.Status, Current: p.Current, Total: p.Total}})
		}
	})
	if err != nil {
		return image, err
	}
	took := max(time.Since(start), 1) // 0 is no end
	text := fmt.Sprintf("pulled %s%s in %.1f s", from.ref, inBrackets(image.Digest), took.Seconds())
	if image.ID == before.ID {
		text = fmt.Sprintf("%s%s is up to date", from.ref, inBrackets(image.Digest))
	}
	j.emit(Event{Kind: Progress, Text: text, Pull: from.ref, Duration: took})
	return image, nil
}

// shownDigest is how much of a digest a person needs to tell two apart.
const shownDigest = len("sha256:") + 12

func shortDigest(d string) string {
	if len(d) > shownDigest {
		return d[:shownDigest] + "…"
	}
	return d
}

func inBrackets(digest string) string {
	if digest == "" {
		return ""
	}
	return " (" + shortDigest(digest) + ")"
}
