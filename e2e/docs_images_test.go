//go:build linux

package e2e

import (
	"context"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// What pages call their images and releases.
var (
	pageImages   = []string{"hello", "shop", "registry.example.com/shop", "registry.example.com/front", "registry.example.com/orders", "registry.example.com/stock"}
	pageVersions = []string{"v1", "v2", "v41", "v42", "v43", "v44", "latest"}
	pageBeside   = []string{"postgres:17", "redis:8"} // what an app has beside it; here a program that only listens
)

// bringImages gives the engine every image that pages name. The versions differ, as releases do.
func (e *secondEngine) bringImages(t *testing.T) {
	t.Helper()
	e.load(t, helloImage, nginxImage)
	api, err := client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	ctx := t.Context()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	must(api.ImageTag(ctx, nginxImage, "nginx:1.30-alpine"))
	for _, ref := range pageBeside {
		must(api.ImageTag(ctx, helloImage, ref))
	}
	made, err := api.ContainerCreate(ctx, &container.Config{Image: helloImage}, nil, nil, nil, "")
	must(err)
	for _, version := range pageVersions {
		id, err := api.ContainerCommit(ctx, made.ID, container.CommitOptions{Changes: []string{"ENV VERSION=" + version}})
		must(err)
		for _, name := range pageImages {
			must(api.ImageTag(ctx, id.ID, name+":"+version))
		}
	}
	must(api.ContainerRemove(context.WithoutCancel(ctx), made.ID, container.RemoveOptions{}))
}
