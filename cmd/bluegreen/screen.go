package main

import (
	"os"

	"golang.org/x/term"
)

// drawsOn says whether f is a terminal on which lines can be drawn again and painted.
func drawsOn(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" && understands(f)
}
