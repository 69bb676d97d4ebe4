package e2e

import (
	"bytes"
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

// hookedImage is the example app's image with a shell.
func hookedImage(t *testing.T) string {
	t.Helper()
	ref, dir := "bge2e-hooked:"+randomHex(4), t.TempDir()
	text, err := os.ReadFile(filepath.Join("..", "bin", "image", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hello"), text, 0o755); err != nil {
		t.Fatal(err)
	}
	file := "FROM " + nginxImage + "\nCOPY hello /hello\nENTRYPOINT [\"/hello\"]\nCMD []\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", ref).Run() })
	if out, err := exec.CommandContext(t.Context(), "docker", "build", "-q", "-t", ref, dir).CombinedOutput(); err != nil {
		t.Fatalf("build an image: %v: %s", err, out)
	}
	return ref
}

// told is what a hook wrote into a file.
func told(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const hookSecret = "s3cr3t-of-a-hook"

// TestHooksRunInOrderHereAndInAContainerOfTheNewImage, in a deploy under load that loses nothing.
func TestHooksRunInOrderHereAndInAContainerOfTheNewImage(t *testing.T) {
	t.Parallel()
	image := hookedImage(t)
	note := func(what string) string { return "echo " + what + " >>notes" }
	h, l := newPair(t, serviceKey("image", image), func(h *host) {
		h.app["environment"].(map[string]any)["TOKEN"] = hookSecret
	})
	h.change(ownKey("hooks", map[string]any{
		"pre_deploy": note("pre_deploy $$BLUEGREEN_NEW_RELEASE $$BLUEGREEN_OLD_RELEASE"),
		"pre_switch": []any{
			map[string]any{"run": "echo in a container as $$PROFILE; test -n \"$$TOKEN\" && test -e /hello", "in": "container"},
			map[string]any{"run": ": " + hookSecret + "\ncat /proc/1/cmdline; cat; read line || echo nothing to read", "in": "container"},
			map[string]any{"run": []any{"sh", "-c", "curl -fsS $$BLUEGREEN_NEW_URL/profile >>notes; echo >>notes; echo ${SECRET:-} >/dev/null"}},
			"test " + hookSecret + " = " + hookSecret,
		},
		"post_switch": note("post_switch $$BLUEGREEN_NEW_PROFILE"),
		"on_failure":  note("on_failure"),
	}))
	out := l.under("", []string{"VERSION=v3"}, "deploy", "-v")
	l.deployed("v3", out)
	if got, want := told(t, filepath.Join(h.dir, "notes")), "pre_deploy 3 2\nreal1\npost_switch real1\n"; got != want {
		t.Errorf("the hooks wrote %q, want %q", got, want)
	}
	for _, line := range []string{"in a container as real1", "nothing to read"} {
		if !slices.ContainsFunc(out.events, func(e event) bool { return strings.HasSuffix(e.Text, line) && e.Step == "pre_switch" }) {
			t.Errorf("a hook's output, %q, was not shown: %v", line, out)
		}
	}
	history := h.must("history", "-o", "json").stdout
	if all := out.stdout + out.stderr + history + h.inspectAll(t); strings.Contains(strings.ReplaceAll(all, `"TOKEN=`+hookSecret+`"`, ""), hookSecret) {
		t.Error("a hook's secret is in the output, the history or a container's labels")
	}
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
	if out := h.run("deploy", "--no-hooks", "--force"); out.code != 0 || strings.Contains(out.stderr, "switch hook") {
		t.Errorf("without hooks: %v", out)
	}
	l.end()
}

// inspectAll is all that the engine says of the service's containers.
func (h *host) inspectAll(t *testing.T) string {
	t.Helper()
	var all bytes.Buffer
	for _, profile := range []string{"real1", "real2"} {
		text, err := exec.CommandContext(t.Context(), "docker", "inspect", h.container(profile)).Output()
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestAHookThatFailsOrHangsLeavesTheLiveProfileServing: here and in a container, before and after the release was started.
func TestAHookThatFailsOrHangsLeavesTheLiveProfileServing(t *testing.T) {
	t.Parallel()
	h, l := newPair(t, serviceKey("image", hookedImage(t)))
	const hang = "sleep 600 & echo $$! >pid; setsid sleep 600 & echo $$! >pid2; wait"
	for i, c := range []struct {
		event string
		hook  map[string]any
		says  string
		pids  []string
	}{
		{"pre_deploy", map[string]any{"run": "exit 3"}, "pre_deploy hook exited with code 3", nil},
		{"pre_switch", map[string]any{"run": "echo no good >&2; exit 4"}, "pre_switch hook exited with code 4", nil},
		{"pre_switch", map[string]any{"run": []any{"no-such-program"}}, "pre_switch hook cannot be run", nil},
		{"pre_switch", map[string]any{"run": "exit 5", "in": "container"}, "pre_switch hook, in a container, exited with code 5", nil},
		{"pre_switch", map[string]any{"run": hang, "timeout": "2s"}, "did not end within 2s", []string{"pid", "pid2"}},
		{"pre_switch", map[string]any{"run": "sleep 600", "in": "container", "timeout": "2s"}, "did not end within 2s", nil},
	} {
		t.Run(strconv.Itoa(i)+" "+c.event, func(t *testing.T) {
			h.change(ownKey("hooks", map[string]any{c.event: c.hook, "on_failure": "echo \"$$BLUEGREEN_OUTCOME: $$BLUEGREEN_ERROR\" >failure"}))
			_ = os.Remove(filepath.Join(h.dir, "failure"))
			warm := h.inspect(t, h.container("real1")).ID
			out := h.runWith([]string{"VERSION=bad" + strconv.Itoa(i)}, "deploy", "-o", "json")
			l.interrupted("bad", out)
			if r := out.result(); out.code != 1 || r.Live != "real2" || !strings.Contains(r.Error, c.says) {
				t.Errorf("want exit 1, real2 live, %q: %v", c.says, out)
			}
			if got := told(t, filepath.Join(h.dir, "failure")); !strings.HasPrefix(got, "failed: ") || !strings.Contains(got, c.says) {
				t.Errorf("on_failure was told %q", got)
			}
			for _, file := range c.pids {
				pid, err := strconv.Atoi(strings.TrimSpace(told(t, filepath.Join(h.dir, file))))
				if err != nil {
					t.Fatal(err)
				}
				if syscall.Kill(pid, 0) == nil && !isZombie(pid) {
					t.Errorf("process %d of the hook still runs", pid)
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			if got := h.inspect(t, h.container("real1")); got.ID != warm || !got.State.Running {
				t.Error("real1 is not the warm container, running")
			}
			h.wantNothingHalfMade(t)
		})
	}
	h.change(ownKey("hooks", map[string]any{"post_switch": "exit 6"}))
	out := h.mustWith([]string{"VERSION=v3"}, "deploy", "-o", "json")
	l.deployed("v3", out)
	if !strings.Contains(out.stdout, "warning: ") || !strings.Contains(out.stdout, "post_switch hook exited with code 6") {
		t.Errorf("want a warning: %v", out)
	}
	l.wantNoLoss()
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// TestKilledInAHookTheNextCommandCarriesOn, and nothing of the hook is left.
func TestKilledInAHookTheNextCommandCarriesOn(t *testing.T) {
	t.Parallel()
	h, l := newPair(t, serviceKey("image", hookedImage(t)))
	for _, in := range []string{"host", "container"} {
		t.Run(in, func(t *testing.T) {
			h.change(ownKey("hooks", map[string]any{"pre_switch": map[string]any{"run": "echo $$$$; exec sleep 600", "in": in}}))
			p := h.start([]string{"VERSION=killed-" + in}, "deploy", "-o", "json")
			line, ok := p.await(func(e event) bool { return e.Event == "progress" && e.Step == "pre_switch" })
			if !ok {
				t.Fatal(p.wait())
			}
			p.kill()
			l.interrupted("killed-"+in, p.wait())
			if pid, err := strconv.Atoi(line.Text); err != nil {
				t.Errorf("the hook said %q", line.Text)
			} else if in == "host" {
				for end := time.Now().Add(5 * time.Second); syscall.Kill(pid, 0) == nil && !isZombie(pid) && time.Now().Before(end); {
					time.Sleep(20 * time.Millisecond)
				}
				if syscall.Kill(pid, 0) == nil && !isZombie(pid) {
					t.Errorf("process %d of the hook still runs", pid)
				}
			}
			h.change(ownKey("hooks", map[string]any{}))
			h.afterAKill(t, l, "next-"+in)
			h.wantNothingHalfMade(t)
		})
	}
	l.wantNoLoss()
}
