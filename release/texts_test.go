package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unpackShare puts man pages and completions into a folder.
func unpackShare(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, f := range unpack(t, "bluegreen-"+testVersion+"-share.tar.gz") {
		at := filepath.Join(folder, f.name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, f.content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// commandsOf are the names of all commands that a person sees, as the shell's completion lists them.
func commandsOf(t *testing.T, program string, path ...string) (list []string) {
	t.Helper()
	args := append(append([]string{"__complete"}, path...), "")
	out, err := output(t.Context(), t.TempDir(), append(withoutSettings(), "DOCKER_HOST=unix:///nowhere.sock"), program, args...)
	if err != nil {
		t.Fatal(err)
	}
	list = []string{strings.Join(append([]string{"bluegreen"}, path...), "-")}
	for line := range strings.Lines(string(out)) {
		name, _, described := strings.Cut(line, "\t")
		if described && !strings.HasPrefix(name, "-") && name != "help" {
			list = append(list, commandsOf(t, program, append(slices.Clone(path), name)...)...)
		}
	}
	return list
}

func TestEveryCommandHasAManPage(t *testing.T) {
	commands := commandsOf(t, programHere(t))
	slices.Sort(commands)
	var pages []string
	for _, name := range names(unpack(t, "bluegreen-"+testVersion+"-share.tar.gz")) {
		if page, ok := strings.CutPrefix(name, "share/man/man1/"); ok {
			pages = append(pages, strings.TrimSuffix(page, ".1"))
		}
	}
	slices.Sort(pages)
	if len(commands) < 25 || !slices.Equal(commands, pages) {
		t.Errorf("commands %v\nman pages %v", commands, pages)
	}
}

// firstLine is what the title of a page has to be.
var firstLine = regexp.MustCompile(`^\.nh\n\.TH "(BLUEGREEN[A-Z\\-]*)" "1" "([A-Z][a-z]{2} \d{4})" "bluegreen ` + regexp.QuoteMeta(testVersion) + `" "bluegreen"\n`)

func TestManPagesAreDatedByTheCommitAndReadWell(t *testing.T) {
	c, err := readCommit(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(unpackShare(t), "share/man/man1")
	_, noMan := exec.LookPath("man")
	for _, page := range unpack(t, "bluegreen-"+testVersion+"-share.tar.gz") {
		if !strings.HasSuffix(page.name, ".1") {
			continue
		}
		text := string(page.content)
		m := firstLine.FindStringSubmatch(text)
		if m == nil || m[2] != c.date.Format("Jan 2006") || strings.Count(text, ".TH ") != 1 {
			t.Errorf("%s begins\n%.200s", page.name, text)
		}
		if strings.Contains(text, "Auto generated") || !strings.Contains(text, ".SH OPTIONS\n.TP\n") {
			t.Errorf("%s:\n%s", page.name, text)
		}
		if noMan != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "man", "--warnings", "-l", filepath.Base(page.name))
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "MANWIDTH=100", "LC_ALL=C.UTF-8")
		var warnings strings.Builder
		cmd.Stderr = &warnings
		said, err := cmd.Output()
		if err != nil || !strings.Contains(string(said), "SYNOPSIS") || warnings.Len() > 0 {
			t.Errorf("man %s: %v\n%s\n%s", page.name, err, &warnings, said)
		}
	}
	if noMan != nil {
		t.Log("SKIPPED: there is no man here that would show the pages")
	}
}

// TestThePageOfAllSaysExitCodesAndEnvironment once each, and those of the README.
func TestThePageOfAllSaysExitCodesAndEnvironment(t *testing.T) {
	page := string(read(t, unpackShare(t), "share/man/man1/bluegreen.1"))
	for _, section := range []string{".SH NAME", ".SH OPTIONS", ".SH EXIT STATUS", ".SH ENVIRONMENT", ".SH FILES", ".SH EXAMPLE", ".SH SEE ALSO"} {
		if strings.Count(page, section+"\n") != 1 {
			t.Errorf("%q is not there once", section)
		}
	}
	_, table, _ := strings.Cut(string(read(t, root, "README.md")), "| exit code | meaning |")
	table, _, _ = strings.Cut(table, "\n\n")
	codes := regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(table, -1)
	if len(codes) < 7 {
		t.Fatalf("the README's exit codes: %v", codes)
	}
	for _, code := range codes {
		if !strings.Contains(page, ".TP\n\\fB"+code[1]+"\\fP\n") {
			t.Errorf("exit code %s is not there", code[1])
		}
	}
	for _, name := range []string{"BLUEGREEN_OUTPUT", "DOCKER_HOST", "NO_COLOR"} {
		if !strings.Contains(page, `\fB`+name+`\fP`) {
			t.Errorf("%s is not there", name)
		}
	}
}

// TestCompletionsParse by the shells that are here.
func TestCompletionsParse(t *testing.T) {
	folder := unpackShare(t)
	for shell, place := range shells {
		if place.share == "" {
			continue
		}
		file := filepath.Join(folder, "share", place.share)
		if !strings.Contains(string(read(t, file)), "__complete") {
			t.Errorf("%s: asks bluegreen for nothing", place.share)
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("SKIPPED: there is no %s here that would read its completion", shell)
			continue
		}
		if _, err := output(t.Context(), folder, nil, shell, "-n", file); err != nil {
			t.Error(err)
		}
	}
}
