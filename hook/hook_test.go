//go:build unix

package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func runLines(t *testing.T, ctx context.Context, c Command) ([]string, error) {
	t.Helper()
	var lines []string
	out := &Lines{Line: func(l string) { lines = append(lines, l) }}
	c.Output = out
	err := c.Run(ctx)
	_ = out.Close()
	return lines, err
}

func TestAScriptIsRunWithItsEnvironmentAndShown(t *testing.T) {
	dir := t.TempDir()
	lines, err := runLines(t, t.Context(), Command{Script: "echo \"$GREETING from $(pwd)\"\nprintf 'no end' >&2", Dir: dir, Env: []string{"GREETING=hello"}})
	if want := []string{"hello from " + dir, "no end"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("lines %q, error %v, want %q", lines, err, want)
	}
}

func TestAProgramIsGivenItsArgumentsAsTheyAre(t *testing.T) {
	lines, err := runLines(t, t.Context(), Command{Args: []string{"printf", "%s\\n", "a b", "$HOME", ""}})
	if want := []string{"a b", "$HOME", ""}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("lines %q, error %v, want %q", lines, err, want)
	}
}

func TestAScriptIsNotAmongTheArguments(t *testing.T) {
	const secret = "s3cr3t-in-a-script"
	lines, err := runLines(t, t.Context(), Command{Script: ": " + secret + "; tr '\\0' ' ' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ | grep -c " + secret + " || true"})
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	all := strings.Join(lines, "\n")
	if strings.Contains(all, secret) || !strings.Contains(all, scriptAt) {
		t.Errorf("arguments and environment: %q", all)
	}
}

func TestAFailureTellsItsExitCode(t *testing.T) {
	_, err := runLines(t, t.Context(), Command{Script: "exit 3"})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("error %v, want exit code 3", err)
	}
}

func TestASignalIsNamed(t *testing.T) {
	_, err := runLines(t, t.Context(), Command{Script: "kill -9 $$"})
	if err == nil || err.Error() != "was ended by a signal: killed" {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsNotThereCannotBeRun(t *testing.T) {
	_, err := runLines(t, t.Context(), Command{Args: []string{"/no/such/program", "s3cr3t"}})
	var exit *ExitError
	if err == nil || errors.As(err, &exit) || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("error %v", err)
	}
}

// TestCheckFindsWhatRunCouldNotStart looks where Run looks: below the command's folder, and in PATH.
func TestCheckFindsWhatRunCouldNotStart(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"smoke": 0o755, "notes": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []Command{
		{Script: "anything"}, {Args: []string{"sh"}}, {Args: []string{"./smoke"}}, {Args: []string{filepath.Join(dir, "smoke")}},
		{Args: []string{"./notes"}}, {Args: []string{"smoke"}}, {Args: []string{"./none"}}, {Args: []string{filepath.Join(dir, "none")}},
	} {
		c.Dir = dir
		_, ran := runLines(t, t.Context(), c)
		var exit *ExitError
		if found := c.Check(); (found == nil) != (ran == nil || errors.As(ran, &exit)) {
			t.Errorf("%v: found %v, run %v", c, found, ran)
		}
	}
	t.Setenv("PATH", dir)
	if err := (Command{Script: "anything"}).Check(); err == nil || !strings.Contains(err.Error(), "no sh here") {
		t.Errorf("without sh: %v", err)
	}
}

// TestAHookThatHangsIsEndedWithItsChildren also with those that ignore SIGTERM, and those that left its group.
func TestAHookThatHangsIsEndedWithItsChildren(t *testing.T) {
	dir := t.TempDir()
	for name, child := range map[string]string{
		"a child":                  "sleep 300 & echo $! >%s; wait",
		"one that ignores SIGTERM": "sh -c 'trap \"\" TERM; echo $$ >%s; while :; do sleep 1; done' & wait",
		"one in another session":   "setsid sh -c 'echo $$ >%s; exec sleep 300' & wait",
		"itself, ignoring SIGTERM": "trap '' TERM; echo $$ >%s; while :; do sleep 1; done",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			ctx, cancel := context.WithCancel(t.Context())
			pid := make(chan int, 1)
			go func() {
				pid <- pidIn(file)
				cancel()
			}()
			_, err := runLines(t, ctx, Command{Script: fmt.Sprintf(child, file)})
			var ended *EndedError
			if !errors.As(err, &ended) || !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want one of a command that was ended", err)
			}
			p := <-pid
			for end := time.Now().Add(5 * time.Second); runs(p) && time.Now().Before(end); {
				time.Sleep(5 * time.Millisecond) // a signal takes its moment
			}
			if runs(p) {
				_ = syscall.Kill(p, syscall.SIGKILL)
				t.Errorf("process %d still runs", p)
			}
		})
	}
}

func TestWhatAGoodHookLeavesRunningIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	_, err := runLines(t, t.Context(), Command{Script: "sleep 300 >/dev/null 2>&1 & echo $! >" + file})
	p := pidIn(file)
	if err != nil || !runs(p) {
		t.Errorf("error %v, process %d runs: %v", err, p, runs(p))
	}
	_ = syscall.Kill(p, syscall.SIGKILL)
}

func TestAnOpenOutputDoesNotHoldAGoodHook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	start := time.Now()
	_, err := runLines(t, t.Context(), Command{Script: "sleep 300 & echo $! >" + file})
	if err != nil || time.Since(start) > time.Minute {
		t.Errorf("error %v after %v", err, time.Since(start))
	}
	_ = syscall.Kill(pidIn(file), syscall.SIGKILL)
}

func TestLongLinesAreCutAndBadTextIsMadeGood(t *testing.T) {
	var lines []string
	out := &Lines{Line: func(l string) { lines = append(lines, l) }}
	fmt.Fprint(out, "one\r\ntw", "o\n\xff", strings.Repeat("x", longestLine))
	_ = out.Close()
	if len(lines) != 4 || lines[0] != "one" || lines[1] != "two" || !strings.HasPrefix(lines[2], "�xx") || len(lines[2]) > longestLine+2 {
		t.Errorf("lines %.60q", lines)
	}
}

// TestAHookEndsWithWhoRunsIt however that ends: this test's program runs one, and is killed.
func TestAHookEndsWithWhoRunsIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only Linux tells whose children processes are")
	}
	for name, child := range map[string]string{
		"a child":                "sleep 300 & echo $! >%s; wait",
		"one in another session": "setsid sh -c 'echo $$ >%s; exec sleep 300' & wait",
		"ignoring SIGTERM":       "trap '' TERM; echo $$ >%s; while :; do sleep 1; done",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), runsScript+"="+fmt.Sprintf(child, file))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p := pidIn(file)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			for end := time.Now().Add(30 * time.Second); runs(p) && time.Now().Before(end); {
				time.Sleep(20 * time.Millisecond)
			}
			if runs(p) {
				_ = syscall.Kill(p, syscall.SIGKILL)
				t.Errorf("process %d still runs", p)
			}
		})
	}
}

// runsScript makes this test's program one that runs a script as a hook.
const runsScript = "HOOK_TEST_SCRIPT"

func TestMain(m *testing.M) {
	Guard()
	if script := os.Getenv(runsScript); script != "" {
		_ = os.Unsetenv(runsScript)
		_ = Command{Script: script, Output: io.Discard}.Run(context.Background())
		return
	}
	os.Exit(m.Run())
}

// pidIn waits for a process id in a file.
func pidIn(file string) int {
	for {
		text, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return pid
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// runs says whether a process runs; one that nobody has asked about its end does not.
func runs(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
