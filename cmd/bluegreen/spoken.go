package main

import (
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// Texts everywhere name commands as `bluegreen deploy`. Called as docker's plugin, what a person reads has to say
// `docker bluegreen deploy`; JSON stays as it is, however it came about. A command in double quotes is one that somebody
// ran, not one to run.

// spoken finds the commands of root in a text.
func spoken(root *cobra.Command) *regexp.Regexp {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, regexp.QuoteMeta(c.Name()))
	}
	return regexp.MustCompile("(^|[\\s`'(])(?:docker )?bluegreen( (?:" + strings.Join(names, "|") + "|--help)\\b)")
}

// speak makes the command and those below it call themselves `docker bluegreen`.
func (a *app) speak(root *cobra.Command) {
	if !a.plugin {
		return
	}
	a.commands = spoken(root)
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "docker " + root.Name()}
	root.CompletionOptions.HiddenDefaultCmd = true // docker's own completion asks the plugin
	for _, c := range append(root.Commands(), root) {
		c.Short, c.Long, c.Example = a.say(c.Short), a.say(c.Long), a.say(c.Example)
		for _, below := range c.Commands() {
			below.Short, below.Long, below.Example = a.say(below.Short), a.say(below.Long), a.say(below.Example)
		}
	}
}

// say is a text with the commands in it as a person has to type them.
func (a *app) say(text string) string {
	if a.commands == nil {
		return text
	}
	return a.commands.ReplaceAllString(text, "${1}docker bluegreen${2}")
}

// voice is w for texts that people read.
func (a *app) voice(w io.Writer) io.Writer {
	if a.commands == nil {
		return w
	}
	return voice{a, w}
}

type voice struct {
	a *app
	w io.Writer
}

func (v voice) Write(b []byte) (int, error) {
	if _, err := io.WriteString(v.w, v.a.say(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
