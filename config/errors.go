package config

import (
	"errors"
	"strings"
)

// Error is wrong configuration: where, what, and what to do. Exit code 2.
type Error struct {
	Where string // "compose.yaml:12: services.web.ports", or the flag
	What  string
	Do    string
	err   error
}

// Error is "WHERE: WHAT" and, on a second line, what to do.
func (e *Error) Error() string {
	text := e.Where + ": " + e.What
	if e.Do != "" {
		text += "\n" + e.Do
	}
	return text
}

// Unwrap returns the cause, if there is one.
func (e *Error) Unwrap() error { return e.err }

// ErrNoFile is wrapped when no compose file was found and no --name was given.
var ErrNoFile = errors.New("no compose file")

// fault is something wrong at a key. The decoder and the checks know keys only; source.error adds the
// file and the line.
type fault struct {
	at   []string // services, web, x-bluegreen, watch
	what string
	do   string
	err  error
}

// under puts keys in front of the fault's place.
func (f *fault) under(keys ...string) *fault {
	f.at = append(keys, f.at...)
	return f
}

// commandLine as a fault's first key: it came from a flag, not from a file.
const commandLine = "command line"

// flagFault is wrong use of a flag.
func flagFault(flag, what, do string) *fault {
	return &fault{at: []string{commandLine, flag}, what: what, do: do}
}

func isFlag(at []string) bool { return len(at) > 0 && at[0] == commandLine }

// flagPlace words a place on the command line: "--env PORT", "command line: nginx.http".
func flagPlace(at []string) string {
	place := join(at[1:])
	if strings.HasPrefix(place, "--") {
		return place
	}
	return commandLine + ": " + place
}
