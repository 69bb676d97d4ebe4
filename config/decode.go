package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one key of a section and what takes its value.
type field struct {
	key string
	set setter
}

// setter checks a value as YAML (or interpolation, which makes texts) gives it, and stores it.
type setter func(v any) *fault

// decode reads a section strictly. Keys without a value keep what is there.
func decode(v any, fields []field) *fault {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return wrongType(v, "a section with keys of its own ("+keyList(fields)+")")
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.key == key }) {
			return unknownKey(key, fields)
		}
	}
	for _, f := range fields {
		if m[f.key] == nil {
			continue
		}
		if wrong := f.set(m[f.key]); wrong != nil {
			return wrong.under(f.key)
		}
	}
	return nil
}

func unknownKey(key string, fields []field) *fault {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	f := &fault{at: []string{key}, what: "unknown key" + didYouMean(key, known)}
	if other, ok := elsewhere(key); ok {
		f.do = other
	} else {
		f.do = "Known here: " + keyList(fields) + "."
	}
	return f
}

func keyList(fields []field) string {
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.key)
	}
	return b.String()
}

func section(fields ...field) setter {
	return func(v any) *fault { return decode(v, fields) }
}

func text(p *string, valid func(string) error) setter {
	return func(v any) *fault {
		s, ok := v.(string)
		if !ok {
			return wrongType(v, "a text (in quotes)")
		}
		if err := valid(s); err != nil {
			return &fault{what: err.Error()}
		}
		*p = s
		return nil
	}
}

func texts(p *[]string, valid func(string) error) setter {
	return func(v any) *fault {
		list, ok := v.([]any)
		if !ok {
			return wrongType(v, "a list ([a, b])")
		}
		out := make([]string, len(list))
		for i, item := range list {
			if f := text(&out[i], valid)(item); f != nil {
				return f.under(strconv.Itoa(i))
			}
		}
		*p = out
		return nil
	}
}

func number(p *int, low, high int) setter {
	return func(v any) *fault {
		if s, ok := v.(string); ok {
			if n, err := strconv.Atoi(s); err == nil {
				v = n
			}
		}
		n, ok := v.(int)
		if !ok {
			return wrongType(v, "a whole number")
		}
		if n < low || n > high {
			return &fault{what: fmt.Sprintf("%d is not between %d and %d", n, low, high)}
		}
		*p = n
		return nil
	}
}

const maxPort = 65535

func port(p *int) setter { return number(p, 1, maxPort) }

func truth(p *bool) setter {
	return func(v any) *fault {
		if s, ok := v.(string); ok && (s == "true" || s == "false") {
			v = s == "true"
		}
		b, ok := v.(bool)
		if !ok {
			return wrongType(v, "true or false")
		}
		*p = b
		return nil
	}
}

// maxDuration keeps every sum of durations, and nginx's own milliseconds, far from overflow.
const maxDuration = 30 * 24 * time.Hour

// duration reads "250ms" or "5s", at least low. nginx counts in milliseconds, so nothing finer is taken.
func duration(p *time.Duration, low time.Duration) setter {
	return func(v any) *fault {
		s, ok := v.(string)
		if !ok {
			s = fmt.Sprint(v)
		}
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return &fault{what: s + " has no unit", do: fmt.Sprintf(`Write "%ss" or "%sms".`, s, s)}
		}
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return wrongType(v, `a duration like "250ms", "5s" or "2m"`)
		case d < low || d > maxDuration:
			return &fault{what: fmt.Sprintf("%s is not between %s and %s", s, low, maxDuration)}
		case d%time.Millisecond != 0:
			return &fault{what: s + " is finer than a millisecond"}
		}
		*p = d
		return nil
	}
}

func wrongType(v any, want string) *fault {
	return &fault{what: "must be " + want + ", not " + describe(v)}
}

func describe(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the text %q", v)
	case bool:
		return fmt.Sprint(v)
	case map[string]any:
		return "a section"
	case []any:
		return "a list"
	default:
		return fmt.Sprintf("the number %v", v)
	}
}
