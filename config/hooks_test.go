package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestHooksAreReadInTheirShortAndTheirLongForm(t *testing.T) {
	var h Hooks
	f := section(hooksFields(&h)...).set(map[string]any{
		"pre_deploy": "./check.sh",
		"pre_switch": []any{
			map[string]any{"run": []any{"./manage.py", "migrate"}, "in": "container", "timeout": "10m"},
			"./smoke-test.sh",
		},
		"on_failure": map[string]any{"run": "./tell.sh", "timeout": "30s"},
	})
	want := Hooks{
		PreDeploy: []Hook{{Script: "./check.sh", In: InHost, Timeout: DefaultHookTimeout}},
		PreSwitch: []Hook{
			{Args: []string{"./manage.py", "migrate"}, In: InContainer, Timeout: 10 * time.Minute},
			{Script: "./smoke-test.sh", In: InHost, Timeout: DefaultHookTimeout},
		},
		OnFailure: []Hook{{Script: "./tell.sh", In: InHost, Timeout: 30 * time.Second}},
	}
	if f != nil || !reflect.DeepEqual(h, want) {
		t.Errorf("%v\n%+v\nwant %+v", f, h, want)
	}
	if !h.AtSwitch() || (Hooks{OnFailure: h.OnFailure}).AtSwitch() {
		t.Error("which of them are for the switch")
	}
}

// TestAWrongHookIsToldWithoutWhatItRuns: it may hold a secret.
func TestAWrongHookIsToldWithoutWhatItRuns(t *testing.T) {
	const secret = "s3cr3t"
	for name, test := range map[string]struct {
		v    any
		says string
	}{
		"an event that is none":      {map[string]any{"pre_swich": secret}, "did you mean"},
		"an empty script":            {map[string]any{"pre_switch": " "}, "pre_switch.run: is empty"},
		"no run":                     {map[string]any{"pre_switch": map[string]any{"timeout": "1m"}}, "pre_switch.run: is missing"},
		"an unknown key":             {map[string]any{"pre_switch": []any{map[string]any{"run": secret, "on": "host"}}}, "pre_switch.0.on: unknown key"},
		"a place that is none":       {map[string]any{"pre_switch": map[string]any{"run": secret, "in": "docker"}}, "pre_switch.in: "},
		"a time without a unit":      {map[string]any{"pre_switch": map[string]any{"run": secret, "timeout": 5}}, "has no unit"},
		"a number":                   {map[string]any{"pre_switch": 5}, "pre_switch: must be a script"},
		"a list with a number":       {map[string]any{"pre_switch": map[string]any{"run": []any{secret, 5}}}, "pre_switch.run: must be a list of texts"},
		"a list that is empty":       {map[string]any{"pre_switch": map[string]any{"run": []any{}}}, "pre_switch.run: names no program"},
		"a section that is a script": {secret, "must be a section"},
	} {
		t.Run(name, func(t *testing.T) {
			f := section(hooksFields(&Hooks{})...).set(test.v)
			if f == nil {
				t.Fatal("it was taken")
			}
			said := strings.Join(f.at, ".") + ": " + f.what + " " + f.do
			if !strings.Contains(said, test.says) || strings.Contains(said, secret) && name != "a section that is a script" {
				t.Errorf("said %q, want %q and no secret", said, test.says)
			}
		})
	}
}
