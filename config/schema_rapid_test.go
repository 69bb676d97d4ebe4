package config

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// asWritten is a decoded value as it stands in a file: a $ that means itself is written twice.
func asWritten(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "$", "$$")
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = asWritten(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key := range v {
			out[key] = asWritten(v[key])
		}
		return out
	}
	return v
}

func hostFile(section any) any { return map[string]any{extension: section} }

func serviceFile(section any) any {
	return map[string]any{"services": map[string]any{"web": map[string]any{extension: section}}}
}

// schemaTakes fails unless the schema takes what the decoder took. The file is what hostFile or serviceFile makes.
func schemaTakes(t *rapid.T, file any) {
	if err := validate(t, asWritten(file)); err != nil {
		t.Fatalf("the decoder takes %#v, and the schema does not: %v", file, err)
	}
}

// plausibleText are texts of every kind that a key takes, and some that are nearly so.
func plausibleText() *rapid.Generator[string] {
	var texts []*rapid.Generator[string]
	for _, form := range []string{
		`[+-]?([0-9]{0,4}\.?[0-9]{0,3}(ns|us|µs|μs|ms|s|m|h)){1,3}`, `[+-]?0{0,2}\.?0{0,2}(s|ms)`, `[1-9][0-9]{0,2}(ms|s|m|h)`,
		`[+-]?[0-9]{1,6}`, `[0-9]{1,4}[kKmMgG]?`, `\+?0{0,2}[45][0-9]{2}`,
		`(\*\.)?[a-zA-Z0-9_-]{1,5}(\.[a-z0-9_-]{1,5}){0,2}(\.\*)?(:[0-9]{1,5})?`, `\[[0-9a-fA-F:.]{2,9}\](:[0-9]{1,2})?`,
		`(/[A-Za-z0-9._~-]{0,5}){1,3}`, `/[!-~]{0,6}(\?[!-~]{0,4})?`, `/(%[0-9a-fA-F]{2}|[a-z$&]){0,4}`,
		`[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?`, `10\.[0-9]\.0\.0/(1[6-9]|2[0-9])`, `[0-9a-fA-F:]{2,12}(/[0-9]{1,3})?`, `(::|fd00::)[0-9a-f]{0,4}`,
		`[a-zA-Z0-9._/-]{1,12}(:[a-zA-Z0-9._-]{1,6})?(@sha256:[a-f0-9]{64})?`, `[a-f0-9]{64}`,
		`[A-Za-z][A-Za-z0-9_-]{0,9}`, `[ -~\t]{1,8}`, `.{1,4}`,
	} {
		texts = append(texts, rapid.StringMatching(form))
	}
	known := rapid.SampledFrom([]string{"true", "false", "profile", "status", "text", "host", "container", "off", ""})
	return rapid.OneOf(append(texts, rapid.String(), known, known)...)
}

// plausible are values most of which are of a shape's kind.
func plausible(s shape, text *rapid.Generator[string]) *rapid.Generator[any] {
	scalar := rapid.OneOf(rapid.Map(text, asAny[string]), rapid.Map(text, asAny[string]), rapid.Map(rapid.IntRange(-1, 70000), asAny[int]),
		rapid.Map(rapid.Int(), asAny[int]), rapid.Map(rapid.Bool(), asAny[bool]), rapid.Map(rapid.Float64Range(-2, 9), asAny[float64]))
	list := rapid.Map(rapid.SliceOfN(rapid.Map(text, asAny[string]), 0, 2), asAny[[]any])
	section := rapid.Map(rapid.MapOfN(text, scalar, 1, 2), asAny[map[string]any])
	any := rapid.OneOf(scalar, list, rapid.Map(rapid.SliceOfN(scalar, 0, 2), asAny[[]any]), section)
	switch {
	case s.PropertyNames != nil:
		return rapid.OneOf(section, section, section, any)
	case s.Items != nil:
		return rapid.OneOf(list, list, list, any)
	}
	return rapid.OneOf(scalar, scalar, scalar, any)
}

// TestSchema_TakesWhatTheDecoderTakes: an editor never complains of a file that works.
func TestSchema_TakesWhatTheDecoderTakes(t *testing.T) {
	texts, taken := plausibleText(), map[string]int{}
	eachField(func(at string, f field, file place) {
		if f.takes.fields != nil {
			return // its own keys come, one by one
		}
		values := plausible(f.takes, texts)
		t.Run(at, rapid.MakeCheck(func(t *rapid.T) {
			for range 6 {
				v := values.Draw(t, "value")
				if f.set(v) == nil {
					schemaTakes(t, file(v))
					taken[at]++
				}
			}
		}))
	})
	all := 0
	for _, n := range taken {
		all += n
	}
	t.Logf("%d values were taken: %v", all, taken)
	if all < 1000 || len(taken) < 40 {
		t.Errorf("the decoder took too few of the values")
	}
}

