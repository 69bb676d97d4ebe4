package nginx

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// words mean something to a shell, to its commands or to a terminal, alone or together.
var words = []string{
	"$(touch ../no)", "`touch ../no`", "$HOME", "${root}", "$1", "$@", "-n", "-e", "-rf", "--", "--help", "-", "*", "?", "[a-z]*", "{a,b}", "~", "!", "!!", "(", ")", "=", "!=",
	"'", "\"", "'; touch ../no; '", "\"; touch ../no; \"", "\\", "\\n", "\\c", "\\0", "\\101", "%", "%s", "%d%n", "%%", ";", "&", "|", "<", ">", "#", " ", "\t", "a b", "  a  ",
	"\x01", "\x1b[31m", "\x7f", "\x80", "\x81\x82\x83\x84\x85\x86\x87\x88", "\xff\xfe", "größe", "\u2028", "\r", "yes", "no", "write", "remove", "first", "line", "0", "+1", "EOF",
}

// outside makes files beside the root, above and below its name, and returns what makes sure that they are untouched.
func (p *localPlace) outside() (check func()) {
	p.t.Helper()
	parent := filepath.Dir(p.root)
	for _, name := range []string{"neighbour", "blue", "green", ".try-other"} {
		if err := os.WriteFile(filepath.Join(parent, name), []byte("mine\n"), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	before := p.around()
	return func() {
		p.t.Helper()
		if now := p.around(); !maps.Equal(now, before) {
			p.t.Errorf("outside the root there is %q, not %q", now, before)
		}
	}
}

// around is every file beside the root, and in the folder in which the commands run.
func (p *localPlace) around() map[string]string {
	p.t.Helper()
	files := map[string]string{}
	for _, dir := range []string{filepath.Dir(p.root), "."} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name == p.root, dir == "." && name != "." && d.IsDir():
				return fs.SkipDir
			case !d.IsDir():
				text, err := os.ReadFile(name)
				files[name] = string(text)
				return err
			}
			return nil
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return files
}

// unsynced is a place whose disk is trusted, for tests of many changes.
func unsynced(t *testing.T, shell ...string) *localPlace {
	p := newLocalPlace(t, shell...)
	p.command("sync", "#!/bin/sh\n")
	return p
}

// TestApplyCarriesAnyTextUnchanged: as a file of every kind, as a line, and over what was there before.
func TestApplyCarriesAnyTextUnchanged(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := unsynced(t, shell...)
		check := p.outside()
		want := map[string]string{"sites/": ""}
		texts := append([]string{strings.Join(words, ""), strings.Join(words, "\n"), "\n", "\n\n", "a\n\n", "\na"}, words...)
		for i, text := range texts {
			line := strings.ReplaceAll(text, "\n", " ")
			p.mustApply(Change{
				Run: "run", Test: i%2 == 0, First: []File{{Path: "first", Text: text}},
				Files: []File{{Path: "write", Text: "x" + text}, {Path: "sites/a.conf", Text: text + "x"}}, Lines: []Line{{Path: "line", Text: line}},
			})
			want["first"], want["write"], want["sites/a.conf"], want["line"] = text, "x"+text, text+"x", want["line"]+line+"\n"
			if got := p.tree(); !maps.Equal(got, want) {
				t.Fatalf("%q: got %q", text, got)
			}
		}
		check()
	})
}

// TestApplyWritesOverZeroBytes: a shell does not see them.
func TestApplyWritesOverZeroBytes(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := unsynced(t, shell...)
		c := Change{Run: "run", Files: []File{{Path: "a", Text: "größe\n"}}}
		p.mustApply(c)
		if err := os.WriteFile(filepath.Join(p.root, "a"), []byte("grö\x00ße\n\x00"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.mustApply(c)
		if got := p.tree()["a"]; got != c.Files[0].Text {
			t.Errorf("got %q", got)
		}
	})
}

// TestApplyTakesAnyNameForAName: no path is an option, a pattern or a command, and none leads out of the root.
func TestApplyTakesAnyNameForAName(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := unsynced(t, shell...)
		check := p.outside()
		names := append([]string{"a\nb", "a\n", "...", ".hidden", "a/b\nc", "sites/*.conf ", "-rf", "sites/-n"}, words...)
		want := map[string]string{"keep": "keep", "sites/keep": "keep"}
		p.mustApply(Change{Run: "run", Files: []File{{Path: "keep", Text: "keep"}, {Path: "sites/keep", Text: "keep"}}})
		for _, name := range names {
			if name == "sites/*.conf " || !fs.ValidPath(name) {
				continue // the stand-in for nginx reads it; Apply refuses the other
			}
			p.mustApply(Change{Run: "run", Files: []File{{Path: name, Text: "new"}}, First: []File{{Path: "sites/" + filepath.Base(name), Text: "new"}}})
			tree := p.tree()
			if tree[name] != "new" || tree["sites/"+filepath.Base(name)] != "new" {
				t.Fatalf("%q is not there: %q", name, tree)
			}
			p.mustApply(Change{Run: "run", Test: true, Files: []File{{Path: name, Remove: true}, {Path: "sites/" + filepath.Base(name), Remove: true}}})
			got := p.tree()
			maps.DeleteFunc(got, func(path, _ string) bool { return strings.HasSuffix(path, "/") }) // folders stay
			if !maps.Equal(got, want) {
				t.Fatalf("%q: %q is left", name, got)
			}
		}
		check()
	})
}

