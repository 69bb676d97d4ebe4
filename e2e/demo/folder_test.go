package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteEnvLeavesAFileOfSomebodyElseAlone(t *testing.T) {
	file := filepath.Join(folder, ".env")
	for _, c := range []struct{ name, image, before, want string }{
		{"nothing there", "own:1", "", "BLUEGREEN_NGINX_IMAGE=own:1\nTAG=v2\n"},
		{"an earlier demo's", "own:1", mark + "\nTAG=v1\n", "TAG=v2\n"},
		{"somebody else's", "own:1", "TAG=mine\n", "TAG=mine\n"},
		{"the compose file's image", composeImage, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("BLUEGREEN_NGINX_IMAGE", c.image)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if c.before != "" {
				if err := os.WriteFile(file, []byte(c.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := writeEnv("v2"); err != nil {
				t.Fatal(err)
			}
			got, _ := os.ReadFile(file) // absent: empty
			if !strings.HasSuffix(string(got), c.want) || c.want == "" && len(got) > 0 {
				t.Errorf("got %q, want it to end in %q", got, c.want)
			}
		})
	}
}
