package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/jsonmessage"
)

// pullSilence is how long a registry may send nothing in the middle of a pull, and the engine say nothing while it
// unpacks: the engine itself waits for ever.
const pullSilence = 2 * time.Minute

// PullProgress is one line of a pull's progress.
type PullProgress struct {
	Layer, Status  string
	Current, Total int64  // bytes; 0 when the step has no size
	Warning        string // nothing but what docker warns of: a config.json that cannot be read, and so no login
}

// Pull fetches ref, reporting progress (may be nil), and returns the image. An empty platform is the engine's own.
// The login is the one that docker has (see registryLogin). A registry that gives nothing is a *RegistryError; so is
// one that stops in the middle.
func (c *Client) Pull(ctx context.Context, ref, platform string, progress func(PullProgress)) (Image, error) {
	l, err := loginFor(ctx, ref)
	if err != nil {
		return Image{}, fmt.Errorf("pull image %s: %w", ref, err)
	}
	if progress == nil {
		progress = func(PullProgress) {}
	}
	if l.warning != "" {
		progress(PullProgress{Warning: l.warning})
	}
	got, err := c.pull(ctx, l, ref, platform, progress)
	if err != nil {
		return Image{}, err
	}
	i, err := c.Image(ctx, ref)
	if err == nil && slices.Contains(i.Digests, got) {
		i.Digest = got
	}
	return i, err
}

// errSilence ends a pull in which nothing comes any more.
var errSilence = errors.New("nothing came")

// pull fetches ref and returns the digest that it came to.
func (c *Client) pull(ctx context.Context, l login, ref, platform string, progress func(PullProgress)) (got string, err error) {
	heard, end := context.WithCancelCause(ctx)
	defer end(nil)
	silence := time.AfterFunc(c.pullSilence, func() { end(errSilence) })
	defer silence.Stop()
	stream, err := c.api.ImagePull(heard, ref, image.PullOptions{RegistryAuth: l.header, Platform: platform})
	if err == nil {
		defer stream.Close()
		err = readProgress(stream, func(p PullProgress) {
			silence.Reset(c.pullSilence)
			if d, ok := strings.CutPrefix(p.Status, "Digest: "); ok {
				got = d
			}
			progress(p)
		})
	}
	if err == nil {
		return got, nil
	}
	if ctx.Err() == nil && errors.Is(context.Cause(heard), errSilence) {
		return "", &RegistryError{Image: ref, Registry: l.registry, Why: Stalled, Login: l.found, Silence: c.pullSilence}
	}
	refused := c.refused(err, l, ref)
	if registry, ok := errors.AsType[*RegistryError](refused); ok {
		registry.Here = c.tagsLike(ctx, ref)
	}
	return "", refused
}

// refused is the engine's error for what a registry did not give.
func (c *Client) refused(err error, l login, ref string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || isLost(err) {
		return c.explain(err, "pull image %s", ref)
	}
	return &RegistryError{Image: ref, Registry: l.registry, Why: refusalOf(ref, err), Login: l.found, Err: err}
}

// readProgress reads a stream of messages to its end. The engine has long answered 200 when a layer cannot
// be fetched: failures come as one of the messages.
func readProgress(stream io.Reader, progress func(PullProgress)) error {
	for messages := json.NewDecoder(stream); ; {
		var m jsonmessage.JSONMessage
		switch err := messages.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		case progress == nil:
			continue
		}
		p := PullProgress{Layer: m.ID, Status: m.Status}
		if m.Progress != nil {
			p.Current, p.Total = m.Progress.Current, m.Progress.Total
		}
		if strings.HasPrefix(m.Status, "Pulling from ") {
			p.Layer = "" // the tag
		}
		progress(p)
	}
}

// Remote is what a registry has under a reference now.
type Remote struct {
	Digest    string   // of the manifest, or of the list of them
	Platforms []string // os/arch[/variant]; none where the registry does not say
}

// Remote asks the registry, through the engine and with docker's login, what ref names there, without fetching it. That
// counts as a pull where pulls are counted. A registry that gives nothing is a *RegistryError.
func (c *Client) Remote(ctx context.Context, ref string) (Remote, error) {
	l, err := loginFor(ctx, ref)
	if err != nil {
		return Remote{}, fmt.Errorf("ask for image %s: %w", ref, err)
	}
	found, err := c.api.DistributionInspect(ctx, ref, l.header)
	if err != nil {
		return Remote{}, c.refused(err, l, ref)
	}
	r := Remote{Digest: found.Descriptor.Digest.String()}
	for _, p := range found.Platforms {
		if p.OS != "unknown" { // attestations
			r.Platforms = append(r.Platforms, path.Join(p.OS, p.Architecture, p.Variant))
		}
	}
	return r, nil
}

// pinned is the digest in a reference, "" when it has none.
func pinned(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	if d, ok := named.(reference.Digested); ok {
		return d.Digest().String()
	}
	return ""
}
