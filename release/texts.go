package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// texts are what the program itself writes: its man pages, and for each shell a completion.
type texts struct {
	pages       []entry
	completions map[string][]byte // by the shell's name
}

// shells are those that bluegreen completes for: the file's name in a platform's archive, and its place below a prefix's
// share, where packages put it ("": they do not).
var shells = map[string]struct{ file, share string }{
	"bash":       {"bluegreen.bash", "bash-completion/completions/bluegreen"},
	"zsh":        {"_bluegreen", "zsh/site-functions/_bluegreen"},
	"fish":       {"bluegreen.fish", "fish/vendor_completions.d/bluegreen.fish"},
	"powershell": {"bluegreen.ps1", ""},
}

// texts has a program for this machine write them.
func (r *release) texts(ctx context.Context) (texts, error) {
	program, pages := filepath.Join(r.temp, "manpages"), filepath.Join(r.temp, "man1")
	if err := os.Mkdir(pages, 0o755); err != nil {
		return texts{}, err
	}
	if err := r.goBuild(ctx, program, []string{"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH}, "-tags", "manpages"); err != nil {
		return texts{}, fmt.Errorf("build what writes the man pages: %w", err)
	}
	env := append(withoutSettings(), fmt.Sprint("SOURCE_DATE_EPOCH=", r.commit.date.Unix()))
	if _, err := output(ctx, r.temp, env, program, "manpages", pages); err != nil {
		return texts{}, err
	}
	t := texts{completions: map[string][]byte{}}
	for shell := range shells {
		text, err := output(ctx, r.temp, env, program, "completion", shell)
		if err != nil {
			return texts{}, err
		}
		t.completions[shell] = text
	}
	return t, t.read(pages)
}

// withoutSettings empties what would be read as options of bluegreen.
func withoutSettings() (env []string) {
	for _, set := range os.Environ() {
		if name, _, _ := strings.Cut(set, "="); strings.HasPrefix(name, "BLUEGREEN_") {
			env = append(env, name+"=")
		}
	}
	return env
}

func (t *texts) read(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			return err
		}
		t.pages = append(t.pages, entry{name: f.Name(), content: content})
	}
	return nil
}

// beside is what lies beside a platform's binary: man pages, and completions for its shells.
func (t texts) beside(p platform) (entries []entry) {
	for _, page := range t.pages {
		entries = append(entries, entry{name: path.Join("man", page.name), content: page.content})
	}
	for shell, text := range t.completions {
		if (shell == "powershell") == (p.os == "windows") {
			entries = append(entries, entry{name: path.Join("completions", shells[shell].file), content: text})
		}
	}
	return entries
}

// share is all of it where a system has it below /usr or /usr/local.
func (t texts) share() (entries []entry) {
	for _, page := range t.pages {
		entries = append(entries, entry{name: path.Join("share/man/man1", page.name), content: page.content})
	}
	for shell, text := range t.completions {
		if place := shells[shell].share; place != "" {
			entries = append(entries, entry{name: path.Join("share", place), content: text})
		}
	}
	return entries
}
