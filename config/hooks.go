package config

import (
	"strings"
	"time"
)

// Hooks are commands that a team has run around a swap. They belong to the compose file: the host remembers none, since what
// it remembers must not be a way to have something run elsewhere.
type Hooks struct {
	PreDeploy  []Hook // before anything is touched
	PreSwitch  []Hook // the new release is healthy, and has no traffic yet
	PostSwitch []Hook // it is live, and was watched
	OnFailure  []Hook // the run failed, and what was begun is undone
}

// Hook is one command.
type Hook struct {
	Script  string   // for sh; "" when Args says it
	Args    []string // a program with its arguments, or what is given to the image's entry point
	In      Where
	Timeout time.Duration
}

// Where is where a hook runs.
type Where string

// A hook runs on the machine where bluegreen does, or in a container of its own, made like one of the new release.
const (
	InHost      Where = "host"
	InContainer Where = "container"
)

// AtSwitch says whether there are hooks for a switch.
func (h Hooks) AtSwitch() bool { return len(h.PreSwitch)+len(h.PostSwitch) > 0 }

// hooksFields are the keys of the hooks.
func hooksFields(h *Hooks) []field {
	return []field{
		{"pre_deploy", hookList(&h.PreDeploy).like("./check-disk.sh"), "Before anything is touched. One that fails ends the deploy."},
		{"pre_switch", hookList(&h.PreSwitch).like([]any{map[string]any{"run": []any{"./manage.py", "migrate"}, "in": "container"}, "./smoke-test.sh"}),
			"Once the new release is healthy, before it has traffic. One that fails undoes the deploy."},
		{"post_switch", hookList(&h.PostSwitch).like("./purge-cache.sh"), "Once the new release is live and was watched. One that fails is a warning."},
		{"on_failure", hookList(&h.OnFailure).like("./tell-the-team.sh"), "When the command failed, and what it began is undone."},
	}
}

// hookList reads one hook or a list of them.
func hookList(p *[]Hook) setter {
	var one Hook
	single, several := hook(&one), list(p, hook)
	set := func(v any) *fault {
		if _, ok := v.([]any); ok {
			return several.set(v)
		}
		return single.then(func() { *p = []Hook{one} }).set(v)
	}
	return setter{set, anyShape("a script, a section with `run`, `in` and `timeout`, or a list of them", append(single.takes.AnyOf, several.takes)...)}
}

// hook reads a script, or a section. What it runs may hold a secret, and is not repeated.
func hook(p *Hook) setter {
	*p = Hook{In: InHost, Timeout: DefaultHookTimeout}
	whole := section(
		field{"run", hookCommand(p).or(needed), "A script for sh, or a program with its arguments."},
		field{"in", choice((*string)(&p.In), string(InHost), string(InContainer)), "Where it runs: beside bluegreen, or in a container like the release's."},
		field{"timeout", duration(&p.Timeout, time.Millisecond), "How long it may take before it is ended with all that it started."},
	)
	set := func(v any) *fault {
		*p = Hook{In: InHost, Timeout: DefaultHookTimeout}
		if s, ok := v.(string); ok {
			v = map[string]any{"run": s}
		}
		m, ok := v.(map[string]any)
		if !ok {
			return &fault{what: "must be a script, or a section with run", do: "Write `run: ./smoke-test.sh`."}
		}
		f := whole.set(m)
		if f == nil && p.Script == "" && len(p.Args) == 0 {
			f = &fault{at: []string{"run"}, what: "is missing", do: "Say what is to be run."}
		}
		return f
	}
	return setter{set, anyShape("a script or a section", scriptShape, whole.takes)}
}

// scriptShape is a text with something in it.
var scriptShape = textShape("a script", notEmptyForm)

func hookCommand(p *Hook) setter {
	set := func(v any) *fault {
		switch v := v.(type) {
		case string:
			if strings.TrimSpace(v) == "" || strings.ContainsRune(v, 0) {
				return &fault{what: "is empty"}
			}
			p.Script = v
			return nil
		case []any:
			var args []string
			for _, item := range v {
				s, ok := item.(string)
				if !ok || strings.ContainsRune(s, 0) {
					return &fault{what: "must be a list of texts", do: `Write numbers in quotes: ["sleep", "5"].`}
				}
				args = append(args, s)
			}
			if len(args) == 0 || args[0] == "" {
				return &fault{what: "names no program"}
			}
			p.Args = args
			return nil
		}
		return &fault{what: "must be a script (a text) or a program with its arguments (a list)"}
	}
	program := listShape(textShape("a text"))
	program.MinItems = 1
	return setter{set, anyShape("a script, or a list: a program and its arguments", scriptShape, program)}
}
