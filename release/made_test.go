package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What the tests make has this version: it is allowed for any tree, and an image of it is nobody else's.
const testVersion = "v0.0.0-test-dirty"

const root = ".."

// made is the folder of a release that `make release` made of this tree, once for all tests.
var made struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if made.folder != "" {
		_ = os.RemoveAll(made.folder)
	}
	os.Exit(code)
}

func makeIn(tree, folder string, env ...string) error {
	cmd := exec.Command("sh", "-c", `umask "${UMASK:-022}" && exec make --no-print-directory release VERSION="$0" DIST="$1"`, testVersion, folder)
	cmd.Dir, cmd.Env = tree, append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make release: %w\n%s", err, text)
	}
	return nil
}

// dist is the folder of the release.
func dist(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: a whole release takes a while; run the tests without -short")
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED: a release is made of a commit, and this is no clone of git")
	}
	made.once.Do(func() {
		if made.folder, made.err = os.MkdirTemp("", "bluegreen-release-test-"); made.err == nil {
			made.err = makeIn(root, made.folder)
		}
	})
	if made.err != nil {
		t.Fatal(made.err)
	}
	return made.folder
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// copyOfTree is this tree in another folder, with what is not committed yet.
func copyOfTree(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "elsewhere")
	git := func(args ...string) []string {
		out, err := output(t.Context(), root, nil, "git", args...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	}
	git("clone", "-q", ".", folder)
	for _, name := range git("ls-files", "-z", "-d") {
		_ = os.Remove(filepath.Join(folder, name))
	}
	for _, name := range git("ls-files", "-z", "-c", "-o", "--exclude-standard") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		at := filepath.Join(folder, name)
		if there, missing := os.ReadFile(at); err == nil && missing == nil && bytes.Equal(there, content) {
			continue
		}
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
