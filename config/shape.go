package config

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bluegreen/nginx"
)

// shape is what a key takes, in the words of JSON Schema (draft-07, which editors know best).
type shape struct {
	Schema      string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Ref       string     `json:"$ref,omitempty"`
	AnyOf     []shape    `json:"anyOf,omitempty"`
	Not       *shape     `json:"not,omitempty"`
	Type      shapeTypes `json:"type,omitempty"`
	Enum      []string   `json:"enum,omitempty"`
	Minimum   *int       `json:"minimum,omitempty"`
	Maximum   *int       `json:"maximum,omitempty"`
	MinLength int        `json:"minLength,omitempty"`
	MaxLength int        `json:"maxLength,omitempty"`
	Pattern   string     `json:"pattern,omitempty"`             // of texts alone
	Otherwise string     `json:"patternErrorMessage,omitempty"` // editors say this rather than the pattern

	Items    *shape `json:"items,omitempty"`
	MinItems int    `json:"minItems,omitempty"`

	Properties    map[string]shape `json:"properties,omitempty"`
	PropertyNames *shape           `json:"propertyNames,omitempty"`
	Others        any              `json:"additionalProperties,omitempty"` // false, or their shape
	MinProperties int              `json:"minProperties,omitempty"`
	MaxProperties int              `json:"maxProperties,omitempty"`

	Default     any              `json:"default,omitempty"`
	Examples    []any            `json:"examples,omitempty"`
	Definitions map[string]shape `json:"definitions,omitempty"`

	kind   string  // the same for a person: "a duration"
	absent string  // what counts where the key is absent and no default of its own says it
	fields []field // of a section, in their order
}

// shapeTypes are JSON's words for kinds of values. One of them is written as itself.
type shapeTypes []string

// MarshalJSON writes a text, or a list of them.
func (t shapeTypes) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// interpolated is a text in which compose puts the value of a variable: what comes of it, no schema knows.
const interpolated = `(^|[^$])(\$\$)*\$(\{|[A-Za-z_])`

// orText takes texts too, that match the pattern or have a variable in them.
func (s shape) orText(pattern string) shape {
	s.Type = append(s.Type, "string")
	s.Pattern = fmt.Sprintf("(%s)|%s", pattern, interpolated)
	return s
}

func textShape(kind string, forms ...nginx.Form) shape {
	s := shape{kind: kind}
	if len(forms) == 0 {
		s.Type = shapeTypes{"string"}
		return s
	}
	f := forms[0]
	if f.Not == "" && f.Max == 0 {
		return s.orText(f.Pattern)
	}
	plain := shape{Type: shapeTypes{"string"}, Pattern: f.Pattern, MaxLength: f.Max}
	if f.Not != "" {
		plain.Not = &shape{Pattern: f.Not}
	}
	s.AnyOf = []shape{plain, {Type: shapeTypes{"string"}, Pattern: interpolated}}
	return s
}

func choiceShape(known []string) shape {
	return shape{
		kind:  "`" + strings.Join(known, "`, `") + "`",
		AnyOf: []shape{{Enum: known}, {Type: shapeTypes{"string"}, Pattern: interpolated}},
	}
}

func numberShape(low, high int) shape {
	kind := fmt.Sprintf("a whole number, %d to %d", low, high)
	if high == math.MaxInt32 {
		kind = fmt.Sprintf("a whole number, %d or more", low)
	}
	s := shape{kind: kind, Type: shapeTypes{"integer"}, Minimum: &low, Maximum: &high}
	return s.orText(`^[+-]?[0-9]+$`)
}

func truthShape() shape {
	return shape{kind: "`true` or `false`", Type: shapeTypes{"boolean"}}.orText(`^(true|false)$`)
}

