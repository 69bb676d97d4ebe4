//go:build unix

package hook

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// scriptAt is where sh finds its script: the first file that a process inherits besides its three streams.
const scriptAt = "/dev/fd/3"

// start starts the command and waits for it. It stays on one thread of the system: where a command is to end with its parent,
// the parent is the thread that started it.
func start(cmd *exec.Cmd, script string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if script == "" {
		return cmd.Run()
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.ExtraFiles = []*os.File{r}
	err = cmd.Start()
	_ = r.Close()
	if err != nil {
		_ = w.Close()
		return err
	}
	go func() {
		_, _ = w.WriteString(script) // a script that leaves early reads no more of itself
		_ = w.Close()
	}()
	return cmd.Wait()
}

// askToEnd tells the command, and the children in its group, to end.
func askToEnd(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGTERM)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// endAll ends what is left of the command's group, and who left that.
func endAll(p *os.Process, id string) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	endMarked(id)
}
