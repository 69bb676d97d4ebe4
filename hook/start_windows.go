package hook

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// scriptAt would be where sh finds its script: a process inherits no such file here.
const scriptAt = ""

func start(cmd *exec.Cmd, script string) error {
	if script != "" {
		return errors.New("is a script: on Windows, give a program and its arguments as a list, or run it `in: container`")
	}
	return cmd.Run()
}

func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// askToEnd ends the command with its children: there is no signal that would ask.
func askToEnd(p *os.Process) error {
	return exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run()
}

func endAll(p *os.Process, _ string) { _ = askToEnd(p) }