// TestSchema_DefaultsAndExamplesAreTaken by both, and a variable wherever compose puts one in.
func TestSchema_DefaultsAndExamplesAreTaken(t *testing.T) {
	eachField(func(at string, f field, file place) {
		for _, v := range append(slices.Clone(f.takes.Examples), f.takes.Default) {
			if v == nil {
				continue
			}
			if wrong := f.set(asDecoded(v)); wrong != nil {
				t.Errorf("%s: %#v is refused: %+v", at, v, wrong)
			}
			if err := validate(t, file(asDecoded(v))); err != nil {
				t.Errorf("%s: %v", at, err)
			}
		}
		if f.takes.fields != nil {
			return
		}
		for _, text := range []string{"${X}", "$X", "a${X:-5s}", "$$${X}"} {
			if err := validate(t, file(withVariable(f.takes, text))); err != nil {
				t.Errorf("%s: %s: %v", at, text, err)
			}
		}
	})
}

// TestSchema_TakesRareSpellings that the decoder takes.
func TestSchema_TakesRareSpellings(t *testing.T) {
	rare := map[string][]any{
		"service.watch":                      {"-.1ns", "-0s", "+1h1.5m", "1000us", "2000µs", "1.s"},
		"service.upstream.keepalive_timeout": {"0s5ms", ".001s", "1000000ns"},
		"service.max_body":                   {0, "0", "1048576", "1G"},
		"service.container_port":             {"8080", "+80", "0080"},
		"service.error_pages":                {map[string]any{"0502": "a"}, map[string]any{"+502": "a"}},
		"service.grpc":                       {true, "false", []any{"/a"}},
		"host.nginx.image":                   {strings.Repeat("0a", 32), "localhost:5000/a/b_c:1@sha256:" + strings.Repeat("0a", 32)},
	}
	eachField(func(at string, f field, file place) {
		for _, v := range rare[at] {
			if wrong := f.set(v); wrong != nil {
				t.Errorf("%s: %v is refused: %+v", at, v, wrong)
			}
			if err := validate(t, file(v)); err != nil {
				t.Errorf("%s: %v", at, err)
			}
		}
		delete(rare, at)
	})
	if len(rare) > 0 {
		t.Errorf("no such keys: %v", rare)
	}
}

// asDecoded is a value of the program's as YAML would give it.
func asDecoded(v any) any {
	switch v := v.(type) {
	case []string:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	case map[string]string:
		return mapped(v)
	case map[string]int:
		return mapped(v)
	}
	return v
}

func mapped[V any](m map[string]V) any {
	out := map[string]any{}
	for key := range maps.Keys(m) {
		out[key] = m[key]
	}
	return out
}

// withVariable is the text where a value of the shape has room for one.
func withVariable(s shape, text string) any {
	switch {
	case s.Items != nil:
		return []any{text}
	case s.MinProperties == 2:
		return map[string]any{"a": text, "b": text}
	case s.PropertyNames != nil:
		return map[string]any{"503": text}
	}
	return text
}

// TestSchema_ADollarThatMeansItselfIsNoVariable: $$ is compose's way to write one.
func TestSchema_ADollarThatMeansItselfIsNoVariable(t *testing.T) {
	for _, text := range []string{"$$X", "$${X}", "a$$$$b", "$", "a$ b", "5$"} {
		for key, section := range map[string]place{"container_port": serviceFile, "watch": serviceFile, "keep_old": serviceFile, "name": serviceFile, "probe": hostFile} {
			if validate(t, section(map[string]any{key: text})) == nil {
				t.Errorf("%s: %s is taken", key, text)
			}
		}
	}
}

// TestSchema_EverySectionRefusesUnknownKeys, and takes its own without a value.
func TestSchema_EverySectionRefusesUnknownKeys(t *testing.T) {
	refuses := func(at string, section place) {
		if validate(t, section(map[string]any{"banana": 1})) == nil {
			t.Errorf("%s.banana is taken", at)
		}
	}
	refuses("service", serviceFile)
	refuses("host", hostFile)
	eachField(func(at string, f field, file place) {
		if f.takes.parts() != nil {
			refuses(at, func(v any) any { return file(nest(f.takes, v)) })
		}
		if err := validate(t, file(nil)); err != nil {
			t.Errorf("%s without a value: %v", at, err)
		}
	})
}
