//go:build linux

package e2e

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

var expression = regexp.MustCompile(`\$\{\{ *([\w.]+) *\}\}`)

// githubJobs reads a workflow: the steps with `run` of each job, with the environment of workflow, job and step.
func githubJobs(t *testing.T, values map[string]string) map[string]job {
	t.Helper()
	text := expression.ReplaceAllStringFunc(string(recipeText(t, "github-actions.yml")), func(found string) string {
		return known(t, values, expression.FindStringSubmatch(found)[1])
	})
	var recipe struct {
		Env  map[string]string
		Jobs map[string]struct {
			Env   map[string]string
			Steps []struct {
				Name, Run, Uses string
				Env             map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &recipe); err != nil {
		t.Fatal(err)
	}
	jobs := map[string]job{}
	for name, j := range recipe.Jobs {
		for _, s := range j.Steps {
			if s.Run == "" {
				t.Logf("NOT RUN: the step of %s that uses %s", name, s.Uses)
				continue
			}
			env := map[string]string{}
			for _, more := range []map[string]string{recipe.Env, j.Env, s.Env} {
				maps.Copy(env, more)
			}
			jobs[name] = append(jobs[name], step{s.Name, s.Run, env})
		}
	}
	return jobs
}

// gitlabJob is a job as GitLab has it; what it extends is another one.
type gitlabJob struct {
	Extends      string
	Variables    map[string]string
	BeforeScript yaml.Node `yaml:"before_script"`
	Script       []string
}

// gitlabJobs reads a pipeline: the lines of each job, which run in one shell.
func gitlabJobs(t *testing.T, values map[string]string) map[string]job {
	t.Helper()
	var top map[string]yaml.Node
	if err := yaml.Unmarshal(recipeText(t, "gitlab-ci.yml"), &top); err != nil {
		t.Fatal(err)
	}
	all := map[string]gitlabJob{}
	for name, node := range top {
		var j gitlabJob
		if node.Kind == yaml.MappingNode && name != "variables" && name != "workflow" {
			if err := node.Decode(&j); err != nil {
				t.Fatal(err)
			}
			all[name] = j
		}
	}
	var global map[string]string
	variables := top["variables"]
	if err := variables.Decode(&global); err != nil {
		t.Fatal(err)
	}
	jobs := map[string]job{}
	for name, j := range all {
		base := all[j.Extends]
		env := maps.Clone(values)
		for key := range values {
			env[key] = known(t, values, key)
		}
		for _, more := range []map[string]string{global, base.Variables, j.Variables} {
			for key, value := range more {
				env[key] = os.Expand(value, func(used string) string { return known(t, values, used) })
			}
		}
		lines := append(before(t, all, base.BeforeScript), j.Script...)
		jobs[name] = job{{name, strings.Join(lines, "\n"), env}}
	}
	return jobs
}

// before is the lines of a before_script; one of them may be !reference [JOB, before_script].
func before(t *testing.T, all map[string]gitlabJob, node yaml.Node) (lines []string) {
	t.Helper()
	for _, item := range node.Content {
		if item.Tag == "!reference" {
			lines = append(lines, before(t, all, all[item.Content[0].Value].BeforeScript)...)
			continue
		}
		lines = append(lines, item.Value)
	}
	return lines
}
