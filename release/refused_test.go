package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a new one of git, with one commit of one file.
func repository(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "README.md"), []byte("text\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "README.md"},
		{"-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "first", "--date", "2001-02-03T04:05:06Z"},
	} {
		if _, err := output(t.Context(), folder, []string{"GIT_COMMITTER_DATE=2001-02-03T04:05:06Z"}, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// refusal is what making a release of a tree says, which must leave no file.
func refusal(t *testing.T, tree, version string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "dist")
	r := release{root: tree, version: version, out: out, said: io.Discard}
	err := r.make(t.Context())
	if err == nil {
		t.Fatalf("version %q was made", version)
	}
	if _, missing := os.Stat(out); missing == nil && !strings.Contains(err.Error(), "man pages") {
		t.Errorf("version %q: refused, and %s is there", version, out)
	}
	return err.Error()
}

func TestADirtyTreeIsRefusedUnlessTheVersionSaysSo(t *testing.T) {
	for name, soil := range map[string]func(tree string) error{
		"README.md": func(tree string) error {
			return os.WriteFile(filepath.Join(tree, "README.md"), []byte("other\n"), 0o644)
		},
		"new.go": func(tree string) error {
			return os.WriteFile(filepath.Join(tree, "new.go"), []byte("package x\n"), 0o644)
		},
	} {
		tree := repository(t)
		clean := refusal(t, tree, "v1.2.3") // there is nothing to build in it
		if !strings.Contains(clean, "build what writes the man pages") {
			t.Errorf("a clean tree: %s", clean)
		}
		if err := soil(tree); err != nil {
			t.Fatal(err)
		}
		if said := refusal(t, tree, "v1.2.3"); !strings.Contains(said, name) || !strings.Contains(said, "VERSION=v1.2.3-dirty") {
			t.Errorf("%s: %s", name, said)
		}
		if said := refusal(t, tree, "v1.2.3-dirty"); !strings.Contains(said, "build what writes the man pages") {
			t.Errorf("%s, and the version says so: %s", name, said)
		}
	}
}

func TestTheDateIsTheCommits(t *testing.T) {
	c, err := readCommit(t.Context(), repository(t))
	if got := c.date.Format("2006-01-02T15:04:05Z07:00"); err != nil || got != "2001-02-03T04:05:06Z" || len(c.hash) != 40 || len(c.dirty) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAVersionThatIsNoNameIsRefused(t *testing.T) {
	for _, version := range []string{"", "v1/2", "../v1", "v1 2", "-v1", "v1+x", "v1'", strings.Repeat("v", 101)} {
		if said := refusal(t, t.TempDir(), version); !strings.Contains(said, "such as v1.2.3") {
			t.Errorf("%q: %s", version, said)
		}
	}
}

func TestWithoutACommitThereIsNoRelease(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	if said := refusal(t, t.TempDir(), "v1.2.3"); !strings.Contains(said, "a release is made of a commit") {
		t.Error(said)
	}
}

// TestAnEarlierReleaseDoesNotStayBesideTheNext, but what is not of a release does.
func TestAnEarlierReleaseDoesNotStayBesideTheNext(t *testing.T) {
	r := release{out: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(r.out, "bluegreen-v0-unpacked", "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bluegreen-v1-share.tar.gz", "SHA256SUMS", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(r.out, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.clear(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(r.out); err != nil || len(left) != 2 || left[0].Name() != "bluegreen-v0-unpacked" || left[1].Name() != "notes.txt" {
		t.Errorf("%v, %v", left, err)
	}
}
