//go:build linux

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"gopkg.in/yaml.v3"

	"bluegreen/e2e/pages"
)

// follow does what a block says.
func (d *desk) follow(b pages.Block) {
	d.t.Helper()
	if b.File != "" {
		d.write(filepath.Join("page", b.File), b.Text, 0o644)
	}
	switch {
	case b.Language == "yaml":
		d.load(b)
	case b.NotRun != "":
		d.t.Logf("NOT RUN: %s: %s", d.at(b), b.NotRun)
	case b.Language == "nginx" && b.File == "":
		d.tryNginx(b)
	case b.Language == "sh" && b.File != "":
		d.wantShell(b)
	case slices.Contains([]string{"console", "sh", pages.Setup}, b.Language) && b.File == "":
		d.do(b)
	}
}

// do types a block's commands, and looks at what they print and how they end.
func (d *desk) do(b pages.Block) {
	d.t.Helper()
	commands, err := b.Commands()
	d.must(err)
	var all strings.Builder
	for i, c := range commands {
		script, want := c.Text, 0
		if b.Language != "console" {
			script = "set -eu\n" + script
		}
		if i == len(commands)-1 {
			want = b.Exit
		}
		printed, code := d.typed(script)
		all.WriteString(printed)
		if code != want {
			d.t.Fatalf("%s: exit %d, want %d, of\n%s\n%s", d.at(b), code, want, c.Text, printed)
		}
		if missing := c.Missing(printed); missing != "" && b.Differs == "" {
			d.t.Errorf("%s: %s\nprints no such line (after the ones before it):\n  %s\nbut\n%s", d.at(b), c.Text, missing, printed)
		}
	}
	for _, text := range b.Prints {
		if !strings.Contains(all.String(), text) {
			d.t.Errorf("%s: nothing prints %q:\n%s", d.at(b), text, all.String())
		}
	}
}

// wantShell checks that a script that is only written can be read by a shell.
func (d *desk) wantShell(b pages.Block) {
	d.t.Helper()
	if printed, code := d.typed("sh -n '" + d.file(filepath.Join("page", b.File)) + "'"); code != 0 {
		d.t.Errorf("%s: %s", d.at(b), printed)
	}
}

// load lets bluegreen read a compose file, and say what it would do.
func (d *desk) load(b pages.Block) {
	d.t.Helper()
	var top map[string]any
	if err := yaml.Unmarshal([]byte(b.Text), &top); err != nil {
		d.t.Fatalf("%s: %v", d.at(b), err)
	}
	if !strings.Contains(b.Text, "x-bluegreen") {
		return
	}
	file, text := b.File, b.Text
	if file == "" {
		file = fmt.Sprintf("line-%d.yaml", b.Line)
		if top["services"] == nil {
			text += "services: {web: {image: 'shop:v42', x-bluegreen: {}}}\n"
		}
		d.write(filepath.Join("page", file), text, 0o644)
	}
	services, _ := top["services"].(map[string]any)
	for name, service := range services {
		if s, _ := service.(map[string]any); s == nil || !hasKey(s, "x-bluegreen") {
			continue
		}
		printed, code := d.typed(fmt.Sprintf("cd \"$DESK/page\" && TAG=${TAG:-v42} bluegreen deploy %s --dry-run -f %s", name, file))
		if code != b.Exit {
			d.t.Errorf("%s: exit %d, want %d, of a dry run of %s:\n%s", d.at(b), code, b.Exit, name, printed)
		}
	}
}

func hasKey(m map[string]any, key string) bool { _, found := m[key]; return found }

// tryNginx lets nginx test a configuration: a whole one, or what stands in a server.
func (d *desk) tryNginx(b pages.Block) {
	d.t.Helper()
	text := "events {}\n" + b.Text
	if !strings.Contains(b.Text, "http {") {
		text = "events {}\nhttp {\nserver {\nlisten 80;\n" + b.Text + "}\n}\n"
	}
	d.write("nginx/nginx.conf", text, 0o644)
	printed, code := d.typed("docker run --rm -v \"$DESK/nginx:/try:ro\" --entrypoint nginx nginx:1.30-alpine -t -c /try/nginx.conf")
	if code != b.Exit {
		d.t.Errorf("%s: nginx -t ends with %d, want %d:\n%s", d.at(b), code, b.Exit, printed)
	}
}

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
