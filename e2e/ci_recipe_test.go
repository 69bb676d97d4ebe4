package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The CI recipe in examples does what it says, on a good image and on one that does not start.
func TestCIRecipeRehearsesTheSwap(t *testing.T) {
	line := recipeStep(t, "Rehearse the swap")
	h := newHost(t, serviceKey("environment", map[string]any{}), ownKey("health.deadline", "5s"))
	for _, c := range []struct {
		name, image, junit string
		code               int
	}{
		{"good", helloImage, `failures="0"`, 0},
		{"never starts", faultyImage(t, h, "exit-at-boot"), "exited with code 1", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, said := runStep(t, h, line, c.image)
			if code != c.code {
				t.Errorf("exit %d, want %d:\n%s", code, c.code, said)
			}
			for file, want := range map[string]string{"rehearsal.html": "</html>", "rehearsal.xml": c.junit} {
				text, err := os.ReadFile(filepath.Join(h.dir, file))
				if err != nil || !strings.Contains(string(text), want) {
					t.Errorf("%s has no %q: %v\n%.2000s", file, want, err, text)
				}
			}
		})
	}
}

// recipeStep is what a step of the recipe runs.
func recipeStep(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../examples/ci/github-actions.yml")
	if err != nil {
		t.Fatal(err)
	}
	var recipe struct {
		Jobs map[string]struct {
			Steps []struct{ Name, Run string }
		}
	}
	if err := yaml.Unmarshal(text, &recipe); err != nil {
		t.Fatal(err)
	}
	for _, job := range recipe.Jobs {
		for _, step := range job.Steps {
			if step.Name == name {
				return step.Run
			}
		}
	}
	t.Fatalf("the recipe has no step %q", name)
	return ""
}

// runStep runs a step as a runner does: with bash, ending at the first error.
func runStep(t *testing.T, h *host, line, image string) (code int, said string) {
	t.Helper()
	bin := t.TempDir()
	path, err := filepath.Abs(binary)
	if err := errors.Join(err, os.Symlink(path, filepath.Join(bin, "bluegreen"))); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-e", "-c", line)
	cmd.Dir = h.dir
	cmd.Env = append(cleanEnv(), "PATH="+bin+":"+os.Getenv("PATH"), "IMAGE="+image, "BLUEGREEN_NGINX_IMAGE="+nginxImage)
	text, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}
