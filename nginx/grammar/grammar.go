// Package grammar reads nginx's configuration the way nginx does, for tests: what a text means to nginx, not what
// it looks like. It is stricter than nginx where nginx guesses.
package grammar

import (
	"errors"
	"fmt"
	"strings"
)

// Directive is one directive with its arguments as nginx understands them, quotes and escapes resolved.
type Directive struct {
	Words []string // the name first
	Block []Directive
	Opens bool // it ends with a block instead of a semicolon
}

// Parse reads a whole file.
func Parse(text string) ([]Directive, error) {
	r := &reader{text: text}
	list, err := r.block(false)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+strings.Count(text[:min(r.at, len(text))], "\n"), err)
	}
	return list, nil
}

// Shape is the tree without the values: the names of the directives, how many arguments each has, and the variables
// that nginx would put values in for. Two texts of one shape differ in values only.
func Shape(list []Directive) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s/%d", d.Words[0], len(d.Words)-1)
		for _, w := range d.Words[1:] {
			for _, v := range variables(w) {
				b.WriteString(" " + v)
			}
		}
		if d.Opens {
			b.WriteString(" {\n" + Shape(d.Block) + "}")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// variables are the dollars of a word, each with what follows it: nothing escapes a dollar.
func variables(word string) (list []string) {
	_, rest, found := strings.Cut(word, "$")
	for found {
		var name string
		name, rest, found = strings.Cut(rest, "$")
		end := strings.IndexFunc(name, func(r rune) bool { return !isName(r) })
		if end >= 0 {
			name = name[:end]
		}
		list = append(list, "$"+name)
	}
	return list
}

func isName(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

type reader struct {
	text string
	at   int
}

// block reads directives up to the end of the block, or of the file.
func (r *reader) block(inside bool) (list []Directive, err error) {
	for {
		r.skip()
		switch {
		case r.at == len(r.text) && inside:
			return nil, errors.New("the file ends inside a block")
		case r.at == len(r.text):
			return list, nil
		case r.text[r.at] == '}' && !inside:
			return nil, errors.New("a } that closes nothing")
		case r.text[r.at] == '}':
			r.at++
			return list, nil
		}
		d, err := r.directive()
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
}

// skip skips blanks and comments.
func (r *reader) skip() {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case isBlank(c):
			r.at++
		case c == '#':
			if _, rest, more := strings.Cut(r.text[r.at:], "\n"); more {
				r.at = len(r.text) - len(rest)
			} else {
				r.at = len(r.text)
			}
		default:
			return
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (r *reader) directive() (d Directive, err error) {
	for {
		r.skip()
		if r.at == len(r.text) {
			return d, fmt.Errorf("the file ends inside %q", d.Words)
		}
		switch c := r.text[r.at]; {
		case c == ';' && len(d.Words) > 0:
			r.at++
			return d, nil
		case c == '{' && len(d.Words) > 0:
			r.at++
			d.Opens = true
			d.Block, err = r.block(true)
			return d, err
		case c == ';' || c == '{' || c == '}':
			return d, fmt.Errorf("unexpected %q", c)
		}
		word, err := r.word()
		if err != nil {
			return d, err
		}
		d.Words = append(d.Words, word)
	}
}

func (r *reader) word() (string, error) {
	if c := r.text[r.at]; c == '"' || c == '\'' {
		r.at++
		return r.quoted(c)
	}
	start := r.at
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '\\' && r.at+1 < len(r.text):
			r.at++
		case c == 0:
			return "", errors.New("a zero byte")
		case c == '{' && r.at > start && r.text[r.at-1] == '$':
		case isBlank(c) || c == ';' || c == '{':
			return unescape(r.text[start:r.at]), nil
		case c == '}' || c == '"' || c == '\'' || c == '#':
			return "", fmt.Errorf("%q inside a bare word", c) // nginx would take it: nobody means it
		}
	}
	return "", errors.New("the file ends inside a word")
}

func (r *reader) quoted(quote byte) (string, error) {
	start := r.at
	for ; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '\\':
			r.at++
		case 0:
			return "", errors.New("a zero byte")
		case quote:
			word := unescape(r.text[start:r.at])
			r.at++
			if r.at < len(r.text) && !isBlank(r.text[r.at]) && !strings.ContainsRune(";{", rune(r.text[r.at])) {
				return "", fmt.Errorf("unexpected %q after a quoted word", r.text[r.at])
			}
			return word, nil
		}
	}
	return "", errors.New("the file ends inside quotes")
}

// unescape resolves the escapes that nginx knows; another character keeps its backslash.
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\'`, `'`, `\t`, "\t", `\r`, "\r", `\n`, "\n").Replace(s)
}
