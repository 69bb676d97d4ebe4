package main

import (
	"io"
	"strings"

	"github.com/sirupsen/logrus"
)

// composeWarnings is where compose's library says what it notices in a file, such as a variable that is not set. It is said as
// all warnings are, once: some commands read the file twice.
type composeWarnings struct {
	app  *app
	said map[string]bool
}

// hearCompose has the library's words told by this command.
func (a *app) hearCompose() {
	logrus.SetFormatter(messageOnly{})
	if a.quiet {
		logrus.SetOutput(io.Discard)
		return
	}
	logrus.SetOutput(&composeWarnings{app: a, said: map[string]bool{}})
}

// messageOnly leaves out time and level.
type messageOnly struct{}

func (messageOnly) Format(e *logrus.Entry) ([]byte, error) { return []byte(e.Message), nil }

func (w *composeWarnings) Write(b []byte) (int, error) {
	if text := strings.TrimSpace(string(b)); !w.said[text] {
		w.said[text] = true
		w.app.warn(text)
	}
	return len(b), nil
}
