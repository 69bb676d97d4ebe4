//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The host loses its power in the middle of a deploy, and comes up again. The live release serves then, whichever the
// deploy made that, and the next deploy works and leaves nothing behind. The engine of the other tests is not touched.
func TestAPowerCutInTheMiddleOfADeployTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	second := startSecondEngine(t)
	second.load(t, helloImage, nginxImage)
	h := newHost(t, ownKey("watch", "300ms"))
	version := map[string]string{}
	deploy := func(t *testing.T, v string) {
		t.Helper()
		r := second.result(t, second.must(t, h, v, "-H", second.host(), "deploy", "-o", "json"))
		version[r.Live] = v
		second.wantAnswer(t, h, v, r.Live)
	}
	deploy(t, "v1")
	deploy(t, "v2")
	for i, step := range []string{"retire", "create", "health", "switch", "watch"} {
		t.Run(step, func(t *testing.T) {
			was := second.status(t, h)
			cut := fmt.Sprint("cut", i)
			p := second.begin(h, cut, "-H", second.host(), "deploy", "-o", "json")
			p.holdAt("step_started", step, func() { second.kill(t, h) })
			out := p.wait()
			t.Logf("exit %d after %v: %s", out.code, out.took.Round(time.Millisecond), out.result().Error)
			if out.code != 1 && out.code != 5 {
				t.Errorf("want exit 1 or 5: %v", out)
			}
			second.start(t)
			want := was.Live
			if step == "watch" { // the swap was confirmed
				want = idle(was)
				version[want] = cut
			}
			second.wantAnswer(t, h, version[want], want)
			if now := second.status(t, h); now.Live != want {
				t.Errorf("want %s live: %+v", want, now)
			}
			deploy(t, fmt.Sprint("next", i))
			second.wantContainers(t, h.container("real1"), h.container("real2"), h.nginx())
		})
	}
	second.must(t, h, "", "-H", second.host(), "down", "--volumes")
	second.wantContainers(t)
}

func idle(s status) string {
	return map[string]string{"real1": "real2", "real2": "real1"}[s.Live]
}

// begin starts bluegreen beside the engine: nsenter becomes it.
func (e *secondEngine) begin(h *host, version string, args ...string) *process {
	h.t.Helper()
	return h.startAs([]string{"VERSION=" + version}, "nsenter", e.enter(append([]string{binary}, args...)...)...)
}

// kill ends everything of the engine at once, as a power cut does: itself, and the processes of the host's containers
// with what watches over them.
func (e *secondEngine) kill(t *testing.T, h *host) {
	t.Helper()
	const containerd = "exec/containerd/containerd.pid"
	pids := []int{e.cmd.Process.Pid, e.pidIn(t, containerd)}
	for _, name := range []string{h.nginx(), h.container("real1"), h.container("real2")} {
		text, err := exec.CommandContext(t.Context(), "docker", "--host", e.host(), "inspect", "--format", "{{.State.Pid}}", name).Output()
		if pid, _ := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 0 {
			pids = append(pids, parent(t, pid), pid)
		}
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("kill process %d: %v", pid, err)
		}
	}
	<-e.ended
	_ = os.Remove(filepath.Join(e.dir, containerd)) // it lies in memory, commonly
}

func (e *secondEngine) pidIn(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(e.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// parent is the process that watches over a container's first one: the second field after the command in
// /proc/PID/stat.
func parent(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	pid, err = strconv.Atoi(fields[1])
	if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err != nil || !strings.HasPrefix(string(comm), "containerd-shim") {
		t.Fatalf("process %d (%s) watches over no container: %v", pid, comm, err)
	}
	return pid
}

// result is the last line of what a command with -o json said.
func (e *secondEngine) result(t *testing.T, stdout string) (r event) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil || r.Event != "result" {
		t.Fatalf("no result: %v\n%s", err, stdout)
	}
	return r
}

func (e *secondEngine) status(t *testing.T, h *host) (s status) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.must(t, h, "", "-H", e.host(), "status", "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantContainers checks that the engine has these containers, running, and no others.
func (e *secondEngine) wantContainers(t *testing.T, names ...string) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "docker", "--host", e.host(), "ps", "--all", "--format", "{{.Names}} {{.State}}").CombinedOutput()
	if err != nil {
		t.Fatalf("list containers: %v\n%s", err, text)
	}
	var want []string
	for _, name := range names {
		want = append(want, name+" running")
	}
	got := strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("containers %q, want %q", got, want)
	}
}
