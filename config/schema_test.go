package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

func compiled(text []byte) (*jsonschema.Schema, error) {
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("x-bluegreen.schema.json", tree); err != nil {
		return nil, err
	}
	return c.Compile("x-bluegreen.schema.json")
}

var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) { return compiled(JSONSchema()) })

// validate is what an editor says of a tree as YAML gives it.
func validate(t interface{ Fatal(...any) }, tree any) error {
	schema, err := compiledSchema()
	if err != nil {
		t.Fatal(err)
	}
	return validateBy(t, schema, tree)
}

func validateBy(t interface{ Fatal(...any) }, schema *jsonschema.Schema, tree any) error {
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(v)
}

func parsed(t *testing.T, text string) (tree any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return tree
}

// validateText is what an editor says of a compose file.
func validateText(t *testing.T, text string) error {
	t.Helper()
	return validate(t, parsed(t, text))
}

// beyondTests are tests of what the schema does not speak of, all of their cases.
var beyondTests = map[string]string{
	"TestLoad_RefusesChoices":             "which service is meant, and what compose calls it",
	"TestLoad_RefusesImageAndEnvironment": "compose's own keys, and flags",
	"TestLoad_RefusesNames":               "flags",
	"TestLoad_RefusesComposesOwn":         "compose's own keys, and YAML itself",

	"TestPullPolicyThatCannotBeHonouredIsRefused": "compose's own keys, and flags",

	"TestLoad_HostileFiles":                                     "YAML itself, and compose's own keys",
	"TestLoad_RefusesEnvFileWithAVariableOfOurs":                "what stands in another file",
	"TestLoad_RefusesACertificateThatClientsOrNginxWouldRefuse": "what stands in another file",
	"TestLoad_RefusesFilesThatCannotBeRead":                     "whether a file is there",
}

// beyond are the cases that the schema takes although Load does not, with the reason.
var beyond = map[string][]string{
	"compose takes any other key that begins with x-":            {"extension misspelt", "the host's section misspelt"},
	"a duration may have several units: its sum is no pattern's": {"endless", "finer than nginx counts", "hsts of a moment", "hsts without an end"},
	"arithmetic of addresses":                                    {"subnet with host bits", "a network with host bits"},
	"one of many right spellings":                                {"address spelled otherwise"},
	"a flag":                                                     {"address as a caller's", "nginx's port as a flag", "adopted nginx with the flag of an image", "adopted nginx with the flag of a port"},
	"between two keys of a section, which another file laid over this one may say": {
		"expect text without one", "text without expect", "timeout above deadline", "one variable for both",
		"adopted nginx with a port", "adopted nginx with an image", "folder without a container",
		"no key", "no name", "no names", "no url", "no file of passwords", "grpc beside the paths", "a header that is the release's",
	},
	"the same but for the case of letters": {"a header of two cases", "a public name", "profiles that differ in case only"},
	"between a service and the host": {
		"the host's lock of another network", "nginx of another network", "nginx's default port", "nginx's status port", "nginx's own ports equal",
		"nginx's port said", "shutdown cuts proxy_timeout", "shutdown said and too short", "https is nginx's other port", "a site on somebody else's nginx", "somebody else's nginx",
	},
	"between two services": {
		"another service's proxy_timeout", "two default servers", "two services, one port", "two services, one server name",
		"two services, one path of a server name", "two services, one path of all names", "two services, two certificates for one name",
		"a preview under another service's name", "a service under the name of another one's preview", "two previews, one name",
		"two previews, one path of a name", "two previews, two certificates for one name",
		"a path with gRPC that is another service's", "two services, one name", "two services, one container",
	},
	"between two values of a key":    {"two profiles on a port", "a profile named like the lock", "a path with gRPC twice", "a name twice", "a path twice"},
	"the sum of what nginx can read": {"more names than fit", "more networks than fit", "more headers than fit"},
}

// schemaAgrees asks the schema about what Load refused: it refuses it too, or the case is listed as beyond it.
func schemaAgrees(t *testing.T, name, text string) {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	if beyondTests[test] != "" {
		return
	}
	err := validateText(t, text)
	for reason, names := range beyond {
		for _, n := range names {
			if n != name {
				continue
			}
			if err != nil {
				t.Errorf("the schema knows what is listed as beyond it (%s): %v", reason, err)
			}
			return
		}
	}
	if err == nil {
		t.Error("the schema takes it")
	}
}

// A name that is listed as beyond the schema is one of a case: the list does not outlive them.
func TestSchema_WhatIsBeyondItIsACase(t *testing.T) {
	var all strings.Builder
	for _, file := range []string{"bad_test.go", "web_test.go", "pull_test.go", "hostile_test.go", "preview_test.go", "notify_test.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, names := range beyond {
		for _, name := range names {
			if !strings.Contains(all.String(), fmt.Sprintf("{name: %q,", name)) {
				t.Errorf("no case is named %q", name)
			}
		}
	}
	for test := range beyondTests {
		if !strings.Contains(all.String(), "func "+test+"(") {
			t.Errorf("there is no %s", test)
		}
	}
}

// yamlBlock is a block of a page that is marked as YAML.
var yamlBlock = regexp.MustCompile("(?ms)^```ya?ml\n(.*?)^```")

// examples are the compose files of the repository and those in its pages, by place.
func examples(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, pattern := range []string{"../examples/*/compose.yaml", "../examples/*/*/compose.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			found[name] = read(name)
		}
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(pages, "../README.md", "../examples/hello/README.md", "../examples/runtimes/README.md") {
		for i, block := range yamlBlock.FindAllStringSubmatch(read(name), -1) {
			if strings.Contains(block[1], extension+":") {
				found[fmt.Sprintf("%s, block %d", name, i+1)] = block[1]
			}
		}
	}
	return found
}

func TestSchema_TakesEveryExample(t *testing.T) {
	sections := 0
	for place, text := range examples(t) {
		if err := validateText(t, text); err != nil {
			t.Errorf("%s: %v", place, err)
		}
		sections += strings.Count(text, extension+":")
	}
	if sections < 10 {
		t.Errorf("only %d sections were seen", sections)
	}
}

// TestSchema_StandsBesideComposesOwn: editors take both for a file at once, and neither refuses what is the other's.
func TestSchema_StandsBesideComposesOwn(t *testing.T) {
	c := jsonschema.NewCompiler()
	for name, text := range map[string]string{
		"compose.json": schema.Schema, "ours.json": string(JSONSchema()), "both.json": `{"allOf": [{"$ref": "compose.json"}, {"$ref": "ours.json"}]}`,
	} {
		tree, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(name, tree); err != nil {
			t.Fatal(err)
		}
	}
	both, err := c.Compile("both.json")
	if err != nil {
		t.Fatal(err)
	}
	for place, text := range examples(t) {
		if err := validateBy(t, both, parsed(t, text)); err != nil {
			t.Errorf("%s: %v", place, err)
		}
	}
	for what, text := range map[string]string{"ours": one("watch: 5"), "compose's": "services: {web: {imag: a}}"} {
		if validateBy(t, both, parsed(t, text)) == nil {
			t.Errorf("what is wrong by %s schema is taken", what)
		}
	}
}

func TestSchema_DocsAreWhatTheCodeMakes(t *testing.T) {
	for name, want := range map[string]string{"../docs/x-bluegreen.schema.json": string(JSONSchema()), "../docs/reference.md": Reference()} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is not what the code makes (%v): run `make docs`", name, err)
		}
	}
}
