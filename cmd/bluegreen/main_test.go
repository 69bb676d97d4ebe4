package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"bluegreen/swap"
)

// The test runs itself as a process that is sent two signals, so many milliseconds apart.
const signalledApart = "BLUEGREEN_TEST_SIGNALLED_APART"

// How such a process ends when it does not leave at once.
const (
	exitUndone  = 7
	exitTooSlow = 8 // the machine kept it from sending in time: nothing is known
)

const (
	atOnce = 20 * time.Millisecond // as a program sends signals
	later  = 500 * time.Millisecond
	// undoing is what the undos take.
	undoing = time.Second
)

// TestTwoSignalsOneAfterTheOther: what sends one signal to the process and again to its group means one, and its undos
// run; a person who sends another one does not want to wait for them.
func TestTwoSignalsOneAfterTheOther(t *testing.T) {
	for apart, want := range map[time.Duration]int{atOnce: exitUndone, later: swap.ExitInterrupted} {
		if got := signalled(t, apart); got != want {
			t.Errorf("signals %v apart: exit code %d, want %d", apart, got, want)
		}
	}
}

// signalled is the exit code of a process that gets two signals.
func signalled(t *testing.T, apart time.Duration) int {
	t.Helper()
	for range 20 {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBeingSignalled$")
		c.Env = append(os.Environ(), signalledApart+"="+strconv.FormatInt(apart.Milliseconds(), 10))
		err := c.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("signals %v apart: %v", apart, err)
		}
		if exit.ExitCode() != exitTooSlow {
			return exit.ExitCode()
		}
	}
	t.Fatal("the machine is too slow for this test")
	return 0
}

// TestBeingSignalled is the process.
func TestBeingSignalled(t *testing.T) {
	apart, err := strconv.Atoi(os.Getenv(signalledApart))
	if err != nil {
		t.Skip("only TestTwoSignalsOneAfterTheOther runs it")
	}
	send := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGTERM) }
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	go leaveOnSecondSignal(ctx)
	send()
	<-ctx.Done()
	first, gap := time.Now(), time.Duration(apart)*time.Millisecond
	time.Sleep(gap)
	send()
	if time.Since(first) > gap+2*atOnce {
		os.Exit(exitTooSlow)
	}
	time.Sleep(undoing)
	os.Exit(exitUndone)
}
