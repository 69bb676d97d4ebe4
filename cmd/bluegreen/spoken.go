package main

import (
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
	a.commands = spoken(root)
	if !a.plugin {
		return
	}
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "docker " + root.Name()}
	root.CompletionOptions.HiddenDefaultCmd = true // docker's own completion asks the plugin
	for _, c := range append(root.Commands(), root) {
		c.Short, c.Long, c.Example = a.say(c.Short), a.say(c.Long), a.say(c.Example)
		for _, below := range c.Commands() {
			below.Short, below.Long, below.Example = a.say(below.Short), a.say(below.Long), a.say(below.Example)
		}
	}
}

// meant are the flags that say which service a command is about, of those that were typed: a command that a person is told to run
// next has to be about the same. Of the command itself there are those that say which release it brings.
func (a *app) meant(cmd *cobra.Command) {
	for _, name := range []string{"host", "context", "network", "file"} {
		a.global += retyped(cmd.Flags(), name)
	}
	a.own, a.ownName = "", cmd.Name()
	for _, name := range []string{"name", "image"} {
		a.own += retyped(cmd.Flags(), name)
	}
}

// retyped is a flag as it was typed, with a space before it; "" when it was not.
func retyped(flags *pflag.FlagSet, name string) (text string) {
	if !typed(flags, name) {
		return ""
	}
	f := flags.Lookup(name)
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	for _, v := range values {
		if strings.ContainsFunc(v, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./:@=,+", r)
		}) {
			v = "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
		}
		text += " --" + f.Name + " " + v
	}
	return text
}

// say is a text with the commands in it as a person has to type them.
func (a *app) say(text string) string {
	if !a.retypes() {
		return text
	}
	return a.commands.ReplaceAllStringFunc(text, func(found string) string {
		part := a.commands.FindStringSubmatch(found)
		program := "bluegreen"
		if a.plugin {
			program = "docker bluegreen"
		}
		name := strings.TrimSpace(part[2])
		own := ""
		if name == a.ownName {
			own = a.own
		}
		return part[1] + program + a.global + part[2] + own
	})
}

// retypes says whether commands have to be typed otherwise than texts name them.
func (a *app) retypes() bool { return a.commands != nil && (a.plugin || a.global != "" || a.own != "") }

// voice is w for texts that people read.
func (a *app) voice(w io.Writer) io.Writer {
	if !a.retypes() {
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
