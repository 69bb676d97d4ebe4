package hook

import (
	"bytes"
	"strings"
)

// longestLine is how much of a line is shown at once, in bytes.
const longestLine = 4 << 10

// Lines is a writer that hands on what is written line by line, without line ends.
type Lines struct {
	Line func(string)
	rest []byte
}

// Write never fails.
func (l *Lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		switch {
		case end >= 0:
			l.say(l.rest[:end])
			l.rest = l.rest[end+1:]
		case len(l.rest) > longestLine:
			l.say(l.rest[:longestLine])
			l.rest = l.rest[longestLine:]
		default:
			return len(p), nil
		}
	}
}

// Close hands on a last line that has no end.
func (l *Lines) Close() error {
	if len(l.rest) > 0 {
		l.say(l.rest)
		l.rest = nil
	}
	return nil
}

func (l *Lines) say(line []byte) {
	l.Line(strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "�"))
}
