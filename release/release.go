package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// release is one release that is made.
type release struct {
	root    string // of the repository
	version string
	out     string // folder of the files
	said    io.Writer

	commit commit
	temp   string
}

// versions are what can be a file's name and an image's tag.
var versions = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// make makes all files of the release. The sums come last: a folder that has them is whole.
func (r *release) make(ctx context.Context) (err error) {
	if !versions.MatchString(r.version) {
		return fmt.Errorf("version %q: must be letters, digits, dots, hyphens and underscores, such as v1.2.3", r.version)
	}
	if r.commit, err = readCommit(ctx, r.root); err != nil {
		return err
	}
	if err := r.commit.checkClean(r.version); err != nil {
		return err
	}
	if r.temp, err = os.MkdirTemp("", "bluegreen-release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.temp)
	if err := r.clear(); err != nil {
		return fmt.Errorf("make room in %s: %w", r.out, err)
	}
	if err := r.files(ctx); err != nil {
		return err
	}
	return writeSums(r.out, r.said)
}

// files makes everything but the sums.
func (r *release) files(ctx context.Context) error {
	documents, err := r.documents(ctx)
	if err != nil {
		return err
	}
	spoken, err := r.texts(ctx)
	if err != nil {
		return err
	}
	if err := r.write(r.name("share.tar.gz"), tarGz, spoken.share(), ""); err != nil {
		return err
	}
	for _, p := range platforms {
		binary, err := r.build(ctx, p)
		if err != nil {
			return err
		}
		if err := r.archive(p, binary, append(spoken.beside(p), documents...)); err != nil {
			return err
		}
		if p.os != "linux" {
			continue
		}
		if err := r.image(p, binary); err != nil {
			return fmt.Errorf("image for %s: %w", p, err)
		}
	}
	return nil
}

// name is a file's name in the release.
func (r *release) name(end string) string { return "bluegreen-" + r.version + "-" + end }

// clear makes the folder, and takes away what an earlier release left in it.
func (r *release) clear() error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(r.out, "bluegreen-*"))
	errs := []error{err}
	for _, file := range append(old, filepath.Join(r.out, sumsName)) {
		if there, err := os.Lstat(file); err == nil && there.IsDir() {
			continue // an archive that somebody unpacked
		}
		if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// documents are the README, what lies in docs, and the examples that these lead to, as git has them.
func (r *release) documents(ctx context.Context) ([]entry, error) {
	list, err := output(ctx, r.root, nil, "git", "ls-files", "-z", "--stage", "README.md", "docs", "examples", ":!*_test.go")
	if err != nil {
		return nil, err
	}
	var entries []entry
	for line := range strings.SplitSeq(strings.Trim(string(list), "\x00"), "\x00") {
		kind, name, _ := strings.Cut(line, "\t")
		content, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, fmt.Errorf("read document: %w", err)
		}
		entries = append(entries, entry{name: name, content: content, program: strings.HasPrefix(kind, "100755")})
	}
	return entries, nil
}
