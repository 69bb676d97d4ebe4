package main

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/swap"
)

// TestNoVariableOfAHookIsAFlag: a bluegreen that a hook runs would take it for one.
func TestNoVariableOfAHookIsAFlag(t *testing.T) {
	source, err := os.ReadFile("../../swap/hooks.go")
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]bool{}
	for _, name := range regexp.MustCompile(`(release\()?"(BLUEGREEN_[A-Z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		if name[1] == "" {
			variables[name[2]] = true
			continue
		}
		for _, more := range []string{"_RELEASE", "_PROFILE", "_IMAGE"} {
			variables[name[2]+more] = true
		}
	}
	if len(variables) < 15 {
		t.Fatalf("only %d variables were found", len(variables))
	}
	seen := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		check := func(f *pflag.Flag) {
			seen++
			if variables[variableOf(f.Name)] {
				t.Errorf("%s of `%s` is a hook's variable, too", variableOf(f.Name), c.CommandPath())
			}
		}
		c.Flags().VisitAll(check)
		c.PersistentFlags().VisitAll(check)
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk((&app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}).root())
	if seen < 50 || !strings.HasPrefix(variableOf("dry-run"), "BLUEGREEN_DRY") {
		t.Errorf("only %d flags were seen", seen)
	}
}

func TestAHookTalksToTheEngineOfItsCommand(t *testing.T) {
	for _, x := range []struct {
		a    app
		want string
	}{
		{app{}, ""},
		{app{host: "ssh://shop-1"}, "DOCKER_HOST=ssh://shop-1 DOCKER_CONTEXT="},
		{app{context: "prod"}, "DOCKER_HOST= DOCKER_CONTEXT=prod"},
	} {
		if got := strings.Join(x.a.engineEnv(), " "); got != x.want {
			t.Errorf("got %q, want %q", got, x.want)
		}
	}
}

func TestQuietlyAFailedHookStillSaysItsLastLines(t *testing.T) {
	var errs bytes.Buffer
	a := &app{stdout: &bytes.Buffer{}, stderr: &errs, quiet: true}
	err := &swap.HookError{Event: swap.StepPreSwitch, N: 1, Of: 1, Err: errors.New("exited with code 1"), Tail: []string{"table orders", "is locked"}}
	(&plain{app: a}).result(swap.Result{Service: "shop"}, swap.Request{Command: swap.Deploy}, err)
	if !strings.Contains(errs.String(), "| table orders\n") || !strings.Contains(errs.String(), "pre_switch hook exited with code 1") || !strings.Contains(errs.String(), "--no-hooks") {
		t.Errorf("said %q", errs.String())
	}
}

// TestEveryCommandThatRunsHooksCanLeaveThemOut: what its failure says is true.
func TestEveryCommandThatRunsHooksCanLeaveThemOut(t *testing.T) {
	root := (&app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}).root()
	seen := 0
	for _, c := range root.Commands() {
		runs := swap.Command(c.Name()).RunsHooks()
		if runs {
			seen++
		}
		if has := c.Flags().Lookup("no-hooks") != nil; has != runs {
			t.Errorf("%s runs hooks: %v, has --no-hooks: %v", c.Name(), runs, has)
		}
	}
	if seen != 6 {
		t.Errorf("%d commands run hooks, want 6", seen)
	}
}
