package pages

import (
	"fmt"
	"regexp"
	"strings"
)

// Command is one command of a console block, and what stands below it.
type Command struct {
	Text   string // may have several lines
	Output []string
}

// Commands are what a reader types. A script is one of them, without output.
func (b Block) Commands() ([]Command, error) {
	if b.Language != "console" {
		return []Command{{Text: strings.TrimSuffix(b.Text, "\n")}}, nil
	}
	var all []Command
	goesOn := false
	for i, line := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		typed, begins := strings.CutPrefix(line, "$ ")
		switch {
		case goesOn:
			all[len(all)-1].Text += "\n" + line
		case begins:
			all = append(all, Command{Text: typed})
		case len(all) == 0:
			return nil, fmt.Errorf("line %d: output before the first command", b.Line+i)
		default:
			all[len(all)-1].Output = append(all[len(all)-1].Output, line)
			continue
		}
		goesOn = strings.HasSuffix(line, `\`)
	}
	return all, nil
}

// CommandIn is the first line of a block without commands that looks like one all the same.
func (b Block) CommandIn() (line string, found bool) {
	for line := range strings.Lines(b.Text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "$ ") || strings.HasPrefix(line, "bluegreen ") {
			return line, true
		}
	}
	return "", false
}

// anyValue is what differs from run to run: numbers with what hangs on them, such as 1.5s, 2027-02-15 or sha256:047bb.
var anyValue = regexp.MustCompile(`[\p{L}\d._:+/-]*\d[\p{L}\d._:+/-]*`)

// fixed is a value that has to be as it is shown all the same.
var fixed = regexp.MustCompile(`^(real[12]|v\d+|[a-z]+:v\d+|\d+/\d+)$`)

// Missing is the first line of what is shown that the command did not print, after the ones before it. Numbers may
// differ, so may the length of gaps, and "…" is anything. "" is not missing.
func (c Command) Missing(printed string) string {
	lines := strings.Split(printed, "\n")
	for _, shown := range c.Output {
		if strings.TrimSpace(shown) == "" || strings.TrimSpace(shown) == "…" {
			continue
		}
		like, at := pattern(shown), -1
		for i, line := range lines {
			if like.MatchString(plain(line)) {
				at = i
				break
			}
		}
		if at < 0 {
			return shown
		}
		lines = lines[at+1:]
	}
	return ""
}

var durations = regexp.MustCompile(`\d+(\.\d+)? ?(µs|ms|s|m|h)\b`)

// plain is a line without the length of its gaps and of its times.
func plain(line string) string {
	return strings.Join(strings.Fields(durations.ReplaceAllString(line, "1s")), " ")
}

// pattern is what a shown line stands for.
func pattern(shown string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	for i, word := range strings.Split(plain(shown), " ") {
		if i > 0 {
			b.WriteString(" ")
		}
		for j, part := range strings.Split(word, "…") {
			if j > 0 {
				b.WriteString(".*")
			}
			b.WriteString(wordPattern(part))
		}
	}
	b.WriteString("$")
	return regexp.MustCompile(b.String())
}

func wordPattern(word string) string {
	var b strings.Builder
	last := 0
	for _, at := range anyValue.FindAllStringIndex(word, -1) {
		b.WriteString(regexp.QuoteMeta(word[last:at[0]]))
		if value := word[at[0]:at[1]]; fixed.MatchString(value) {
			b.WriteString(regexp.QuoteMeta(value))
		} else {
			b.WriteString(`\S+`)
		}
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(word[last:]))
	return b.String()
}
