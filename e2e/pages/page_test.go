package pages

import (
	"reflect"
	"strings"
	"testing"
)

const example = `# A page

Run ` + "`bluegreen deploy`, or\n`bluegreen\nrollback`" + `.

<!-- test: file=compose.yaml -->
` + "```yaml\nservices: {}\n```" + `

<!-- test: setup
touch x
-->

- in a list

  <!-- test: exit=1 -->
  <!-- test: prints=no such -->
  <!-- test: prints=service -->
` + "  ```console\n  $ bluegreen deploy \\\n      web\n  one\n  $ true\n  ```" + `

<!-- test: not run: needs a bank -->
` + "```sh\npay\n```\n```\ndrawing\n```\n"

func TestAPageIsItsBlocksWithTheirDirections(t *testing.T) {
	page, err := Parse("p.md", example)
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{Line: 9, Language: "yaml", Text: "services: {}\n", Directions: Directions{File: "compose.yaml"}},
		{Line: 13, Language: Setup, Text: "touch x\n"},
		{Line: 22, Language: "console", Text: "$ bluegreen deploy \\\n    web\none\n$ true\n", Directions: Directions{Exit: 1, Prints: []string{"no such", "service"}}},
		{Line: 30, Language: "sh", Text: "pay\n", Directions: Directions{NotRun: "needs a bank"}},
		{Line: 33, Text: "drawing\n"},
	}
	if !reflect.DeepEqual(page.Blocks, want) {
		t.Errorf("got  %+v\nwant %+v", page.Blocks, want)
	}
	spans := []Span{{3, "bluegreen deploy"}, {3, "bluegreen rollback"}}
	if !reflect.DeepEqual(page.Spans, spans) {
		t.Errorf("got %+v", page.Spans)
	}
}

func TestWhatAPageSaysWronglyIsAnErrorWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"<!-- test: exit=1 -->\nwords\n```sh\n```":  "p.md:2: text between",
		"a\n\n<!-- test: exit=1 -->\n":              "p.md:3: no block follows",
		"<!-- test: exit=one -->\n```sh\n```":       "invalid syntax",
		"<!-- test: exits=1 -->\n```sh\n```":        `no such direction: "exits=1"`,
		"<!-- test: not run: -->\n```sh\n```":       "no such direction",
		"```sh\nnever ends\n":                       "does not end",
		"<!-- test: setup\nnever ends\n":            "does not end",
		"<!-- test: file=a -->\n\n\nb\n```\nc\n```": "text between",
	} {
		if _, err := Parse("p.md", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestAConsoleBlockIsCommandsAndWhatTheyPrint(t *testing.T) {
	got, err := Block{Language: "console", Text: "$ one \\\n  two\nout\n\n  more\n$ three\n"}.Commands()
	want := []Command{{Text: "one \\\n  two", Output: []string{"out", "", "  more"}}, {Text: "three"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: %+v", err, got)
	}
	if _, err := (Block{Line: 7, Language: "console", Text: "out\n$ one\n"}).Commands(); err == nil || !strings.Contains(err.Error(), "line 7") {
		t.Errorf("output before a command: %v", err)
	}
	script, err := Block{Language: "sh", Text: "a\nb\n"}.Commands()
	if err != nil || len(script) != 1 || script[0].Text != "a\nb" {
		t.Errorf("%v: %+v", err, script)
	}
}

func TestACommandInABlockWithoutALanguageIsFound(t *testing.T) {
	for text, want := range map[string]string{
		"live: real1\n": "", "a\n  $ ls\n": "$ ls", "bluegreen deploy\n": "bluegreen deploy", "bluegreen: failed\n": "",
	} {
		if got, _ := (Block{Text: text}).CommandIn(); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestWhatIsShownHasToBePrintedUpToItsNumbers(t *testing.T) {
	for _, c := range []struct {
		shown, printed string
		missing        string
	}{
		{"hello", "hello\n", ""},
		{"hello", "hell\n", "hello"},
		{"[1/2] start real1 (513 ms)", "note\n[1/2] start real1 (1.2 s)\n", ""},
		{"[1/2] start real1 (513 ms)", "[2/2] start real1 (513 ms)\n", "[1/2] start real1 (513 ms)"},
		{"live  real2", "live real1\n", "live  real2"},
		{"web   1   5m", "web 12     7h\n", ""},
		{"a … z", "a b c z\n", ""},
		{"a … z", "a b c\n", "a … z"},
		{"…", "", ""},
		{"b\na", "a\nb\n", "a"},
		{"shop:v43 is live", "shop:v42 is live", "shop:v43 is live"},
		{"until 2027-02-15", "until 2030-01-01", ""},
	} {
		if got := (Command{Output: strings.Split(c.shown, "\n")}).Missing(c.printed); got != c.missing {
			t.Errorf("%q in %q: got %q", c.shown, c.printed, got)
		}
	}
}
