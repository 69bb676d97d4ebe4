package nginx

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// siteFiles are one of each kind that a site has.
var siteFiles = []Stored{
	{Name: "00aa.crt", Text: []byte("a certificate\n")},
	{Name: "00bb.key", Text: []byte("hush\n\x00\xff no text at all\n"), Secret: true},
	{Name: "00cc.htpasswd", Text: []byte("ann:hush"), Shared: true},
}

// lay puts files where Store finds them, as the archive API does.
func (p *localPlace) lay(run string, files ...Stored) {
	p.t.Helper()
	for _, f := range files {
		name := filepath.Join(p.root, StoreTemp("shop", run, f.Name))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, f.Text, fs.FileMode(f.Mode()&^0o077))
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// storing is a place that gives files to any group: that of the workers is the engine's test's.
func storing(t *testing.T, shell ...string) *localPlace {
	p := newLocalPlace(t, shell...)
	p.command("chgrp", "#!/bin/sh\n")
	return p
}

func (p *localPlace) store(run string, files ...Stored) error {
	p.t.Helper()
	return store(p.t.Context(), p, p.root, "shop", run, files)
}

// checkStored makes sure that each file is there whole and with its permissions, or, where that is let through, not at all.
func (p *localPlace) checkStored(mayLack bool) {
	p.t.Helper()
	for _, f := range siteFiles {
		name := filepath.Join(p.root, FilePath("shop", f.Name))
		info, err := os.Lstat(name)
		if mayLack && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			p.t.Error(err)
			continue
		}
		if info.Mode() != fs.FileMode(f.Mode()) {
			p.t.Errorf("%s is there as %v, not %o", f.Name, info.Mode(), f.Mode())
		}
		if text, err := os.ReadFile(name); err != nil || string(text) != string(f.Text) {
			p.t.Errorf("%s is there, and not whole: %q, %v", f.Name, text, err)
		}
	}
}

func TestFilesOfASiteAreForThoseWhoNeedThem(t *testing.T) {
	if key, hash, page := siteFiles[1].Mode(), siteFiles[2].Mode(), siteFiles[0].Mode(); key != 0o600 || hash != 0o640 || page != 0o644 {
		t.Errorf("modes %o, %o, %o", key, hash, page)
	}
	shells(t, func(t *testing.T, shell ...string) {
		p := storing(t, shell...)
		for _, run := range []string{"first", "again"} { // one that is there already is no harm
			p.lay(run, siteFiles...)
			if err := p.store(run, siteFiles...); err != nil {
				t.Fatal(err)
			}
			p.checkStored(false)
			if left := leftovers(p.tree()); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		}
	})
}

// TestAFileThatDidNotArriveAsItWasSentIsNotStored, nor is any other one of its run.
func TestAFileThatDidNotArriveAsItWasSentIsNotStored(t *testing.T) {
	for name, arrived := range map[string]*Stored{
		"too short": {Name: "00bb.key", Text: []byte("hush")}, "other bytes": {Name: "00bb.key", Text: []byte("HUSH\n\x00\xff no text at all\n"), Secret: true}, "not at all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := storing(t)
			p.lay("run", siteFiles[0], siteFiles[2])
			if arrived != nil {
				p.lay("run", *arrived)
			}
			err := p.store("run", siteFiles...)
			if _, ok := errors.AsType[*UnchangedError](err); !ok || strings.Contains(strings.ToLower(err.Error()), "hush") {
				t.Errorf("%v", err)
			}
			for name, text := range p.tree() {
				if strings.HasPrefix(name, FilesDir("shop")+"/") && text != "" {
					t.Errorf("%s is there", name)
				}
			}
		})
	}
}

// TestStoringReplacesWhatSomebodyMadeOfAFile: never through a link, nor into a folder of its name.
func TestStoringReplacesWhatSomebodyMadeOfAFile(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for name, spoil := range map[string]func(file string) error{
		"a folder": func(file string) error { return os.MkdirAll(filepath.Join(file, "deep"), 0o755) },
		"a link to a folder": func(file string) error {
			return errors.Join(os.MkdirAll(elsewhere, 0o755), os.MkdirAll(filepath.Dir(file), 0o755), os.Symlink(elsewhere, file))
		},
		"the folder a link": func(file string) error {
			return errors.Join(os.MkdirAll(elsewhere, 0o755), os.MkdirAll(filepath.Dir(filepath.Dir(file)), 0o755), os.Symlink(elsewhere, filepath.Dir(file)))
		},
		"the folder a file": func(file string) error {
			return errors.Join(os.MkdirAll(filepath.Dir(filepath.Dir(file)), 0o755), os.WriteFile(filepath.Dir(file), nil, 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := storing(t)
			if err := spoil(filepath.Join(p.root, FilePath("shop", siteFiles[1].Name))); err != nil {
				t.Fatal(err)
			}
			p.lay("run", siteFiles...)
			if err := p.store("run", siteFiles...); err != nil {
				t.Fatal(err)
			}
			p.checkStored(false)
			if list, err := os.ReadDir(elsewhere); err == nil && len(list) > 0 {
				t.Errorf("written through the link: %v", list)
			}
		})
	}
}

// TestAKillWhileFilesAreStoredLeavesNoneInPart: what is there is whole and for those who need it, what lies beside is for nobody
// else, and the next run brings the rest and clears up.
func TestAKillWhileFilesAreStoredLeavesNoneInPart(t *testing.T) {
	commands := []string{"mkdir", "wc", "sha256sum", "id", "chmod", "sync", "mv", "nginx"}
	for n := 0; ; n++ {
		if n > 100 {
			t.Fatal("the script never came to its end")
		}
		p := storing(t)
		p.lay("killed", siteFiles...)
		mortal := storing(t)
		mortal.root = p.root
		mortal.countDown(n, commands...)
		err := mortal.store("killed", siteFiles...)
		p.checkStored(true)
		for _, name := range leftovers(p.tree()) {
			if info, err := os.Stat(filepath.Join(p.root, name)); err != nil || strings.HasSuffix(name, ".key.bg-tmp-killed") && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("killed at %d: %s lies there as %v, %v", n, name, info.Mode(), err)
			}
		}
		p.lay("next", siteFiles...)
		if err := p.store("next", siteFiles...); err != nil {
			t.Errorf("killed at %d: the next run: %v", n, err)
		}
		p.checkStored(false)
		p.mustApply(firstDeploy("next"))
		if left := leftovers(p.tree()); len(left) > 0 {
			t.Errorf("killed at %d: left behind: %q", n, left)
		}
		if err == nil {
			t.Logf("killed before each of %d commands", n)
			return
		}
	}
}

// recorder keeps the last command.
type recorder struct {
	Place
	seen []string
}

func (r *recorder) Run(_ context.Context, cmd []string) (Result, error) {
	r.seen = cmd
	return Result{}, nil
}

// TestNoArgumentHasTheContentOfAFile: arguments of processes can be seen by all of a machine.
func TestNoArgumentHasTheContentOfAFile(t *testing.T) {
	p := &recorder{}
	if err := Store(t.Context(), p, "shop", "run", siteFiles); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(p.seen, "\n"); strings.Contains(text, "hush") || !strings.Contains(text, "00bb.key") || !strings.Contains(text, Root+"/"+FilesDir("shop")) {
		t.Errorf("%q", p.seen)
	}
	if err := Store(t.Context(), p, "shop", "run; rm", siteFiles); err == nil {
		t.Error("a run of any name is taken")
	}
}
