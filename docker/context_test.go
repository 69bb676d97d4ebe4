package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/client"
)

// withContext makes a docker configuration folder with one context.
func withContext(t *testing.T, name, host string) {
	t.Helper()
	dir := t.TempDir()
	old := config.Dir()
	config.SetDir(dir)
	t.Cleanup(func() { config.SetDir(old) })
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	sum := sha256.Sum256([]byte(name))
	meta := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]))
	if err := os.MkdirAll(meta, 0o755); err != nil {
		t.Fatal(err)
	}
	text := `{"Name":"` + name + `","Metadata":{},"Endpoints":{"docker":{"Host":"` + host + `","SkipTLSVerify":false}}}`
	if err := os.WriteFile(filepath.Join(meta, "meta.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"currentContext":"`+name+`"}`), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheEngineIsFoundInDockersOwnOrder(t *testing.T) {
	for _, c := range []struct {
		name, env string
		o         Options
		want      string
	}{
		{"the current context", "", Options{}, "unix:///from/context.sock"},
		{"DOCKER_HOST before it", "unix:///from/env.sock", Options{}, "unix:///from/env.sock"},
		{"a named context before DOCKER_HOST", "unix:///from/env.sock", Options{Context: "shop"}, "unix:///from/context.sock"},
		{"--host before all", "unix:///from/env.sock", Options{Host: "unix:///from/flag.sock"}, "unix:///from/flag.sock"},
		{"the default context is none", "", Options{Context: "default"}, client.DefaultDockerHost},
	} {
		t.Run(c.name, func(t *testing.T) {
			withContext(t, "shop", "unix:///from/context.sock")
			t.Setenv("DOCKER_HOST", c.env)
			at, _, err := connection(c.o)
			if err != nil || at.Host != c.want {
				t.Fatalf("%q, %v; want %q", at.Host, err, c.want)
			}
		})
	}
}

func TestAContextThatDoesNotExistIsNamed(t *testing.T) {
	withContext(t, "shop", "unix:///from/context.sock")
	_, err := New(t.Context(), Options{Context: "nosuch"})
	if err == nil || !strings.Contains(err.Error(), `docker context "nosuch" does not exist`) {
		t.Fatalf("%v does not name the context", err)
	}
	if _, err := New(t.Context(), Options{Context: "shop", Host: "unix:///x"}); err == nil || !strings.Contains(err.Error(), "choose one") {
		t.Fatalf("%v does not refuse host and context together", err)
	}
}
