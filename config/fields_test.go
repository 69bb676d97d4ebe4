package config

import (
	"strings"
	"testing"
)

// eachField visits every key of both sections, with its place.
func eachField(visit func(at string, f field)) {
	var walk func(at string, fields []field)
	walk = func(at string, fields []field) {
		for _, f := range fields {
			visit(at+f.key, f)
			walk(at+f.key+".", f.takes.fields)
		}
	}
	walk("service.", serviceFields(defaults()))
	walk("host.", hostFields(hostDefaults()))
}

func TestFields_EveryKeySaysWhatItTakesAndMeans(t *testing.T) {
	n := 0
	eachField(func(at string, f field) {
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
