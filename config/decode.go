package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/nginx"
)

// field is one key of a section: what takes its value, and what it means, in sentences for a person.
type field struct {
	key string
	setter
	means string
}

// setter takes the value of a key. It is all that is known of it: the schema and the reference are made of it too.
type setter struct {
	set   func(v any) *fault // checks a value as YAML (or interpolation, which makes texts) gives it, and stores it
	takes shape              // what set takes
}

// then does more once a value was taken.
func (s setter) then(more func()) setter {
	set := s.set
	s.set = func(v any) *fault {
		f := set(v)
		if f == nil {
			more()
		}
		return f
	}
	return s
}

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
	return setter{func(v any) *fault { return decode(v, fields) }, sectionShape(fields)}
}

// made is a section that stands for something which is there only when the section is: it is made of what it is
// without any key.
func made[T any](p **T, bare T, fields func(*T) []field) setter {
	set := func(v any) *fault {
		t := bare
		*p = &t
		return decode(v, fields(*p))
	}
	return setter{set, sectionShape(fields(&bare))}
}

// text takes what is valid. A form, if there is one, says for editors what a pattern can say of that.
func text(p *string, valid func(string) error, form ...nginx.Form) setter {
	set := func(v any) *fault {
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
	return setter{set, textShape("a text", form...).withDefault(*p)}
}

// choice takes one of the known texts.
func choice(p *string, known ...string) setter {
	return setter{text(p, oneOf(known)).set, choiceShape(known).withDefault(*p)}
}

func texts(p *[]string, valid func(string) error, form ...nginx.Form) setter {
	s := list(p, func(item *string) setter { return text(item, valid, form...) })
	if len(*p) > 0 {
		s.takes.Default = *p
	}
	return s
}

// list takes a list of what item takes.
func list[T any](p *[]T, item func(*T) setter) setter {
	set := func(v any) *fault {
		items, ok := v.([]any)
		if !ok {
			return wrongType(v, "a list ([a, b])")
		}
		out := make([]T, len(items))
		for i := range items {
			if f := item(&out[i]).set(items[i]); f != nil {
				return f.under(strconv.Itoa(i))
			}
		}
		*p = out
		return nil
	}
	return setter{set, listShape(item(new(T)).takes)}
}

func number(p *int, low, high int) setter {
	set := func(v any) *fault {
		if s, ok := v.(string); ok {
			if n, err := strconv.Atoi(s); err == nil {
				v = n
			}
		}
		if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32 {
			v = int(f) // 80.0 is a whole number in JSON's schemas, and so YAML reads 08080
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
	return setter{set, numberShape(low, high).withDefault(*p)}
}

const maxPort = 65535

func port(p *int) setter { return number(p, 1, maxPort) }

func truth(p *bool) setter {
	set := func(v any) *fault {
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
	s := setter{set, truthShape()}
	s.takes.Default = *p
	return s
}

// maxDuration keeps every sum of durations, and nginx's own milliseconds, far from overflow.
const maxDuration = 30 * 24 * time.Hour

// duration reads "250ms" or "5s", at least low. nginx counts in milliseconds, so nothing finer is taken.
func duration(p *time.Duration, low time.Duration) setter {
	set := func(v any) *fault {
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
	s := setter{set, durationShape(low, maxDuration)}
	if *p != 0 {
		s.takes.Default = show(*p)
	}
	return s
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
	case nil:
		return "nothing"
	default:
		return fmt.Sprintf("the number %v", v)
	}
}
