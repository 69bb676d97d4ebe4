// Package pages reads the documentation for a test that runs it: a page's code blocks, what an HTML comment before a block
// says of it, and the commands that stand in it and between the text.
//
// A block has one of these languages:
//
//	console   lines that begin with "$ " are commands, the others what they print
//	sh        a script, run whole
//	yaml      a compose file, when it has an x-bluegreen
//	nginx     configuration of nginx
//	text, ""  output and drawings; no command stands there
//
// A comment directs the block that follows it:
//
//	<!-- test: file=NAME -->              the block is the content of that file, in the page's folder
//	<!-- test: exit=N -->                 its last command ends with that code, the others with 0
//	<!-- test: prints=TEXT -->            its commands print this (may be given several times)
//	<!-- test: output differs: REASON --> what stands below the commands is not what they print here
//	<!-- test: not run: REASON -->        it is only read
//
// A comment that begins with "test: setup" brings a script that is run at its place, which readers do not see.
package pages

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Page is a Markdown file.
type Page struct {
	Name   string // as errors and messages have it
	Blocks []Block
	Spans  []Span
}

// Block is a code block, or a hidden script.
type Block struct {
	Line     int // of its first line
	Language string
	Text     string // with a newline at its end
	Directions
}

// JSON is an error when the block, which may be a part of an object, is no JSON.
func (b Block) JSON() error {
	var v any
	err := json.Unmarshal([]byte(b.Text), &v)
	if err != nil && json.Unmarshal([]byte("{"+b.Text+"}"), &v) == nil {
		return nil
	}
	return err
}

// Setup is the language of a hidden script.
const Setup = "setup"

// Directions are what the comments before a block say.
type Directions struct {
	File    string   // "": it is no file's content
	Exit    int      // of the last command
	Prints  []string // what the commands must print
	Differs string   // why what they print differs from what is shown
	NotRun  string   // why it is not run
}

// Span is code between backquotes in the text.
type Span struct {
	Line int // on which its paragraph begins
	Text string
}

// At is where a line stands, for messages.
func (p Page) At(line int) string { return fmt.Sprintf("%s:%d", p.Name, line) }

// ReadAll reads every page that a reader may follow: README.md in this folder, and docs beside it.
func ReadAll(root string) (all []Page, err error) {
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, err
	}
	for _, file := range append([]string{filepath.Join(root, "README.md")}, files...) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return nil, err
		}
		page, err := Parse(name, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, page)
	}
	return all, nil
}

// reader is a page half read.
type reader struct {
	page    Page
	lines   []string
	next    int
	pending Directions
	directs int // the line of a direction whose block has not come yet; 0: none
	text    strings.Builder
	begun   int // the line on which text begins
}

// Parse reads a page. What it does not understand is an error with its line.
func Parse(name, text string) (Page, error) {
	r := &reader{page: Page{Name: name}, lines: strings.Split(text, "\n")}
	for r.next < len(r.lines) {
		if err := r.step(); err != nil {
			return Page{}, fmt.Errorf("%s:%d: %w", name, r.next, err)
		}
	}
	r.endParagraph()
	if r.directs > 0 {
		return Page{}, fmt.Errorf("%s:%d: no block follows this direction", name, r.directs)
	}
	return r.page, nil
}

func (r *reader) step() error {
	line := strings.TrimSpace(r.lines[r.next])
	r.next++
	switch {
	case strings.HasPrefix(line, "```"):
		r.endParagraph()
		return r.fence(line)
	case strings.HasPrefix(line, "<!-- test:"):
		r.endParagraph()
		return r.comment(strings.TrimPrefix(line, "<!-- test:"))
	case line == "":
		r.endParagraph()
		return nil
	case r.directs > 0:
		return fmt.Errorf("text between a direction and its block")
	}
	if r.text.Len() == 0 {
		r.begun = r.next
	}
	r.text.WriteString(line + " ")
	return nil
}

// fence reads a block to its end.
func (r *reader) fence(opening string) error {
	ticks := opening[:len(opening)-len(strings.TrimLeft(opening, "`"))]
	b := Block{Line: r.next + 1, Language: strings.TrimLeft(opening, "`"), Directions: r.pending}
	indent := len(r.lines[r.next-1]) - len(strings.TrimLeft(r.lines[r.next-1], " "))
	r.pending, r.directs = Directions{}, 0
	for ; r.next < len(r.lines); r.next++ {
		line := r.lines[r.next]
		if strings.TrimSpace(line) == ticks {
			r.next++
			r.page.Blocks = append(r.page.Blocks, b)
			return nil
		}
		b.Text += line[min(indent, len(line)-len(strings.TrimLeft(line, " "))):] + "\n"
	}
	return fmt.Errorf("the block of line %d does not end", b.Line-1)
}

// comment reads a direction, or a hidden script, to its end.
func (r *reader) comment(text string) error {
	begun := r.next
	for !strings.Contains(text, "-->") {
		if r.next == len(r.lines) {
			return fmt.Errorf("the comment of line %d does not end", begun)
		}
		text += "\n" + r.lines[r.next]
		r.next++
	}
	text = strings.TrimSpace(text[:strings.Index(text, "-->")])
	if script, found := strings.CutPrefix(text, Setup+"\n"); found {
		r.page.Blocks = append(r.page.Blocks, Block{Line: begun + 1, Language: Setup, Text: script + "\n"})
		return nil
	}
	r.directs = begun
	return r.pending.add(text)
}

// add takes in one direction.
func (d *Directions) add(text string) (err error) {
	for _, kind := range []struct {
		begins string
		take   func(value string)
	}{
		{"file=", func(v string) { d.File = v }},
		{"exit=", func(v string) { d.Exit, err = strconv.Atoi(v) }},
		{"prints=", func(v string) { d.Prints = append(d.Prints, v) }},
		{"output differs: ", func(v string) { d.Differs = v }},
		{"not run: ", func(v string) { d.NotRun = v }},
	} {
		if value, found := strings.CutPrefix(text, kind.begins); found && value != "" {
			kind.take(value)
			return err
		}
	}
	return fmt.Errorf("no such direction: %q", text)
}

var span = regexp.MustCompile("`([^`]+)`")

func (r *reader) endParagraph() {
	for _, found := range span.FindAllStringSubmatch(r.text.String(), -1) {
		r.page.Spans = append(r.page.Spans, Span{Line: r.begun, Text: found[1]})
	}
	r.text.Reset()
}
