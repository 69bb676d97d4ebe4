package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"
)

// comesBack is how long the engine may take to restart what crashed: up to a minute lies between its tries.
const comesBack = 80 * time.Second

// An nginx that crashes right after a swap comes back by its restart policy, with the release that was made live last.
// A reload by the engine's own kill call would have switched that policy off.
func TestNginxThatCrashesComesBackWithTheLiveRelease(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	h.deploy("v2")
	h.crash(t, h.nginx(), "nginx")
	h.wantAnswer(t, "v2", "real2")
	out := h.deploy("v3")
	if out.result().Live != "real1" {
		t.Errorf("want real1 live: %v", out)
	}
	h.wantAnswer(t, "v3", "real1")
}

func TestAProfileThatCrashesComesBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	h.deploy("v2")
	for profile, version := range map[string]string{"real1": "v1", "real2": "v2"} {
		h.crash(t, h.container(profile), "hello")
		h.wantRunning(t, h.container(profile))
		if profile == "real2" {
			h.wantAnswer(t, version, profile)
		}
	}
	h.rollback()
	h.wantAnswer(t, "v1", "real1")
	h.wantContainers(t, map[string]string{"real1": "running", "real2": "running"})
}

// crash ends a container's first process, which a process of the container itself cannot do, from outside.
func (h *host) crash(t *testing.T, name, command string) {
	t.Helper()
	pid := h.inspect(t, name).State.Pid
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if os.Getuid() != 0 || err != nil || !bytes.Contains(line, []byte(command)) {
		t.Skipf("SKIPPED: needs root on the engine's own machine, to end process %d of container %s", pid, name)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for h.inspect(t, name).State.Pid == pid {
		if time.Since(begin) > comesBack {
			t.Fatalf("the engine has not noticed the end of container %s", name)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (h *host) wantRunning(t *testing.T, name string) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		c := h.inspect(t, name)
		if c.State.Running && c.RestartCount > 0 {
			t.Logf("container %s is back after %v", name, time.Since(begin).Round(time.Millisecond))
			return
		}
		if time.Since(begin) > comesBack {
			t.Fatalf("container %s is %s after %v, restarted %d times", name, c.State.Status, comesBack, c.RestartCount)
		}
	}
}

// wantAnswer waits until nginx answers with this release.
func (h *host) wantAnswer(t *testing.T, version, profile string) {
	t.Helper()
	wantAnswer(t, http.DefaultClient, h.addr(), version, profile)
}

func wantAnswer(t *testing.T, through *http.Client, addr, version, profile string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), comesBack)
	defer cancel()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		gotVersion, gotProfile, err := ask(ctx, through, addr)
		if err == nil && gotVersion == version && gotProfile == profile {
			t.Logf("%s in %s answers after %v", version, profile, time.Since(begin).Round(time.Millisecond))
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("want %s of %s to answer within %v; last: %q of %q, %v", version, profile, comesBack, gotVersion, gotProfile, err)
		}
	}
}

// ask asks once, on a connection of its own.
func ask(ctx context.Context, through *http.Client, addr string) (version, profile string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return "", "", err
	}
	request.Close = true
	answer, err := through.Do(request)
	if err != nil {
		return "", "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("status %s", answer.Status)
	}
	return answer.Header.Get("X-Version"), answer.Header.Get("X-Profile"), nil
}
