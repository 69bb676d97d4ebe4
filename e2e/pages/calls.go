package pages

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Calls are the arguments of every call of a program in a shell script, also by way of another command, such as
// `ssh host PROGRAM …`, and inside a quoted word that is a command line itself. What only the shell knows, such as $TAG,
// stands there as it was written.
func Calls(script, program string) ([][]string, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, fmt.Errorf("read as shell: %w", err)
	}
	var calls [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || err != nil {
			return err == nil
		}
		var words []string
		for _, w := range call.Args {
			words = append(words, written(script, w))
		}
		var found [][]string
		found, err = inWords(words, program)
		calls = append(calls, found...)
		return true
	})
	return calls, err
}

func inWords(words []string, program string) (calls [][]string, err error) {
	if len(words) > 0 && words[0] == "sudo" {
		words = words[1:]
	}
	for i, w := range words {
		switch {
		case path.Base(w) == program && !strings.Contains(w, ":") && !(i > 0 && (words[0] == "command" || words[0] == "install")):
			return append(calls, words[i+1:]), nil
		case strings.HasPrefix(w, program+" "):
			inner, err := Calls(w, program)
			if err != nil {
				return nil, err
			}
			calls = append(calls, inner...)
		}
	}
	return calls, nil
}

// written is a word without its outer quotes.
func written(script string, w *syntax.Word) string {
	text := script[w.Pos().Offset():w.End().Offset()]
	if len(w.Parts) == 1 {
		switch w.Parts[0].(type) {
		case *syntax.SglQuoted, *syntax.DblQuoted:
			return strings.Trim(text, `'"`)
		}
	}
	return text
}

// Synopsis is the arguments of a call as the text speaks of one: `bluegreen down [SERVICE] [--volumes]`, or on|off, also
// by way of another command: `docker --context prod bluegreen status`.
func Synopsis(text, program string) (args []string, found bool) {
	_, rest, found := strings.Cut(" "+text, " "+program+" ")
	if !found {
		return nil, false
	}
	rest = strings.NewReplacer("[", "", "]", "", `\|`, "|").Replace(rest)
	for _, word := range strings.Fields(rest) {
		if word, _, _ = strings.Cut(word, "|"); word != "…" {
			args = append(args, word)
		}
	}
	return args, true
}

// Help is what a command's --help says of it.
type Help struct {
	Commands map[string]bool // its own commands
	flags    map[string]bool // --long and -s, and whether a value follows
}

var helpFlag = regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[\w-]+)( \w+)?(?:   |$)`)
var helpCommand = regexp.MustCompile(`(?m)^  ([a-z][\w-]*) {2,}\S`)

// ReadHelp reads it as cobra writes it.
func ReadHelp(text string) Help {
	h := Help{Commands: map[string]bool{}, flags: map[string]bool{}}
	for _, f := range helpFlag.FindAllStringSubmatch(text, -1) {
		h.flags[f[2]] = f[3] != ""
		if f[1] != "" {
			h.flags[f[1]] = f[3] != ""
		}
	}
	for _, section := range strings.Split(text, "\n\n") {
		title, list, _ := strings.Cut(section, "\n")
		if !strings.HasSuffix(title, ":") || strings.HasSuffix(title, "lags:") || strings.HasPrefix(title, "Examples") || strings.HasPrefix(title, "Usage") {
			continue
		}
		for _, c := range helpCommand.FindAllStringSubmatch(list, -1) {
			h.Commands[c[1]] = true
		}
	}
	return h
}

// Check says what of a call's arguments does not exist; help is that of a command by the words that lead to it.
func Check(args []string, help func(command []string) (Help, error)) error {
	var command []string
	h, err := help(command)
	for i := 0; err == nil && i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return nil
		case len(arg) > 1 && arg[0] == '-':
			name, _, given := strings.Cut(arg, "=")
			value, known := h.flags[name]
			if !known {
				return fmt.Errorf("bluegreen %s has no flag %s", strings.Join(command, " "), name)
			}
			if value && !given {
				i++
			}
		case h.Commands[arg]:
			command = append(command, arg)
			h, err = help(command)
		case len(h.Commands) > 0:
			return fmt.Errorf("bluegreen %s has no command %s", strings.Join(command, " "), arg)
		}
	}
	return err
}
