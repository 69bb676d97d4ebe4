package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// program is a shell script that answers for its metadata as a plugin of that vendor, and of that version.
func program(t *testing.T, path, vendor, version string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the plugins of this test are shell scripts")
	}
	text := "#!/bin/sh\n[ \"$1\" = docker-cli-plugin-metadata ] && echo '{\"SchemaVersion\":\"0.1.0\",\"Vendor\":\"" + vendor + "\"}' # " + version + "\n"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// What may be at the plugin's path, and what becomes of it.
var pluginPlaces = []struct {
	name              string
	set               func(t *testing.T, path, self string)
	install, uninstal pluginChange // "": it is not ours and stays
}{
	{"nothing", func(*testing.T, string, string) {}, pluginInstalled, pluginAbsent},
	{"a link to this binary", func(t *testing.T, path, self string) { link(t, self, path) }, pluginUnchanged, pluginRemoved},
	{"a copy of another version", func(t *testing.T, path, _ string) { program(t, path, pluginVendor, "old") }, pluginUpdated, pluginRemoved},
	{"a link to another version", func(t *testing.T, path, _ string) {
		link(t, program(t, filepath.Join(t.TempDir(), "elsewhere"), pluginVendor, "old"), path)
	}, pluginUpdated, pluginRemoved},
	{"a link to a bluegreen that is gone", func(t *testing.T, path, _ string) { link(t, "/nowhere/bin/bluegreen", path) }, pluginUpdated, pluginRemoved},
	{"a link to something that is gone", func(t *testing.T, path, _ string) { link(t, "/nowhere/bin/red", path) }, "", ""},
	{"somebody else's plugin", func(t *testing.T, path, _ string) { program(t, path, "somebody", "1") }, "", ""},
	{"a text", func(t *testing.T, path, _ string) {
		program(t, path, pluginVendor, "1")
		if err := os.WriteFile(path, []byte("a text"), 0o644); err != nil {
			t.Fatal(err)
		}
	}, "", ""},
	{"a folder", func(t *testing.T, path, _ string) {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}, "", ""},
}

// content is what a file leads to, or that it is a folder, or not there.
func content(path string) string {
	text, err := os.ReadFile(path)
	to, _ := os.Readlink(path)
	switch {
	case os.IsNotExist(err) && to == "":
		return "nothing"
	case err != nil:
		return "no file " + to
	}
	return string(text)
}

func TestThePluginIsInstalledWhereNothingOfSomebodyElseIs(t *testing.T) {
	for _, copies := range []bool{false, true} {
		for _, c := range pluginPlaces {
			t.Run(c.name, func(t *testing.T) {
				self := program(t, filepath.Join(t.TempDir(), "bluegreen"), pluginVendor, "new")
				p := pluginFile{path: filepath.Join(t.TempDir(), "cli-plugins", "docker-bluegreen"), self: self, copies: copies}
				c.set(t, p.path, self)
				before := content(p.path)
				did, err := p.install()
				if c.install == "" {
					if err == nil || !strings.Contains(err.Error(), "is not bluegreen's") || content(p.path) != before {
						t.Fatalf("%s, %v: now %q", did, err, content(p.path))
					}
					return
				}
				if err != nil || did != c.install || content(p.path) != content(self) {
					t.Fatalf("%s, %v: %q", did, err, content(p.path))
				}
				if again, err := p.install(); err != nil || again != pluginUnchanged {
					t.Errorf("a second time: %s, %v", again, err)
				}
				if to, _ := os.Readlink(p.path); c.install != pluginUnchanged && (to == "") != copies {
					t.Errorf("link to %q", to)
				}
				if list, _ := os.ReadDir(filepath.Dir(p.path)); len(list) != 1 {
					t.Errorf("left beside it: %v", list)
				}
			})
		}
	}
}

func TestThePluginIsRemovedAndNothingOfSomebodyElse(t *testing.T) {
	for _, c := range pluginPlaces {
		t.Run(c.name, func(t *testing.T) {
			self := program(t, filepath.Join(t.TempDir(), "bluegreen"), pluginVendor, "new")
			p := pluginFile{path: filepath.Join(t.TempDir(), "cli-plugins", "docker-bluegreen"), self: self}
			c.set(t, p.path, self)
			before := content(p.path)
			did, err := p.uninstall()
			if c.uninstal == "" {
				if err == nil || content(p.path) != before {
					t.Errorf("%s, %v: now %q", did, err, content(p.path))
				}
				return
			}
			if err != nil || did != c.uninstal || content(p.path) != "nothing" || content(self) == "nothing" {
				t.Errorf("%s, %v: %q", did, err, content(p.path))
			}
		})
	}
}

// TestThePluginIsInstalledInDockersFolder, wherever that is, and both commands say what they did.
func TestThePluginIsInstalledInDockersFolder(t *testing.T) {
	dir := dockerFolder(t)
	for _, c := range []struct{ command, outcome string }{
		{"install", "installed"}, {"install", "unchanged"}, {"uninstall", "removed"}, {"uninstall", "absent"},
	} {
		var out, errs bytes.Buffer
		var got struct{ Plugin, Outcome string }
		code := run(t.Context(), []string{"plugin", c.command, "-o", "json"}, &out, &errs)
		if err := json.Unmarshal(out.Bytes(), &got); code != 0 || err != nil || got.Outcome != c.outcome || filepath.Dir(got.Plugin) != filepath.Join(dir, "cli-plugins") {
			t.Errorf("%s: exit code %d, %v, %s%s", c.command, code, err, out.String(), errs.String())
		}
	}
	other := t.TempDir()
	var out, errs bytes.Buffer
	if code := runPlugin(t.Context(), []string{"--config", other, "bluegreen", "plugin", "install"}, &out, &errs); code != 0 || !strings.HasPrefix(out.String(), "docker bluegreen is installed: "+other) {
		t.Errorf("exit code %d, %s%s", code, out.String(), errs.String())
	}
}