// durationShape says no more of the bounds than whether nothing is one: several units make one duration.
func durationShape(low, high time.Duration) shape {
	const unit = `(ns|us|µs|μs|ms|s|m|h)`
	const number = `([0-9]+(\.[0-9]*)?|\.[0-9]+)`
	const some = `([0-9]*[1-9][0-9]*(\.[0-9]*)?|[0-9]*\.[0-9]*[1-9][0-9]*)`
	kind := fmt.Sprintf("a duration, %s to %dh", show(low), high/time.Hour)
	if low > 0 {
		return shape{kind: kind}.orText(`^\+?(` + number + unit + `)*` + some + unit + `(` + number + unit + `)*$`)
	}
	const nothing = `(0+(\.[0-9]*)?|\.[0-9]+)` // -0.1ns is nothing too, and no pattern knows from where on
	return shape{kind: kind}.orText(`^(\+?(` + number + unit + `)+|-(` + nothing + unit + `)+)$`)
}

func listShape(item shape) shape {
	return shape{kind: "a list of " + strings.TrimPrefix(item.kind, "a ") + "s", Type: shapeTypes{"array"}, Items: &item}
}

// mapShape is a section whose keys are a person's own.
func mapShape(kind string, names nginx.Form, values shape) shape {
	keys := shape{Pattern: names.Pattern, MaxLength: names.Max}
	if names.Not != "" {
		keys.Not = &shape{Pattern: names.Not}
	}
	return shape{kind: kind, Type: shapeTypes{"object"}, PropertyNames: &keys, Others: values}
}

// sectionShape is what decode takes.
func sectionShape(fields []field) shape {
	s := shape{kind: "a section", Type: shapeTypes{"object", "null"}, Properties: map[string]shape{}, Others: false, fields: fields}
	for _, f := range fields {
		s.Properties[f.key] = f.shape()
	}
	return s
}

// shape is that of the key's value, which may be absent even where the key is there.
func (f field) shape() shape {
	s := f.takes.worded().orNull()
	s.Description = f.means
	return s
}

// worded says what is taken wherever a pattern would.
func (s shape) worded() shape {
	if s.Pattern != "" {
		s.Otherwise = "Must be " + strings.ReplaceAll(s.kind, "`", "") + "."
	}
	s.AnyOf = slices.Clone(s.AnyOf)
	for i, one := range s.AnyOf {
		if one.kind == "" {
			one.kind = s.kind
		}
		s.AnyOf[i] = one.worded()
	}
	if s.Items != nil {
		item := s.Items.worded()
		s.Items = &item
	}
	if others, ok := s.Others.(shape); ok {
		s.Others = others.worded()
	}
	return s
}

// parts are the keys of the section that is taken, be it one way of several, or each of a list.
func (s shape) parts() []field {
	if s.fields != nil {
		return s.fields
	}
	for _, one := range s.AnyOf {
		if fields := one.parts(); fields != nil {
			return fields
		}
	}
	if s.Items != nil {
		return s.Items.parts()
	}
	return nil
}

func (s shape) orNull() shape {
	null := shape{Type: shapeTypes{"null"}}
	switch {
	case len(s.AnyOf) > 0:
		s.AnyOf = append(s.AnyOf[:len(s.AnyOf):len(s.AnyOf)], null)
	case !slices.Contains(s.Type, "null"):
		s.Type = append(s.Type[:len(s.Type):len(s.Type)], null.Type...)
	}
	return s
}

// anyShape is what one of several takes.
func anyShape(kind string, of ...shape) shape { return shape{kind: kind, AnyOf: of} }

// withDefault says what counts without the key; the zero value says nothing.
func (s shape) withDefault(v any) shape {
	if v != "" && v != 0 {
		s.Default = v
	}
	return s
}

// needed is said of a key without which its section means nothing.
const needed = "needed"

// or says in words what counts without the key.
func (s setter) or(words string) setter {
	s.takes.absent = words
	return s
}

// like adds an example.
func (s setter) like(example any) setter {
	s.takes.Examples = append(s.takes.Examples[:len(s.takes.Examples):len(s.takes.Examples)], example)
	return s
}

// called names what is taken for a person.
func (s setter) called(kind string) setter {
	s.takes.kind = kind
	return s
}

// some refuses a list without anything in it.
func (s setter) some(what, do string) setter {
	set := s.set
	s.set = func(v any) *fault {
		if list, ok := v.([]any); ok && len(list) == 0 {
			return &fault{what: what, do: do}
		}
		return set(v)
	}
	s.takes.MinItems = 1
	return s
}
