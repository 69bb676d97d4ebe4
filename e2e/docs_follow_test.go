//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"bluegreen/e2e/pages"
)

// follow does what a block says. The error says what came of it that the page does not say.
func (d *desk) follow(b pages.Block) error {
	d.t.Helper()
	if b.File != "" {
		d.write(filepath.Join("page", b.File), b.Text, 0o644)
	}
	switch {
	case b.Language == "yaml":
		return d.load(b)
	case b.NotRun != "":
		d.t.Logf("NOT RUN: %s: %s", d.at(b), b.NotRun)
	case b.Language == "sh" && b.File != "":
		return d.wantExit(b, fmt.Sprintf("sh -n '%s'", d.file(filepath.Join("page", b.File))))
	case b.Language == "nginx" && b.File == "":
		return d.tryNginx(b)
	case slices.Contains([]string{"console", "sh", pages.Setup}, b.Language) && b.File == "":
		return d.do(b)
	}
	return nil
}

// do types a block's commands, and looks at what they print and how they end.
func (d *desk) do(b pages.Block) error {
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
		if showPages {
			d.t.Logf("%s: %s\n%s", d.at(b), c.Text, printed)
		}
		all.WriteString(printed)
		if code != want {
			return fmt.Errorf("%s: exit %d, want %d, of\n%s\n%s", d.at(b), code, want, c.Text, printed)
		}
		if missing := c.Missing(printed); missing != "" && b.Differs == "" {
			return fmt.Errorf("%s: %s\nprints no such line (after the ones before it):\n  %s\nbut\n%s", d.at(b), c.Text, missing, printed)
		}
	}
	for _, text := range b.Prints {
		if !strings.Contains(all.String(), text) {
			return fmt.Errorf("%s: nothing prints %q:\n%s", d.at(b), text, all.String())
		}
	}
	return nil
}

// showPages logs what every command of a page prints: for whoever writes one.
var showPages = os.Getenv("BLUEGREEN_DOCS_SHOW") == "1"

// wantExit runs a command that is to end as the block says.
func (d *desk) wantExit(b pages.Block, command string) error {
	d.t.Helper()
	if printed, code := d.typed(command); code != b.Exit {
		return fmt.Errorf("%s: exit %d, want %d, of %s\n%s", d.at(b), code, b.Exit, command, printed)
	}
	return nil
}

// load lets bluegreen read a compose file, and say what it would do.
func (d *desk) load(b pages.Block) error {
	d.t.Helper()
	var top map[string]any
	if err := yaml.Unmarshal([]byte(b.Text), &top); err != nil {
		return fmt.Errorf("%s: %w", d.at(b), err)
	}
	if !strings.Contains(b.Text, "x-bluegreen") || top == nil { // nil: a comment
		return nil
	}
	file, text := b.File, b.Text
	if file == "" {
		file = fmt.Sprintf("line-%d.yaml", b.Line)
		if top["services"] == nil {
			text += "services: {web: {image: 'shop:v42', x-bluegreen: {}}}\n"
			top["services"] = map[string]any{"web": map[string]any{"x-bluegreen": nil}}
		}
		d.write(filepath.Join("page", file), text, 0o644)
	}
	services, _ := top["services"].(map[string]any)
	for name, service := range services {
		if s, _ := service.(map[string]any); s == nil || !hasKey(s, "x-bluegreen") {
			continue
		}
		command := fmt.Sprintf("(cd \"$DESK/page\" && TAG=${TAG:-v42} bluegreen deploy %s --dry-run -f %s)", name, file)
		if err := d.wantExit(b, command); err != nil {
			return err
		}
	}
	return nil
}

func hasKey(m map[string]any, key string) bool { _, found := m[key]; return found }

// tryNginx lets nginx test a configuration: a whole one, or what stands in a server.
func (d *desk) tryNginx(b pages.Block) error {
	d.t.Helper()
	text := "events {}\n" + b.Text
	if !strings.Contains(b.Text, "http {") {
		text = "events {}\nhttp {\nserver {\nlisten 80;\n" + b.Text + "}\n}\n"
	}
	d.write("nginx/nginx.conf", text, 0o644)
	return d.wantExit(b, `docker run --rm -v "$DESK/nginx:/try:ro" --entrypoint nginx nginx:1.30-alpine -t -c /try/nginx.conf`)
}
