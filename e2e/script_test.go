package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the cases in testdata/script: what a person types, the exit code, and what is said.
//
// Every case has a host of its own. Its compose file is in the case's folder unless the case brings one; the variables
// below name its parts. Besides testscript's own commands there are
//
//	exits CODE COMMAND…   runs a command, which must exit with that code
//	listen PORT           a process (this one) listens on a port of 127.0.0.1 until the case ends
//	[root]                is true when the tests run as root
//	nothing-left          fails when the engine has a container, network or volume of the case
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(env *testscript.Env) error { return setUpCase(t, env) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "listen": listen, "nothing-left": nothingLeft,
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return os.Getuid() == 0, nil
		},
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

func setUpCase(t *testing.T, env *testscript.Env) error {
	h := newHost(t)
	caseImage := "bluegreen-e2e/case:" + h.id
	env.Defer(func() {
		h.remove()
		_, _ = engine.ImageRemove(context.Background(), caseImage, image.RemoveOptions{Force: true}) // most cases make none
	})
	bin := filepath.Join(env.WorkDir, ".bin")
	if err := errors.Join(os.Mkdir(bin, 0o755), os.Symlink(binary, filepath.Join(bin, "bluegreen"))); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"PATH":    bin + string(os.PathListSeparator) + env.Getenv("PATH"),
		"ID":      h.id, // in every name of the case
		"SERVICE": h.service, "NETWORK": h.network, "NGINX": h.nginx(),
		"HTTP": strconv.Itoa(h.httpPort), "STATUS": strconv.Itoa(h.statusPort),
		"PORT1": strconv.Itoa(h.real1Port), "PORT2": strconv.Itoa(h.real2Port),
		"HELLO_IMAGE": helloImage, "NGINX_IMAGE": nginxImage,
		"CASE_IMAGE":  caseImage, // removed with the case
		"DOCKER_HOST": engine.DaemonHost(),
	} {
		env.Setenv(key, value)
	}
	return bringComposeFile(h, env.WorkDir)
}

func bringComposeFile(h *host, dir string) error {
	own := filepath.Join(dir, "compose.yaml")
	if _, err := os.Stat(own); err == nil {
		return nil
	}
	text, err := os.ReadFile(h.file)
	if err != nil {
		return err
	}
	return os.WriteFile(own, text, 0o600)
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		code = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func listen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listen PORT")
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
}

func nothingLeft(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: nothing-left")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	left, err := findAll(ctx, ts.Getenv("ID"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("left on the engine: %s", strings.Join(left.names(), ", "))
	}
}

// Without `make test` the package says that it tested nothing, and why.
func TestWithoutAnEngineThePackageSaysThatItIsSkipped(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(cleanEnv(), "DOCKER_HOST=unix:///nonexistent")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, part := range []string{"SKIPPED", "make test"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("says nothing of %q: %s", part, text)
		}
	}
}
