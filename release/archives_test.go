package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// packed is a file in an archive.
type packed struct {
	name    string
	mode    fs.FileMode
	owner   string
	date    time.Time
	content []byte
}

// unpack reads an archive of the release.
func unpack(t *testing.T, name string) []packed {
	t.Helper()
	content := read(t, dist(t), name)
	if strings.HasSuffix(name, ".zip") {
		return unzip(t, content)
	}
	packedUp, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var files []packed
	for archive := tar.NewReader(packedUp); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, packed{h.Name, h.FileInfo().Mode(), fmt.Sprintf("%d:%d %s:%s", h.Uid, h.Gid, h.Uname, h.Gname), h.ModTime, content})
	}
}

func unzip(t *testing.T, content []byte) (files []packed) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, packed{f.Name, f.Mode(), noOwner, f.Modified, content})
	}
	return files
}

const noOwner = "0:0 :" // numbers, and no names

func archiveName(p platform) string {
	end := ".tar.gz"
	if p.os == "windows" {
		end = ".zip"
	}
	return "bluegreen-" + testVersion + "-" + p.os + "-" + p.arch + end
}

func names(files []packed) (list []string) {
	for _, f := range files {
		list = append(list, f.name)
	}
	return list
}

// link is one of a page to a file beside it.
var link = regexp.MustCompile(`\]\(([^)\s:#]+)(?:#[^)\s]*)?\)`)

// TestEachArchiveHoldsWhatItShould and all of it in one folder.
func TestEachArchiveHoldsWhatItShould(t *testing.T) {
	dist(t)
	for _, p := range platforms {
		t.Run(p.String(), func(t *testing.T) {
			files := unpack(t, archiveName(p))
			folder := "bluegreen-" + testVersion + "-" + p.os + "-" + p.arch + "/"
			wanted := []string{p.program(), "README.md", "docs/tls.md", "docs/rehearsal.schema.json", "examples/ci/gitlab-ci.yml", "man/bluegreen.1", "man/bluegreen-deploy.1", "man/bluegreen-nginx-recreate.1"}
			others := []string{"completions/bluegreen.bash", "completions/_bluegreen", "completions/bluegreen.fish"}
			if p.os == "windows" {
				others = []string{"completions/bluegreen.ps1"}
			}
			for _, name := range append(wanted, others...) {
				if !slices.Contains(names(files), folder+name) {
					t.Errorf("%s is not there", folder+name)
				}
			}
			completions := 0
			for _, f := range files {
				if !strings.HasPrefix(f.name, folder) {
					t.Errorf("%s is not in %s", f.name, folder)
				}
				if strings.HasPrefix(f.name, folder+"completions/") {
					completions++
				}
				if (f.mode == 0o755) != (f.name == folder+p.program() || strings.HasSuffix(f.name, ".sh")) {
					t.Errorf("%s has mode %v", f.name, f.mode)
				}
			}
			if completions != len(others) {
				t.Errorf("%d completions, want %d", completions, len(others))
			}
			links := 0
			for _, f := range files {
				if path.Ext(f.name) != ".md" {
					continue
				}
				for _, to := range link.FindAllStringSubmatch(string(f.content), -1) {
					links++
					if to := path.Join(path.Dir(f.name), to[1]); !slices.ContainsFunc(files, func(f packed) bool { return f.name == to || strings.HasPrefix(f.name, to+"/") }) {
						t.Errorf("%s has a link to %s, which is not there", f.name, to)
					}
				}
			}
			if links < 50 {
				t.Errorf("%d links", links)
			}
		})
	}
}

// TestAPackageFindsPagesAndCompletionsWhereASystemHasThem in an archive without a folder.
func TestAPackageFindsPagesAndCompletionsWhereASystemHasThem(t *testing.T) {
	list := names(unpack(t, "bluegreen-"+testVersion+"-share.tar.gz"))
	for _, name := range []string{"share/man/man1/bluegreen.1", "share/man/man1/bluegreen-deploy.1", "share/bash-completion/completions/bluegreen",
		"share/zsh/site-functions/_bluegreen", "share/fish/vendor_completions.d/bluegreen.fish"} {
		if !slices.Contains(list, name) {
			t.Errorf("%s is not there", name)
		}
	}
}

// TestNothingInAnArchiveTellsWhenOrByWhomItWasMade: the dates are the commit's, the owner is 0, the order is the names'.
func TestNothingInAnArchiveTellsWhenOrByWhomItWasMade(t *testing.T) {
	folder := dist(t)
	c, err := readCommit(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob(filepath.Join(folder, "*[pz]")) // .zip, .tar.gz
	if err != nil || len(archives) != len(platforms)+1 {
		t.Fatalf("%v: %v", archives, err)
	}
	for _, archive := range archives {
		files := unpack(t, filepath.Base(archive))
		if !slices.IsSorted(names(files)) {
			t.Errorf("%s is not sorted: %v", archive, names(files))
		}
		for _, f := range files {
			if !f.date.Equal(c.date) || f.owner != noOwner || f.mode&^0o755 != 0 {
				t.Errorf("%s in %s: %v, owner %q, mode %v; want %v", f.name, archive, f.date, f.owner, f.mode, c.date)
			}
		}
	}
}

func TestTheSumsAreThoseOfAllFiles(t *testing.T) {
	folder := dist(t)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, f := range files {
		if f.Name() != "SHA256SUMS" {
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(read(t, folder, f.Name())), f.Name())
		}
	}
	if got := string(read(t, folder, "SHA256SUMS")); got != want.String() || strings.Count(got, "\n") != 9 {
		t.Errorf("SHA256SUMS:\n%s\nwant\n%s", got, &want)
	}
	if _, err := exec.LookPath("sha256sum"); err == nil {
		if _, err := output(t.Context(), folder, nil, "sha256sum", "-c", "--strict", "SHA256SUMS"); err != nil {
			t.Error(err)
		}
	}
}

// TestTwoRunsGiveTheSameBytes also in another folder, at another hour of the day, and for somebody who is more careful about
// who may read files.
func TestTwoRunsGiveTheSameBytes(t *testing.T) {
	first, second := dist(t), t.TempDir()
	if err := makeIn(copyOfTree(t), second, "TZ=Asia/Tokyo", "LC_ALL=C", "UMASK=077", "GOAMD64=v3", "BLUEGREEN_OUTPUT=json", "BLUEGREEN_TIMEOUT=long"); err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, first, "SHA256SUMS"), read(t, second, "SHA256SUMS"); !bytes.Equal(a, b) {
		t.Errorf("first\n%s\nsecond\n%s", a, b)
	}
}
