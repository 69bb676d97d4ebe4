package main

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/term"
)

// output is stdout. It keeps the first error of a write, such as that of a full disk: nobody who prints looks at it, and a
// script must not take half of a list for all of it.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil && o.err == nil && !errors.Is(err, syscall.EPIPE) { // a reader that had enough
		o.err = err
	}
	return n, err
}

// outputError: what a command had to say did not reach its reader.
type outputError struct{ error }

func (e *outputError) Unwrap() error { return e.error }

// terminal is stdout where it is a terminal, else nil.
func (a *app) terminal() *os.File {
	w := a.stdout
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}
