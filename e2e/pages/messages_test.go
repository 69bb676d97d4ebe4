package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	heading = regexp.MustCompile("(?m)^### .+$")
	quoted  = regexp.MustCompile("`([^`]+)`")
)

// Every message that docs/troubleshooting.md explains is one that the program has.
func TestEveryMessageOfTroubleshootingIsInTheProgram(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	program := sources(t)
	messages := quoted.FindAllStringSubmatch(strings.Join(heading.FindAllString(string(page), -1), "\n"), -1)
	if len(messages) < 80 {
		t.Errorf("only %d messages are found in the page", len(messages))
	}
	for _, m := range messages {
		if part := notIn(m[1], program); part != "" {
			t.Errorf("%s: no message has %q", m[1], part)
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
	for _, folder := range []string{"cmd", "config", "docker", "health", "hook", "nginx", "notify", "swap"} {
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
