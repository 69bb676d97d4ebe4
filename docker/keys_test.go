package docker

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// unlisted are the keys compose knows and bluegreen refuses without a reason of its own. A key that a new compose-go
// brings is refused too; this test then asks for a decision.
var unlisted = map[string][]string{
	"service": {
		"blkio_config", "cpu_count", "cpu_percent", "credential_spec", "isolation", "log_driver", "log_opt", "models", "net", "provider", "umask",
		"use_api_socket", "volume_driver",
	},
	"service.networks": {"gw_priority", "interface_name"},
	"service.volumes":  {"image"},
	"service.volumes.bind": {
		"recursive",
	},
}

func TestEveryKeyOfComposeIsDecided(t *testing.T) {
	decided(t, "service", serviceKeys, reflect.TypeFor[types.ServiceConfig]())
}

func decided(t *testing.T, path string, table keys, of reflect.Type) {
	t.Helper()
	known := map[string]bool{}
	for f := range fields(of) {
		name := yamlName(f)
		known[name] = true
		h, listed := table[name]
		if listed == slices.Contains(unlisted[path], name) {
			t.Errorf("%s.%s: carried over, left out or refused? (listed: %t)", path, name, listed)
		}
		inner := mappingType(f.Type)
		switch {
		case inner == nil || !listed || h.refuse != "":
		case h.inside == nil && !slices.Contains(ignored(path), name):
			t.Errorf("%s.%s has keys of its own, which nothing decides on", path, name)
		case h.inside != nil:
			decided(t, path+"."+name, h.inside, inner)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !known[name] {
			t.Errorf("%s.%s is no key of compose", path, name)
		}
	}
}

// ignored are the keys of which nothing below matters.
func ignored(path string) []string {
	return map[string][]string{
		"service":                               {"build", "depends_on", "develop", "env_file", "extends"},
		"service.deploy":                        {"update_config", "rollback_config", "placement", "restart_policy"},
		"service.deploy.resources.limits":       {"devices", "generic_resources"},
		"service.deploy.resources.reservations": {"generic_resources"},
	}[path]
}

// mappingType is the struct behind pointers, lists and maps, if there is one.
func mappingType(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return mappingType(t.Elem())
	case reflect.Struct:
		return t
	default:
		return nil
	}
}

func TestAKeyNobodyKnowsIsRefused(t *testing.T) {
	type tomorrow struct {
		types.ContainerSpec `yaml:",inline"`
		Teleport            string `yaml:"teleport,omitempty"`
	}
	err := serviceKeys.check("services.web", reflect.ValueOf(tomorrow{Teleport: "on"}))
	if err == nil || err.Error() != "services.web.teleport: bluegreen does not carry this key over" {
		t.Errorf("got %v", err)
	}
	if err := serviceKeys.check("services.web", reflect.ValueOf(tomorrow{})); err != nil {
		t.Errorf("not set: %v", err)
	}
}
