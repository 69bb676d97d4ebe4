package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
