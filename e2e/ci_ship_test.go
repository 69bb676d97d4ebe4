//go:build linux

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/e2e/pages"
)

// job is what a runner runs in one shell after the other.
type job []step

type step struct {
	name, script string
	env          map[string]string
}

// shipping is a CI system: how its recipe is read, and what it calls what it tells a job.
type shipping struct {
	jobs func(t *testing.T, values map[string]string) map[string]job
	// What the system sets by itself and what its users set, for a commit, a registry and a folder.
	values func(commit, registry, project string) map[string]string
}

// A repository that follows the recipe ships two commits and goes back, each line of it as it stands.
func TestTheCIRecipesShipACommitAndGoBack(t *testing.T) {
	skipShort(t)
	for name, system := range map[string]shipping{"GitHub": {githubJobs, githubValues}, "GitLab": {gitlabJobs, gitlabValues}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := exec.Command("git", "-C", "..", "rev-parse", "HEAD").Run(); err != nil {
				t.Skip("SKIPPED: bluegreen's repository is what the recipe clones, and this is none")
			}
			d := newDesk(t, pages.Page{Name: name, Blocks: []pages.Block{{Text: "ssh://deploy@shop-1"}}})
			s := d.engine.shelfInside(t)
			d.project()
			for _, version := range []string{"v42", "v43"} {
				d.write("page/Dockerfile", "FROM shop:"+version+"\n", 0o644)
				jobs := system.jobs(t, system.values("c0ffee"+version, s, d.file("page")))
				for _, name := range []string{"test", "rehearse", "deploy"} {
					d.runJob(name, jobs[name])
					d.forget(s + "/shop:c0ffee" + version)
				}
				d.wantVersion(version)
			}
			jobs := system.jobs(t, system.values("c0ffeev43", s, d.file("page")))
			d.runJob("rollback", jobs["rollback"])
			d.wantVersion("v42")
		})
	}
}

// project makes the folder what the recipes say that it is.
func (d *desk) project() {
	d.t.Helper()
	d.write("page/Makefile", "test:\n\techo all is well\n", 0o644)
	d.write("page/compose.yaml", "services:\n  web:\n    image: shop:v42\n    x-bluegreen: {watch: 500ms}\n", 0o644)
	for _, key := range []string{"GOMODCACHE", "GOCACHE"} { // the home is another one
		text, err := exec.Command("go", "env", key).Output()
		d.must(err)
		d.env = append(d.env, key+"="+strings.TrimSpace(string(text)))
	}
}

// runJob runs a job as a runner does: every step by bash, which ends at the first error.
func (d *desk) runJob(name string, j job) {
	d.t.Helper()
	if len(j) == 0 && name != "test" {
		d.t.Fatalf("the recipe has no job %s", name)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), commandTimeout)
	defer cancel()
	paths := d.file("github-path")
	d.must(os.WriteFile(paths, nil, 0o600))
	for _, s := range j {
		added, err := os.ReadFile(paths)
		d.must(err)
		env := []string{"GITHUB_PATH=" + paths, "RUNNER_TEMP=" + d.t.TempDir()}
		if dirs := strings.Fields(string(added)); len(dirs) > 0 {
			env = append(env, "PATH="+strings.Join(dirs, ":")+":"+d.file("bin")+":"+os.Getenv("PATH"))
		}
		for key, value := range s.env {
			env = append(env, key+"="+value)
		}
		if printed, code := d.run(ctx, env, "bash", "-eo", "pipefail", "-c", s.script); code != 0 {
			d.t.Fatalf("%s, %s: exit %d\n%s\n%s", name, s.name, code, s.script, printed)
		}
	}
	d.must(os.RemoveAll(filepath.Join(d.dir, "page/.bluegreen"))) // the next job has a folder of its own
}

// forget removes what a job left of an image, so that the next one has to pull it, as another machine would.
func (d *desk) forget(image string) {
	d.t.Helper()
	if printed, code := d.typed("docker rmi --no-prune " + image + " 2>&1 || true"); code != 0 {
		d.t.Fatal(printed)
	}
}

func (d *desk) wantVersion(version string) {
	d.t.Helper()
	printed, _ := d.typed("curl -fsS http://127.0.0.1/")
	if want := "hello " + version + " "; !strings.HasPrefix(printed, want) {
		d.t.Fatalf("users get %q, want %q", printed, want)
	}
}

// githubValues are the expressions of a push to main.
func githubValues(commit, registry, _ string) map[string]string {
	return map[string]string{
		"github.sha": commit, "vars.REGISTRY": registry, "vars.DEPLOY_HOST": "ssh://deploy@shop-1", "vars.BLUEGREEN_REPOSITORY": "$REPOSITORY", "vars.BLUEGREEN_VERSION": "$COMMIT",
		"secrets.REGISTRY_USER": shelfUser, "secrets.REGISTRY_PASSWORD": shelfSecret, "secrets.SSH_KEY": "a key", "secrets.SSH_KNOWN_HOSTS": "a host",
	}
}

// gitlabValues are the variables of a pipeline of the default branch.
func gitlabValues(commit, registry, project string) map[string]string {
	return map[string]string{
		"CI_COMMIT_SHA": commit, "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_DIR": project,
		"CI_REGISTRY": registry, "CI_REGISTRY_IMAGE": registry + "/shop", "CI_REGISTRY_USER": shelfUser, "CI_REGISTRY_PASSWORD": shelfSecret,
		"DEPLOY_HOST": "ssh://deploy@shop-1", "BLUEGREEN_REPOSITORY": "$REPOSITORY", "BLUEGREEN_VERSION": "$COMMIT", "SSH_KEY": "a key", "SSH_KNOWN_HOSTS": "a host",
	}
}

// repositoryPath is where $REPOSITORY of the values leads.
func repositoryPath(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func recipeText(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../examples/ci/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// known looks up a value that a recipe uses.
func known(t *testing.T, values map[string]string, key string) string {
	t.Helper()
	value, found := values[key]
	if !found {
		t.Fatalf("the recipe uses %s, and nobody sets it", key)
	}
	if value == "$COMMIT" {
		text, err := exec.Command("git", "-C", "..", "rev-parse", "HEAD").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	return strings.ReplaceAll(value, "$REPOSITORY", repositoryPath(t))
}
