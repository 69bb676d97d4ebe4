//go:build linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bluegreen/e2e/pages"
)

// desk is where somebody reads a page and does what it says: a folder, a home, and a machine with an engine of its own,
// so that every port, name and image is the page's own. The images are there under the names that pages use; host names
// lead to the machine itself.
type desk struct {
	t      *testing.T
	page   pages.Page
	engine *secondEngine
	dir    string // of the harness: home, bin, and the page's own folder in it
	env    []string
}

// pageTimeout ends a command that hangs.
const pageTimeout = 2 * time.Minute

// enterScript runs a command on the desk's machine: in its network, with its host names, and with its engine where
// docker looks for one.
const enterScript = `#!/bin/sh
exec nsenter --net=/run/netns/%[1]s unshare --mount --propagation private sh -c '
	mount --bind %[2]s/hosts /etc/hosts && mount --bind %[3]s /var/run/docker.sock && exec "$@"' sh "$@"
`

// typedScript is one command, in the folder and with the environment that the ones before it left.
const typedScript = `if [ -e "$DESK/state" ]; then . "$DESK/state"; fi
trap '{ export -p; printf "cd \"%%s\"\n" "$PWD"; } >"$DESK/state"' EXIT
%s
`

func newDesk(t *testing.T, page pages.Page) *desk {
	t.Helper()
	text := textOf(page)
	var flags []string
	ca := newAuthority(t)
	if strings.Contains(text, "tcp://shop-1") {
		flags = ca.listening()
	}
	d := &desk{t: t, page: page, engine: startSecondEngine(t, flags...), dir: t.TempDir()}
	d.engine.bringImages(t)
	for _, folder := range []string{"bin", "home/.docker/cli-plugins", "page"} {
		d.must(os.MkdirAll(d.file(folder), 0o755))
	}
	path, err := filepath.Abs(binary)
	d.must(errors.Join(err, os.Symlink(path, d.file("bin/bluegreen"))))
	socket := strings.TrimPrefix(d.engine.host(), "unix://")
	d.write("enter", fmt.Sprintf(enterScript, d.engine.namespace, d.dir, socket), 0o755)
	d.write("hosts", "127.0.0.1 localhost shop-1 "+strings.Join(namesIn(text), " ")+"\n", 0o644)
	repository, err := filepath.Abs("..")
	d.must(err)
	d.env = append(slices.DeleteFunc(cleanEnv(), func(kv string) bool {
		return strings.HasPrefix(kv, "DOCKER_") || strings.HasPrefix(kv, "TAG=")
	}), "DESK="+d.dir, "REPOSITORY="+repository, "HOME="+d.file("home"), "PATH="+d.file("bin")+":"+os.Getenv("PATH"),
		// A rehearsal as such is tested elsewhere.
		"BLUEGREEN_SWAPS=2", "BLUEGREEN_DURATION=6s", "BLUEGREEN_RATE=100/s")
	if strings.Contains(text, "docker compose") {
		d.bringCompose()
	}
	if len(flags) > 0 {
		d.must(os.Rename(ca.client(), d.file("home/.docker/shop-1")))
	}
	if strings.Contains(text, "ssh://") || strings.Contains(text, "ssh shop-1") {
		d.bringSSH()
	}
	d.wantOwnEngine()
	return d
}

func textOf(page pages.Page) string {
	var all strings.Builder
	for _, b := range page.Blocks {
		all.WriteString(b.Text)
	}
	return all.String()
}

// namesIn are the host names that a text uses.
func namesIn(text string) []string {
	names := regexp.MustCompile(`\b[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.example\.com\b`).FindAllString(text, -1)
	slices.Sort(names)
	return slices.Compact(names)
}

func (d *desk) file(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) write(name, text string, mode os.FileMode) {
	d.t.Helper()
	d.must(os.MkdirAll(filepath.Dir(d.file(name)), 0o755))
	d.must(os.WriteFile(d.file(name), []byte(text), mode))
}

// wantOwnEngine makes sure that nothing is done to the engine of everybody else.
func (d *desk) wantOwnEngine() {
	d.t.Helper()
	root, code := d.typed("docker info --format '{{.DockerRootDir}}' 2>/dev/null")
	if want := filepath.Join(d.engine.dir, "data"); code != 0 || strings.TrimSpace(root) != want {
		d.t.Fatalf("the page would run on another engine than its own: %s, want %s", root, want)
	}
}

// typed runs a command as somebody at the desk types it.
func (d *desk) typed(command string) (printed string, code int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), pageTimeout)
	defer cancel()
	return d.run(ctx, nil, "sh", "-c", fmt.Sprintf(typedScript, command))
}

// run runs a program on the desk's machine, in the page's folder, with K=V added to its environment.
func (d *desk) run(ctx context.Context, env []string, args ...string) (printed string, code int) {
	d.t.Helper()
	cmd := exec.CommandContext(ctx, d.file("enter"), args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = d.file("page"), append(slices.Clone(d.env), env...), time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) && !errors.Is(err, exec.ErrWaitDelay) {
		d.t.Fatalf("run %q: %v\n%s", args, err, out.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// bringCompose makes `docker compose` work where compose is here as the docker-compose of old.
func (d *desk) bringCompose() {
	d.t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return
	}
	old, err := exec.LookPath("docker-compose")
	if err != nil {
		d.t.Skipf("SKIPPED, NOT RUN: %s calls docker compose (make ensure-compose): %v", d.page.Name, err)
	}
	d.write("home/.docker/cli-plugins/docker-compose", fmt.Sprintf(`#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
	echo '{"SchemaVersion":"0.1.0","Vendor":"test","ShortDescription":"compose"}'
	exit
fi
shift
exec %s "$@"
`, old), 0o755)
}

// bringSSH makes ssh lead to the desk's machine, whatever host and account it is told.
func (d *desk) bringSSH() {
	d.t.Helper()
	s := startSSHD(d.t)
	s.client("good", "user", "known", s.shared()...)
	s.save("authorized", fmt.Sprintf(`command="PATH=%s:$PATH HOME=%s exec %s sh -c \"$SSH_ORIGINAL_COMMAND\"" %s`,
		d.file("bin"), d.file("home"), d.file("enter"), s.read("user.pub")), 0o600)
	d.write("bin/ssh", fmt.Sprintf(`#!/bin/sh
last=
for word; do
	shift
	if [ "$last" = -l ]; then word=root; fi
	last=$word
	case $word in shop-1 | *@shop-1) word=bge2e ;; esac
	set -- "$@" "$word"
done
exec nsenter --net=/proc/%d/ns/net %s/ssh "$@"
`, os.Getpid(), s.file("good")), 0o755)
}