// FuzzApply: any text and any name, through the machine's own shell.
func FuzzApply(f *testing.F) {
	for i, w := range words {
		f.Add(w, words[(i+1)%len(words)])
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		c := Change{
			Run: "run", First: []File{{Path: "first", Text: text}}, Files: []File{{Path: name, Text: text}}, Lines: []Line{{Path: "sites/line", Text: text}},
		}
		p := unsynced(t)
		if c.check() != nil || len(name) > 200 || strings.HasPrefix(name, "sites/") || strings.HasPrefix(name, "first") {
			if err := c.check(); err != nil && p.apply(c) == nil {
				t.Errorf("taken, though %v", err)
			}
			return
		}
		check := p.outside()
		p.mustApply(c)
		tree := p.tree()
		if tree[name] != text || tree["first"] != text || tree["sites/line"] != strings.TrimSuffix(text, "\n")+"\n" {
			t.Errorf("%q became %q", text, tree)
		}
		if left := leftovers(tree); len(left) > 0 && !strings.Contains(name, ".try-") && !strings.Contains(name, ".bg-tmp-") {
			t.Errorf("left behind: %q", left)
		}
		check()
	})
}

// What somebody made of our files is replaced, and a link to somewhere else is no way there: neither while a change is
// tested, nor when it is made.
func TestApplyReplacesLinksAndFoldersAndWritesThroughNone(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := unsynced(t, shell...)
		check := p.outside()
		p.mustApply(firstDeploy("run-1"))
		parent := filepath.Dir(p.root)
		for name, target := range map[string]string{
			SitePath("shop"): filepath.Join(parent, "neighbour"), StatePath("shop"): filepath.Join(parent, "blue"), IncludePath("shop"): "nowhere",
			ProxyPath("shop"): "proxy.inc", GRPCPath("shop"): filepath.Join(parent, "green"), ServiceDir("linked"): parent, LocationsPath("shop"): "", HistoryPath("shop"): "", // "": a folder
		} {
			p.makeInstead(name, target)
		}
		change := Change{
			Run: "run-2", Test: true, First: []File{{Path: StatePath("shop"), Text: "state"}}, Lines: []Line{{Path: HistoryPath("shop"), Text: "line"}},
			Files: []File{
				{Path: SitePath("shop"), Text: "broken"}, {Path: IncludePath("shop"), Text: "include"}, {Path: ProxyPath("shop"), Text: "proxy"}, {Path: LocationsPath("shop"), Text: "paths"}, {Path: GRPCPath("shop"), Text: "mine\n"},
				{Path: ServiceDir("linked") + "/neighbour", Remove: true},
			},
		}
		refused := change
		refused.Files = append([]File{{Path: ServiceDir("linked") + "/blue", Text: "not there"}}, change.Files...)
		if err := p.apply(refused); err == nil {
			t.Fatal("nginx took it")
		}
		check()
		if err := os.Remove(filepath.Join(p.root, ServiceDir("linked"))); err != nil {
			t.Fatal(err)
		}
		change.Files[0].Text = "site"
		p.mustApply(change)
		check()
		for name, want := range map[string]string{
			SitePath("shop"): "site", StatePath("shop"): "state", IncludePath("shop"): "include", ProxyPath("shop"): "proxy", LocationsPath("shop"): "paths", HistoryPath("shop"): "line\n", GRPCPath("shop"): "mine\n",
		} {
			at := filepath.Join(p.root, name)
			got, err := os.ReadFile(at)
			if info, e := os.Lstat(at); err != nil || e != nil || !info.Mode().IsRegular() || string(got) != want {
				t.Errorf("%s is %q, want %q; %v, %v", name, got, want, err, e)
			}
		}
	})
}

// makeInstead makes a link to target, or with "" a folder that has a file, of a file below the root.
func (p *localPlace) makeInstead(name, target string) {
	p.t.Helper()
	at := filepath.Join(p.root, name)
	err := os.RemoveAll(at)
	switch {
	case err != nil:
	case target != "":
		err = os.Symlink(target, at)
	default:
		if err = os.Mkdir(at, 0o700); err == nil {
			err = os.WriteFile(filepath.Join(at, "inside"), nil, 0o600)
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
