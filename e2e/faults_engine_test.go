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

// The host loses its power in the middle of a deploy and comes up again, or its engine alone ends. The live release serves
// then, whichever the deploy made that, and the next deploy works and leaves nothing behind. bluegreen ends with its host,
// but for one time, when it runs elsewhere and says that it cannot reach the engine any more. The engine of the other
// tests is not touched.
func TestAPowerCutInTheMiddleOfADeployTheNextDeployCarriesOn(t *testing.T) {
	skipShort(t)
	t.Parallel()
	second := startSecondEngine(t)
	second.load(t, helloImage, nginxImage)
	h := newHost(t, ownKey("watch", "300ms"))
	e := &powerCuts{secondEngine: second, h: h, version: map[string]string{}}
	e.deploy(t, "v1")
	e.deploy(t, "v2")
	for i, c := range []powerCut{
		{step: "retire"}, {step: "create", elsewhere: true}, {step: "health"}, {step: "health", engineAlone: true},
		{step: "switch"}, {step: "watch"},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) { e.meets(t, c, fmt.Sprint("cut", i)) })
	}
	second.must(t, h, "", "-H", second.host(), "down", "--volumes")
	second.wantContainers(t)
}

// powerCut is when it comes, and what goes on in spite of it.
type powerCut struct {
	step                   string
	elsewhere, engineAlone bool
}

// powerCuts is a host on an engine that is switched off and on.
type powerCuts struct {
	*secondEngine
	h       *host
	version map[string]string // in each profile
}

func (e *powerCuts) deploy(t *testing.T, v string) {
	t.Helper()
	r := e.result(t, e.must(t, e.h, v, "-H", e.host(), "deploy", "-o", "json"))
	e.version[r.Live] = v
	e.wantAnswer(t, e.h, v, r.Live)
}

// meets cuts the power in the middle of a deploy.
func (e *powerCuts) meets(t *testing.T, c powerCut, version string) {
	was := e.status(t, e.h)
	p := e.begin(e.h, version, "-H", e.host(), "deploy", "-o", "json")
	p.holdAt("step_started", c.step, func() {
		e.kill(t, e.h, !c.engineAlone)
		if !c.elsewhere {
			p.kill()
		}
	})
	out := p.wait()
	t.Logf("exit %d after %v: %s", out.code, out.took.Round(time.Millisecond), out.result().Error)
	if c.elsewhere && (out.code != 5 || out.result().Outcome != "failed") {
		t.Errorf("want exit 5, failed: %v", out)
	}
	e.start(t)
	live := was.Live
	if c.step == "watch" { // the swap was confirmed
		live = idle(was)
		e.version[live] = version
	}
	e.wantAnswer(t, e.h, e.version[live], live)
	if now := e.status(t, e.h); now.Live != live {
		t.Errorf("want %s live: %+v", live, now)
	}
	e.deploy(t, version+"-next")
	e.wantContainers(t, e.h.container("real1"), e.h.container("real2"), e.h.nginx())
}

func idle(s status) string {
	return map[string]string{"real1": "real2", "real2": "real1"}[s.Live]
}

// begin starts bluegreen beside the engine: nsenter becomes it.
func (e *secondEngine) begin(h *host, version string, args ...string) *process {
	h.t.Helper()
	return h.startAs([]string{"VERSION=" + version}, "nsenter", e.enter(append([]string{binary}, args...)...)...)
}

// kill ends everything of the engine at once, as a power cut does: itself, and (all) the processes of the host's
// containers with what watches over them.
func (e *secondEngine) kill(t *testing.T, h *host, all bool) {
	t.Helper()
	const containerd = "exec/containerd/containerd.pid"
	pids := []int{e.cmd.Process.Pid, e.pidIn(t, containerd)}
	for _, name := range []string{h.nginx(), h.container("real1"), h.container("real2")} {
		if !all {
			break
		}
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
