// Command bluegreen swaps a service running in Docker from one release to the next behind nginx
// without losing a request.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"bluegreen/hook"
	"bluegreen/swap"
)

// version is stamped by the build.
var version = "dev"

func main() {
	hook.Guard()
	start := run
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	if calledByDocker(os.Args[0]) {
		start, ctx = runPlugin, untilDockerEnds(ctx)
	}
	go leaveOnSecondSignal(ctx)
	code := start(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// endings are the signals that end a run with its undos: also the end of the terminal, unless nohup keeps that away.
func endings() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}

// oneSignal is the time in which several signals are one: timeout(1) and some CI runners send theirs to the process and
// again to its group; a Ctrl-C reaches a plugin from the terminal and, by docker's socket, from docker.
const oneSignal = 100 * time.Millisecond

// leaveOnSecondSignal ends the process at once when a person who already interrupted it does not want to
// wait for the undos. The next command finds out what is true.
func leaveOnSecondSignal(ctx context.Context) {
	<-ctx.Done()
	time.Sleep(oneSignal)
	again := make(chan os.Signal, 1)
	signal.Notify(again, endings()...)
	<-again
	fmt.Fprintln(os.Stderr, "bluegreen: left at once; the next command settles what was begun")
	os.Exit(swap.ExitInterrupted)
}

// run parses and runs one command and returns the exit code; what failed goes to stderr in one place.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return (&app{stdout: stdout, stderr: stderr}).run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	out := &output{Writer: a.stdout}
	a.stdout = out
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.reported {
		err = cutShort(cmd.Context(), err)
	}
	if a.cancelTimeout != nil {
		a.cancelTimeout()
	}
	if err == nil && out.err != nil && (a.ended == nil || a.ended.request.DryRun) { // what a swap did is done, also when nobody can read it
		err = &outputError{out.err}
	}
	if err != nil && !a.reported {
		a.showFailure(cmd, args, err)
	}
	a.tellOthers(ctx)
	if a.usage(err) {
		return swap.ExitUsage
	}
	return swap.ExitCode(err)
}
