package docker

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// Image is an image the engine has.
type Image struct {
	ID, Ref     string
	Platform    string // os/arch[/variant]
	Healthcheck bool   // the image defines a HEALTHCHECK that is not NONE
	Labels      map[string]string
	Size        int64     // bytes, unpacked
	Digest      string    // of its manifest in the registry that Ref names, "sha256:…"; "" when it came from none
	Digests     []string  // all that it is known under in that repository, Digest among them
	Tagged      time.Time // when it got its tag here; zero when the engine does not tell (of a pulled image, most do not)
}

// Pinned says whether the image was asked for by a digest, which never moves.
func (i Image) Pinned() bool { return pinned(i.Ref) != "" }

// Image finds a local image by reference or id; ErrNotFound when the engine has none.
func (c *Client) Image(ctx context.Context, ref string) (Image, error) {
	found, err := c.api.ImageInspect(ctx, ref)
	if err != nil {
		return Image{}, c.explain(err, "look up image %s", ref)
	}
	i := Image{
		ID: found.ID, Ref: ref, Platform: path.Join(found.Os, found.Architecture, found.Variant), Size: found.Size,
		Digests: digestsOf(ref, found.RepoDigests), Tagged: found.Metadata.LastTagTime,
	}
	if found.Config != nil {
		i.Labels = found.Config.Labels
		i.Healthcheck = checksHealth(found.Config.Healthcheck)
	}
	if len(i.Digests) > 0 {
		i.Digest = i.Digests[0]
	}
	if want := pinned(ref); slices.Contains(i.Digests, want) {
		i.Digest = want
	}
	return i, nil
}

// tagsLike are the tags that the engine has of the repository that ref names, newest first; none when it does not tell.
func (c *Client) tagsLike(ctx context.Context, ref string) (tags []string) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil
	}
	list, err := c.api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", reference.FamiliarName(named)))})
	if err != nil {
		return nil
	}
	for _, i := range list {
		tags = append(tags, i.RepoTags...)
	}
	return tags
}

// digestsOf picks from name@digest those of the very repository that ref names.
func digestsOf(ref string, all []string) (list []string) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil
	}
	for _, d := range all {
		name, sum, _ := strings.Cut(d, "@")
		if other, err := reference.ParseNormalizedNamed(name); err == nil && other.Name() == named.Name() && sum != "" {
			list = append(list, sum)
		}
	}
	return list
}

// HostPlatform is the engine's own platform, os/arch.
func (c *Client) HostPlatform(ctx context.Context) (string, error) {
	v, err := c.api.ServerVersion(ctx)
	if err != nil {
		return "", c.explain(err, "ask the engine for its platform")
	}
	return path.Join(v.Os, v.Arch), nil
}
