package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// importProgram imports a program and takes the image away at the end.
func importProgram(t *testing.T, c *Client, program io.Reader, size int64, o ImportOptions) (Image, error) {
	t.Helper()
	ref := name("program") + ":latest"
	o.Labels = maps.Clone(o.Labels)
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	maps.Copy(o.Labels, testLabels)
	t.Cleanup(func() {
		if err := c.RemoveImage(context.Background(), ref); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	made, err := c.ImportProgram(t.Context(), ref, program, size, o)
	if err == nil && made.Ref != ref {
		t.Errorf("image %+v, want ref %s", made, ref)
	}
	if _, missing := c.Image(t.Context(), ref); err != nil && !errors.Is(missing, ErrNotFound) {
		t.Errorf("%v, and yet there is an image: %v", err, missing)
	}
	return made, err
}

// TestTheBinaryIsItsOwnExample: an image made of bluegreen alone runs its example app.
func TestTheBinaryIsItsOwnExample(t *testing.T) {
	c := engine(t)
	path := filepath.Join(t.TempDir(), "bluegreen")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "bluegreen/cmd/bluegreen")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	made, err := importProgram(t, c, file, info.Size(), ImportOptions{
		Env: map[string]string{"VERSION": "v7"}, Entrypoint: []string{ProgramPath, "example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	s.Image, s.Env = made, map[string]string{"PROFILE": "real2", "PORT": fmt.Sprint(s.ContainerPort)}
	id := create(t, c, s)
	start(t, c, id)
	url := fmt.Sprintf("http://127.0.0.1:%d", s.HostPort)
	if got := answer(t, url+"/profile"); got != "real2" {
		t.Errorf("profile is %q", got)
	}
	if got := answer(t, url+"/version"); !strings.Contains(got, `"version":"v7"`) {
		t.Errorf("version is %s", got)
	}
	if err := c.RemoveImage(t.Context(), made.Ref); err == nil {
		t.Error("an image in use was removed")
	}
	if err := c.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := inspect(t, c, id); got.ExitCode != 0 {
		t.Errorf("asked to stop, it exits %d", got.ExitCode)
	}
	if err := c.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// answer asks until something answers.
func answer(t *testing.T, url string) string {
	t.Helper()
	for range 500 {
		if resp, err := http.Get(url); err == nil {
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return string(body)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", url)
	return ""
}

// TestImportedTextsStandForThemselves: whatever is in a label or a variable, the engine has it as it was.
func TestImportedTextsStandForThemselves(t *testing.T) {
	c := engine(t)
	texts := []string{
		"", " ", "a b", ` lead and trail `, `"`, `\`, `\\`, `a\`, `a"b`, `'`, `a'b c`, "$HOME", "${PATH:-x}", `\$`, "#", "a # b",
		"ENTRYPOINT [\"/x\"]", "[1]", "=", "a=b c=d", "größe\u2028x", "<<EOF", "%s", "`id`", "\u00a0",
	}
	want := ImportOptions{Labels: map[string]string{}, Env: map[string]string{}, Entrypoint: []string{ProgramPath, `a "b"`, `\`, "<&>"}}
	for i, text := range texts {
		want.Env[fmt.Sprint("V_", i)], want.Labels[fmt.Sprintf(`label %d "$x" \`, i)] = text, text
	}
	program := []byte("#!/bin/none\n")
	made, err := importProgram(t, c, bytes.NewReader(program), int64(len(program)), want)
	if err != nil {
		t.Fatal(err)
	}
	found, err := c.api.ImageInspect(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range want.Labels {
		if got, ok := found.Config.Labels[name]; !ok || got != value {
			t.Errorf("label %q: got %q, want %q", name, got, value)
		}
	}
	for name, value := range want.Env {
		if !slices.Contains(found.Config.Env, name+"="+value) {
			t.Errorf("%s: no %q in %q", name, value, found.Config.Env)
		}
	}
	if got := []string(found.Config.Entrypoint); !slices.Equal(got, want.Entrypoint) || len(found.Config.Cmd) > 0 {
		t.Errorf("entry point %q", got)
	}
	if len(found.Config.Labels) != len(want.Labels)+len(testLabels) {
		t.Errorf("labels %q", found.Config.Labels)
	}
}

func TestImportRefusesWhatCannotBe(t *testing.T) {
	c := engine(t)
	for says, x := range map[string]struct {
		program string
		size    int64
		o       ImportOptions
	}{
		"has 3 bytes, not 4":       {"abc", 4, ImportOptions{}},
		"has more than 2 bytes":    {"abc", 2, ImportOptions{}},
		"variable A: control":      {"abc", 3, ImportOptions{Env: map[string]string{"A": "b\nUSER x"}}},
		"not a variable's name":    {"abc", 3, ImportOptions{Env: map[string]string{"A B": "b"}}},
		"label a: control":         {"abc", 3, ImportOptions{Labels: map[string]string{"a": "b\r\nUSER x"}}},
		`label "a\nUSER": control`: {"abc", 3, ImportOptions{Labels: map[string]string{"a\nUSER": "b"}}},
	} {
		_, err := importProgram(t, c, strings.NewReader(x.program), x.size, x.o)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", says, err)
		}
	}
	if err := c.RemoveImage(t.Context(), name("absent")+":latest"); err != nil {
		t.Errorf("an absent image: %v", err)
	}
}
