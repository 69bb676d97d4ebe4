package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/pkg/jsonmessage"
)

// Image is an image the engine has.
type Image struct {
	ID, Ref     string
	Platform    string // os/arch[/variant]
	Healthcheck bool   // the image defines a HEALTHCHECK that is not NONE
	Labels      map[string]string
	Size        int64 // bytes, unpacked
}

// Image finds a local image by reference or id; ErrNotFound when the engine has none.
func (c *Client) Image(ctx context.Context, ref string) (Image, error) {
	found, err := c.api.ImageInspect(ctx, ref)
	if err != nil {
		return Image{}, c.explain(err, "look up image %s", ref)
	}
	i := Image{ID: found.ID, Ref: ref, Platform: path.Join(found.Os, found.Architecture, found.Variant), Size: found.Size}
	if found.Config != nil {
		i.Labels = found.Config.Labels
		i.Healthcheck = checksHealth(found.Config.Healthcheck)
	}
	return i, nil
}

// PullProgress is one line of a pull's progress.
type PullProgress struct {
	Layer, Status  string
	Current, Total int64 // bytes; 0 when the step has no size
}

// Pull fetches ref, reporting progress (may be nil), and returns the image. An empty platform is the engine's own.
// The login comes from the docker configuration (config.json, credential helpers).
func (c *Client) Pull(ctx context.Context, ref, platform string, progress func(PullProgress)) (Image, error) {
	login, err := registryLogin(ref)
	if err != nil {
		return Image{}, fmt.Errorf("pull image %s: %w", ref, err)
	}
	stream, err := c.api.ImagePull(ctx, ref, image.PullOptions{RegistryAuth: login, Platform: platform})
	if err != nil {
		return Image{}, c.explain(err, "pull image %s", ref)
	}
	defer stream.Close()
	if err := readProgress(stream, progress); err != nil {
		return Image{}, c.explain(err, "pull image %s", ref)
	}
	return c.Image(ctx, ref)
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
		progress(p)
	}
}

// dockerHub is the key under which docker login keeps the login for images without a registry in their name.
const dockerHub = "https://index.docker.io/v1/"

// registryLogin finds the login docker has for the image's registry, as the API wants it; "" when there is none.
func registryLogin(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	host := reference.Domain(named)
	if host == "docker.io" {
		host = dockerHub
	}
	file, err := config.Load(config.Dir())
	if err != nil {
		return "", fmt.Errorf("read the docker configuration: %w", err)
	}
	login, err := file.GetAuthConfig(host)
	if err != nil {
		return "", fmt.Errorf("read the login for %s: %w", host, err)
	}
	return registry.EncodeAuthConfig(registry.AuthConfig{
		Username: login.Username, Password: login.Password, Auth: login.Auth,
		ServerAddress: login.ServerAddress, IdentityToken: login.IdentityToken, RegistryToken: login.RegistryToken,
	})
}
