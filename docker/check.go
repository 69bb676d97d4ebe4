package docker

import (
	"cmp"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// UnsupportedError names a compose key that bluegreen does not carry over.
type UnsupportedError struct{ Path, Reason string }

func (e *UnsupportedError) Error() string { return e.Path + ": " + e.Reason }

// Check converts the spec without asking the engine anything and returns the first reason why it
// cannot be carried over exactly (see UnsupportedError).
func Check(service types.ServiceConfig, project *types.Project) error {
	_, err := convert(service, project)
	return err
}

// check returns an *UnsupportedError for the first key that is set in a compose mapping and cannot be carried over.
func (k keys) check(path string, mapping reflect.Value) error {
	for f := range fields(mapping.Type()) {
		value := mapping.FieldByIndex(f.Index)
		if empty(value) {
			continue
		}
		name := yamlName(f)
		h, known := k[name]
		if !known {
			h.refuse = "bluegreen does not carry this key over"
		}
		if err := h.check(path+"."+name, value); err != nil {
			return err
		}
	}
	return nil
}

func (h handling) check(path string, value reflect.Value) error {
	reason := h.refuse
	if reason == "" && h.accept != nil {
		reason = h.accept(value.Interface())
	}
	if reason != "" {
		return &UnsupportedError{Path: path, Reason: reason}
	}
	if h.inside == nil {
		return nil
	}
	return h.inside.checkAll(path, value)
}

// checkAll descends through pointers, lists and maps to the mappings in them.
func (k keys) checkAll(path string, value reflect.Value) error {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return k.checkAll(path, value.Elem())
	case reflect.Slice:
		for i := range value.Len() {
			if err := k.checkAll(fmt.Sprintf("%s[%d]", path, i), value.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		names := value.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, name := range names {
			if err := k.checkAll(path+"."+name.String(), value.MapIndex(name)); err != nil {
				return err
			}
		}
		return nil
	default:
		return k.check(path, value)
	}
}

// fields yields the fields that stand for a key, those of embedded structs as if they were the struct's own. Left
// out are x-… extensions and what compose-go keeps for itself.
func fields(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			name := yamlName(f)
			if f.Anonymous || !f.IsExported() || name == "-" || name == "#extensions" {
				continue
			}
			if !yield(f) {
				return
			}
		}
	}
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// empty says that a key is not set. A list or map without entries sets nothing, except for command and entrypoint,
// which are carried over in any case.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}
