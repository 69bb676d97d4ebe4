package grammar

import (
	"fmt"
	"testing"
)

func TestParseReadsWhatNginxReads(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "[]",
		"a;":                           "[{[a] [] false}]",
		"a b  c ;\n# a comment; {\nd;": "[{[a b c] [] false} {[d] [] false}]",
		"a { b c; }":                   "[{[a] [{[b c] [] false}] true}]",
		"a {} b;":                      "[{[a] [] true} {[b] [] false}]",
		`a "b c; {} #" 'd"';`:          `[{[a b c; {} # d"] [] false}]`,
		`a "\"\\" b\;c \n;`:            "[{[a \"\\ b\\;c \n] [] false}]",
		"a ${b}c;":                     "",
		"a ${b;":                       "[{[a ${b] [] false}]",
		"a":                            "", "a {": "", "a { b; ": "", "}": "", "a; }": "", ";": "", "{}": "", `a "b`: "", `a "b"c;`: "", `a b"c;`: "", "a b#c;": "", "a b\x00;": "", `a "\`: "", "a b}": "",
	} {
		got, err := Parse(text)
		if err != nil && want == "" {
			continue
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: got %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestShapeShowsVariables(t *testing.T) {
	list, err := Parse(`a $b "c$d-e$" f { g 'h'; }`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Shape(list), "a/3 $b $d $ {\ng/1\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("http { server { listen 80; } } # x\n")
	f.Add(`a "b\"c" 'd' ${e};`)
	f.Fuzz(func(t *testing.T, text string) {
		if list, err := Parse(text); err == nil {
			_ = Shape(list)
		}
	})
}
