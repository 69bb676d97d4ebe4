package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var heading = regexp.MustCompile("(?m)^### `(.+)`$")

// Every message that docs/troubleshooting.md explains is one that the program has.
func TestEveryMessageOfTroubleshootingIsInTheProgram(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	program := sources(t)
	headings := heading.FindAllStringSubmatch(string(page), -1)
	if len(headings) < 30 {
		t.Fatalf("only %d messages are found in the page", len(headings))
	}
	for _, h := range headings {
		if part := notIn(h[1], program); part != "" {
			t.Errorf("%s: no message has %q", h[1], part)
		}
	}
	if notIn("locked up by …", program) == "" {
		t.Error("a message that there is not is taken")
	}
}

// notIn is the first part of a message, between what varies, that no string of the program has.
func notIn(message, program string) string {
	for _, part := range strings.Split(message, "…") {
		if part = strings.Trim(part, " ,;:()"); part != "" && !strings.Contains(program, part) {
			return part
		}
	}
	return ""
}

// sources are all of the program's own sources.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range []string{"cmd", "config", "docker", "health", "nginx", "swap"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".sh" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
