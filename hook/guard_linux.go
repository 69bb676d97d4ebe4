package hook

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// guardArgument is what this program is called with to be a guard.
const guardArgument = "__hook-guard"

// self is this program's file, once Guard was called.
var self string

// Guard lets hooks end with this process, however that ends: kill -9 leaves it no time to end them itself. It is the first call
// of a program, which may have been started as a hook's guard: then it does that, and does not return.
func Guard() {
	if len(os.Args) == 2 && os.Args[1] == guardArgument {
		guard(os.Stdin)
		os.Exit(0)
	}
	self, _ = os.Executable() // without it, there are no guards
}

// guard reads the mark of a hook, and waits for the end of its input. If that did not say before that the hook is over, whoever
// ran it is gone: it and its children get SIGTERM, and SIGKILL after their grace.
func guard(in io.Reader) {
	lines := bufio.NewReader(in)
	id, err := lines.ReadString('\n')
	if err != nil {
		return
	}
	if _, err := lines.ReadString('\n'); err == nil {
		return
	}
	id = strings.TrimSpace(id)
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(guardPause) {
		left := marked(id)
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
	endMarked(id)
}

// guardPause is how often a guard looks whether the hook has ended, and tells what is new in it to end.
const guardPause = 100 * time.Millisecond

// guarded starts a guard for what has this mark. The caller says when that is over.
func guarded(id string) (over func()) {
	if self == "" {
		return func() {}
	}
	cmd := exec.Command(self, guardArgument)
	cmd.Env = []string{}                                 // the hook's are found by theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C at the terminal is for us
	in, err := cmd.StdinPipe()
	if err != nil {
		return func() {}
	}
	if err := cmd.Start(); err != nil {
		return func() {}
	}
	_, _ = io.WriteString(in, id+"\n")
	return func() {
		_, _ = io.WriteString(in, "over\n")
		_ = in.Close()
		_ = cmd.Wait()
	}
}
