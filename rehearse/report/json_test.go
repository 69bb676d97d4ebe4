package report

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../../docs/rehearsal.schema.json"

// schemaTree is the published schema, as JSON.
func schemaTree(t *testing.T) map[string]any {
	t.Helper()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tree, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	return tree.(map[string]any)
}

func compiled(t *testing.T, tree any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", tree); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// strict is the schema with no key allowed that it does not name.
func strict(t *testing.T) *jsonschema.Schema {
	t.Helper()
	tree := schemaTree(t)
	tree["additionalProperties"] = false
	for _, def := range tree["$defs"].(map[string]any) {
		def.(map[string]any)["additionalProperties"] = false
	}
	return compiled(t, tree)
}

// tree is the report's JSON.
func tree(t *testing.T, r Report) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func TestEveryReportKeepsTheSchema(t *testing.T) {
	schema := strict(t)
	all := samples()
	all["hostile"], all["empty"] = hostile(), Report{Schema: Schema, Runs: []Run{{}}}
	for name, r := range all {
		if err := schema.Validate(tree(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaAllowsAddedKeys(t *testing.T) {
	v := tree(t, samples()["five"])
	v["later"] = true
	v["runs"].([]any)[0].(map[string]any)["later"] = "too"
	if err := compiled(t, schemaTree(t)).Validate(v); err != nil {
		t.Error(err)
	}
	if strict(t).Validate(v) == nil {
		t.Error("the strict schema of these tests lets unknown keys pass")
	}
}

func TestSchemaRefusesWrongDocuments(t *testing.T) {
	schema := compiled(t, schemaTree(t))
	run := func(v map[string]any) map[string]any { return v["runs"].([]any)[0].(map[string]any) }
	swap := func(v map[string]any) map[string]any { return run(v)["swaps"].([]any)[0].(map[string]any) }
	for name, spoil := range map[string]func(map[string]any){
		"no verdict":              func(v map[string]any) { delete(v, "verdict") },
		"another schema":          func(v map[string]any) { v["schema"] = json.Number("2") },
		"a negative loss":         func(v map[string]any) { run(v)["lost"] = json.Number("-1") },
		"half a request":          func(v map[string]any) { run(v)["requests"] = json.Number("1.5") },
		"runs null":               func(v map[string]any) { v["runs"] = nil },
		"a time as text":          func(v map[string]any) { v["duration_ms"] = "2s" },
		"no such day":             func(v map[string]any) { v["began"] = "yesterday" },
		"a swap without number":   func(v map[string]any) { delete(swap(v), "number") },
		"swap 0":                  func(v map[string]any) { swap(v)["number"] = json.Number("0") },
		"a share without its old": func(v map[string]any) { delete(swap(v)["share"].(map[string]any), "old") },
	} {
		v := tree(t, samples()["five"])
		spoil(v)
		if schema.Validate(v) == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// TestSchemaDescribesEveryKey compares the keys of the structs with those of the schema, in both directions.
func TestSchemaDescribesEveryKey(t *testing.T) {
	tree := schemaTree(t)
	seen := map[string]bool{}
	compareKeys(t, tree, tree, reflect.TypeFor[Report](), seen)
	for name := range tree["$defs"].(map[string]any) {
		if !seen[name] {
			t.Errorf("the schema defines %s, which no struct has", name)
		}
	}
}

func compareKeys(t *testing.T, root, def map[string]any, of reflect.Type, seen map[string]bool) {
	t.Helper()
	properties := def["properties"].(map[string]any)
	var keys []string
	for field := range of.Fields() {
		key, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, key)
		property, ok := properties[key].(map[string]any)
		if !ok {
			t.Errorf("%s.%s (%s) is not in the schema", of.Name(), field.Name, key)
			continue
		}
		if said, _ := property["description"].(string); said == "" {
			t.Errorf("%s of %s has no description", key, of.Name())
		}
		if required := slices.Contains(def["required"].([]any), any(key)); required == (options == "omitempty") {
			t.Errorf("%s of %s: required %v, with option %q", key, of.Name(), required, options)
		}
		inner, name := field.Type, reference(property)
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if name != "" && !seen[name] {
			seen[name] = true
			compareKeys(t, root, root["$defs"].(map[string]any)[name].(map[string]any), inner, seen)
		}
	}
	for key := range properties {
		if !slices.Contains(keys, key) {
			t.Errorf("the schema has %s in %s, which the struct has not", key, of.Name())
		}
	}
}

// reference is the definition that a property is described by: itself, its items, or one of its choices.
func reference(property map[string]any) string {
	if ref, ok := property["$ref"].(string); ok {
		return strings.TrimPrefix(ref, "#/$defs/")
	}
	if items, ok := property["items"].(map[string]any); ok {
		return reference(items)
	}
	if choices, ok := property["anyOf"].([]any); ok {
		return reference(choices[0].(map[string]any))
	}
	return ""
}

func TestWritingLeavesTheReportAsItWas(t *testing.T) {
	r, same := samples()["observed"], samples()["observed"]
	r.Runs[0].Swaps, same.Runs[0].Swaps = nil, nil
	if err := r.WriteJSON(&bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, same) {
		t.Error("writing changed the report")
	}
}

func TestAFigureThatIsNoNumberIsAnError(t *testing.T) {
	r := samples()["five"]
	r.Runs[0].LongestGap = MS(math.NaN())
	if r.WriteJSON(&bytes.Buffer{}) == nil || r.WriteHTML(&bytes.Buffer{}) == nil {
		t.Error("written")
	}
}
