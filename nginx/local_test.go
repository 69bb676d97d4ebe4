package nginx

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// localPlace runs commands on this machine, in a process group of their own, with its own folder of
// commands first in PATH.
type localPlace struct {
	t         *testing.T
	shell     []string // in place of sh
	bin       string   // stand-ins: nginx, …
	root      string
	processes []Process
}

// stubNginx refuses a tree that has the word "broken" in a site, and notes that it was signalled.
const stubNginx = `#!/bin/sh
conf=
for arg; do [ "$last" = -c ] && conf=$arg; last=$arg; done
folder=${conf%/*}
case "$*" in
*"-s reload"*)
    [ ! -e "$folder/no-signal" ] || { echo "nginx: [error] invalid PID number" >&2; exit 1; }
    echo reloaded >>"$folder/signals" ;;
*-t*)
    for site in "$folder"/sites/*.conf; do
        case $(cat "$site" 2>/dev/null) in *broken*)
            echo "nginx: [emerg] unknown directive \"broken\" in $site:1" >&2; exit 1 ;;
        esac
    done ;;
esac
`

func newLocalPlace(t *testing.T, shell ...string) *localPlace {
	t.Helper()
	p := &localPlace{t: t, shell: shell, bin: t.TempDir(), root: filepath.Join(t.TempDir(), "blue green")}
	p.command("nginx", stubNginx)
	return p
}

// command puts a stand-in for a command first in PATH.
func (p *localPlace) command(name, script string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.bin, name), []byte(script), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *localPlace) Run(ctx context.Context, cmd []string) (Result, error) {
	if cmd[0] == "sh" && len(p.shell) > 0 {
		cmd = append(append([]string{}, p.shell...), cmd[1:]...)
	}
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, cmd[0], cmd[1:]...)
	c.Env = append(os.Environ(), "PATH="+p.bin+":"+os.Getenv("PATH"), "LC_ALL=C")
	c.Stdout, c.Stderr = &stdout, &stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := c.Run()
	r := Result{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status := exit.Sys().(syscall.WaitStatus)
		r.ExitCode = status.ExitStatus()
		if status.Signaled() {
			r.ExitCode = 128 + int(status.Signal())
		}
		return r, nil
	}
	return r, err
}

func (p *localPlace) Top(context.Context) ([]Process, error) { return p.processes, nil }

func (p *localPlace) apply(c Change) error {
	p.t.Helper()
	return apply(p.t.Context(), p, p.root, c)
}

func (p *localPlace) mustApply(c Change) {
	p.t.Helper()
	if err := p.apply(c); err != nil {
		p.t.Fatal(err)
	}
}

// tree is every file below the root by its relative name; folders end in a slash.
func (p *localPlace) tree() map[string]string {
	p.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.root, func(name string, d os.DirEntry, err error) error {
		if err != nil || name == p.root {
			return err
		}
		rel, _ := filepath.Rel(p.root, name)
		if d.IsDir() {
			files[rel+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(name)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return files
}

// leftovers are what only a run under way may have there.
func leftovers(tree map[string]string) []string {
	var names []string
	for name := range tree {
		if strings.Contains(name, ".try-") || strings.Contains(name, ".bg-tmp-") {
			names = append(names, name)
		}
	}
	return names
}
