package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// place makes a compose file with a value at a key.
type place func(v any) any

// eachField visits every key of both sections, with its place.
func eachField(visit func(at string, f field, file place)) {
	walk("service.", serviceFields(defaults()), serviceFile, visit)
	walk("host.", hostFields(hostDefaults()), hostFile, visit)
}

func walk(under string, fields []field, file place, visit func(at string, f field, file place)) {
	for _, f := range fields {
		here := func(v any) any { return file(map[string]any{f.key: v}) }
		visit(under+f.key, f, here)
		walk(under+f.key+".", f.takes.parts(), func(v any) any { return here(nest(f.takes, v)) }, visit)
	}
}

// nest puts a section where a shape has its parts.
func nest(s shape, section any) any {
	for _, one := range s.AnyOf {
		if one.parts() != nil {
			return nest(one, section)
		}
	}
	if s.fields == nil && s.Items != nil {
		return []any{nest(*s.Items, section)}
	}
	return section
}

func TestFields_EveryKeySaysWhatItTakesAndMeans(t *testing.T) {
	n := 0
	eachField(func(at string, f field, _ place) {
		n++
		if f.means == "" || !strings.HasSuffix(f.means, ".") {
			t.Errorf("%s means %q: write a sentence", at, f.means)
		}
		if f.takes.kind == "" || f.set == nil {
			t.Errorf("%s does not say what it takes", at)
		}
		if len(f.takes.Type) == 0 && len(f.takes.AnyOf) == 0 {
			t.Errorf("%s has no shape for the schema", at)
		}
	})
	if n < 50 {
		t.Errorf("only %d keys were seen", n)
	}
}

// A key may take a text, or a list of texts and sections: schema and reference have the keys of these sections too.
func TestFields_ATextOrAListOfSections(t *testing.T) {
	var run, in string
	one := section(
		field{"run", text(&run, notEmpty, notEmptyForm), "What runs."},
		field{"in", choice(&in, "old", "new"), "Where."},
	)
	line := text(&run, notEmpty, notEmptyForm)
	each := setter{set: line.set, takes: anyShape("a text or a section", line.takes, one.takes)}
	var all []string
	several := list(&all, func(*string) setter { return each })
	fields := []field{{"hook", setter{set: several.set, takes: anyShape("a text, or a list", line.takes, several.takes)}, "A hook."}}

	seen := ""
	walk("", fields, func(v any) any { return v }, func(at string, _ field, file place) { seen += fmt.Sprintf("%s %v\n", at, file("x")) })
	if want := "hook map[hook:x]\nhook.run map[hook:[map[run:x]]]\nhook.in map[hook:[map[in:x]]]\n"; seen != want {
		t.Errorf("keys:\n%s\nnot\n%s", seen, want)
	}
	var page strings.Builder
	writeFields(&page, "", fields)
	for _, want := range []string{"| `hook` | a text, or a list | none | A hook. |", "### `hook`", "| `run` | a text | none | What runs. |"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, page.String())
		}
	}
	page.Reset()
	if writeFields(&page, "", append(fields, field{"after", fields[0].setter, "After it."})); strings.Count(page.String(), "| `run` |") != 1 || !strings.Contains(page.String(), "### `hook`, `after`") {
		t.Errorf("keys that are the same stand there twice:\n%s", page.String())
	}
	text, err := json.Marshal(sectionShape(fields))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiled(text)
	if err != nil {
		t.Fatal(err)
	}
	for value, taken := range map[string]bool{
		"a": true, "[a, {run: b, in: old}]": true, "": true, "[]": true, "[{}]": true, "${A}": true,
		"{run: a}": false, "[{rum: a}]": false, "[{run: ''}]": false, "[[a]]": false, "5": false, "[{in: nowhere}]": false,
	} {
		if err := validateBy(t, schema, parsed(t, "hook: "+value)); (err == nil) != taken {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// What the page shows as a default or an example can be copied into a file.
func TestReference_DefaultsAndExamplesAreYAML(t *testing.T) {
	eachField(func(at string, f field, _ place) {
		for _, v := range append(slices.Clone(f.takes.Examples), f.takes.Default) {
			if v == nil {
				continue
			}
			equal(t, at+": "+flow(v), parsed(t, flow(v)), asDecoded(v))
		}
	})
}
