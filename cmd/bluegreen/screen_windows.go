package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// understands asks the console to take control characters as terminals elsewhere do: it has to be told, and one that is
// older than Windows 10 cannot.
func understands(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
