package report

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
)

// WriteJSON writes the report as one indented JSON object. A list without entries is [], never null. It fails when w
// does, or when a number is not finite.
func (r Report) WriteJSON(w io.Writer) error {
	text, err := json.MarshalIndent(whole(r), "", "  ")
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// whole is r with its empty lists made, in a copy: the caller's lists stay as they are.
func whole(r Report) Report {
	v := reflect.ValueOf(&r).Elem()
	fillLists(v)
	return r
}

func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fillLists(field)
			}
		}
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			fillLists(list.Index(i))
		}
		v.Set(list)
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return
		}
		to := reflect.New(v.Type().Elem())
		to.Elem().Set(v.Elem())
		fillLists(to.Elem())
		v.Set(to)
	}
}
