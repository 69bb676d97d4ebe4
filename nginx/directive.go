package nginx

import (
	"fmt"
	"slices"
	"strings"
)

// Directive is one directive of a configuration file; of a block, its head.
type Directive struct {
	File string
	Line int // in that file, from 1
	Name string
	Args []string
	In   []string // the blocks around it in that file, the outermost first
}

// Where is for messages: "/etc/nginx/nginx.conf:12".
func (d Directive) Where() string { return fmt.Sprintf("%s:%d", d.File, d.Line) }

// parseFile lists a file's directives. nginx has accepted it, so nothing here is an error.
func parseFile(file, text string) (list []Directive) {
	var words, in []string
	l := lexer{text: text, line: 1}
	line := 1
	add := func() {
		if len(words) > 0 {
			list = append(list, Directive{File: file, Line: line, Name: words[0], Args: words[1:], In: slices.Clone(in)})
		}
	}
	for {
		word, kind := l.next()
		switch kind {
		case atEnd:
			return list
		case aWord:
			if len(words) == 0 {
				line = l.wordLine
			}
			words = append(words, word)
			continue
		case aSemicolon:
			add()
		case aBlock:
			add()
			name := ""
			if len(words) > 0 {
				name = words[0]
			}
			in = append(in, name)
		case aBlockEnd:
			in = in[:max(0, len(in)-1)]
		}
		words = nil
	}
}

// lexer splits a configuration into words, as nginx does.
type lexer struct {
	text     string
	pos      int
	line     int
	wordLine int // where the last word began
}

type kind int

const (
	atEnd kind = iota
	aWord
	aSemicolon
	aBlock
	aBlockEnd
)

func (l *lexer) next() (string, kind) {
	l.skip()
	if l.pos == len(l.text) {
		return "", atEnd
	}
	switch c := l.text[l.pos]; c {
	case ';':
		l.pos++
		return "", aSemicolon
	case '{':
		l.pos++
		return "", aBlock
	case '}':
		l.pos++
		return "", aBlockEnd
	case '"', '\'':
		l.pos++
		return l.word(func(x byte) bool { return x == c }, true), aWord
	}
	return l.word(func(x byte) bool { return strings.IndexByte(" \t\r\n;{", x) >= 0 }, false), aWord
}

// skip passes over blanks and comments.
func (l *lexer) skip() {
	for l.pos < len(l.text) {
		switch l.text[l.pos] {
		case '\n':
			l.line++
		case ' ', '\t', '\r':
		case '#':
			if end := strings.IndexByte(l.text[l.pos:], '\n'); end >= 0 {
				l.pos += end
			} else {
				l.pos = len(l.text)
			}
			continue
		default:
			return
		}
		l.pos++
	}
}

// word reads up to a byte that ends it; the quote that ends a quoted word is passed over.
func (l *lexer) word(ends func(byte) bool, quoted bool) string {
	var b strings.Builder
	for l.wordLine = l.line; l.pos < len(l.text); l.pos++ {
		c := l.text[l.pos]
		switch {
		case c == '\\' && l.pos+1 < len(l.text):
			if next := l.text[l.pos+1]; next != '"' && next != '\'' && next != '\\' {
				b.WriteByte(c)
			}
			l.pos++
			c = l.text[l.pos]
		case c == '$' && strings.HasPrefix(l.text[l.pos:], "${"): // a variable's braces are no block
			b.WriteByte(c)
			l.pos++
			c = '{'
		case ends(c):
			if quoted {
				l.pos++
			}
			return b.String()
		}
		if c == '\n' {
			l.line++
		}
		b.WriteByte(c)
	}
	return b.String()
}
