package config

import (
	"fmt"
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

// hooksSection reads {EVENT: HOOKS}.
func hooksSection(h *Hooks) setter {
	return section(
		field{"pre_deploy", hookList(&h.PreDeploy)},
		field{"pre_switch", hookList(&h.PreSwitch)},
		field{"post_switch", hookList(&h.PostSwitch)},
		field{"on_failure", hookList(&h.OnFailure)},
	)
}

// hookList reads one hook or a list of them.
func hookList(p *[]Hook) setter {
	return func(v any) *fault {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		out := make([]Hook, len(list))
		for i, item := range list {
			if f := hook(&out[i])(item); f != nil {
				if ok {
					f = f.under(fmt.Sprint(i))
				}
				return f
			}
		}
		*p = out
		return nil
	}
}

// hook reads a script, or a section. What it runs may hold a secret, and is not repeated.
func hook(p *Hook) setter {
	return func(v any) *fault {
		*p = Hook{In: InHost, Timeout: DefaultHookTimeout}
		if s, ok := v.(string); ok {
			v = map[string]any{"run": s}
		}
		m, ok := v.(map[string]any)
		if !ok {
			return &fault{what: "must be a script, or a section with run", do: "Write `run: ./smoke-test.sh`."}
		}
		f := section(
			field{"run", hookCommand(p)},
			field{"in", text((*string)(&p.In), validWhere)},
			field{"timeout", duration(&p.Timeout, time.Millisecond)},
		)(m)
		if f == nil && p.Script == "" && len(p.Args) == 0 {
			f = &fault{at: []string{"run"}, what: "is missing", do: "Say what is to be run."}
		}
		return f
	}
}

func hookCommand(p *Hook) setter {
	return func(v any) *fault {
		switch v := v.(type) {
		case string:
			if strings.TrimSpace(v) == "" || strings.ContainsRune(v, 0) {
				return &fault{what: "is empty"}
			}
			p.Script = v
			return nil
		case []any:
			for _, item := range v {
				s, ok := item.(string)
				if !ok || strings.ContainsRune(s, 0) {
					return &fault{what: "must be a list of texts", do: `Write numbers in quotes: ["sleep", "5"].`}
				}
				p.Args = append(p.Args, s)
			}
			if len(p.Args) == 0 || p.Args[0] == "" {
				return &fault{what: "names no program"}
			}
			return nil
		}
		return &fault{what: "must be a script (a text) or a program with its arguments (a list)"}
	}
}

func validWhere(s string) error {
	if w := Where(s); w != InHost && w != InContainer {
		return fmt.Errorf("%q is neither %s nor %s", s, InHost, InContainer)
	}
	return nil
}
