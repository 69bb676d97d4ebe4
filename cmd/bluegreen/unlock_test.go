package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/swap"
)

func TestOnlyAYesIsAYes(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, " yes": true, "n\n": false, "\n": false, "": false, "yesterday\n": false} {
		if got, err := answered(t.Context(), strings.NewReader(answer)); got != want || err != nil {
			t.Errorf("%q: %v, %v", answer, got, err)
		}
	}
	broken := errors.New("broken")
	reader, writer := io.Pipe()
	writer.CloseWithError(broken)
	if got, err := answered(t.Context(), reader); got || !errors.Is(err, broken) {
		t.Errorf("%v, %v", got, err)
	}
	a := &app{stderr: io.Discard}
	if got, err := a.agreed(t.Context(), strings.NewReader("y\n"), "Sure?", "bluegreen x --yes"); got || err == nil || !strings.Contains(err.Error(), "run `bluegreen x --yes`") {
		t.Errorf("no terminal: %v, %v", got, err)
	}
}

// TestAQuestionEndsWithItsCommand: by Ctrl-C, and by --timeout.
func TestAQuestionEndsWithItsCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		defer writer.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if got, err := answered(ctx, reader); got || swap.ExitCode(err) != swap.ExitInterrupted {
			t.Errorf("Ctrl-C: %v, %v", got, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := answered(ctx, reader); got || swap.ExitCode(err) != swap.ExitFailed {
			t.Errorf("--timeout: %v, %v", got, err)
		}
	})
}
