package nginx

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// dies stands in for a command: the whole script is killed when its N-th command begins.
const dies = `#!/bin/sh
read n <%[1]s/count
[ "$n" != 0 ] || kill -9 0
echo $((n - 1)) >%[1]s/count
exec %[2]s "$@"
`

// external are the commands that the script of a change starts.
var external = []string{"nginx", "mkdir", "rm", "cp", "cat", "sync", "mv", "ln", "tail"}

// countDown lets a script start n of these commands and no more.
func (p *localPlace) countDown(n int, commands ...string) {
	p.command("real-nginx", stubNginx)
	for _, name := range commands {
		real := filepath.Join(p.bin, "real-"+name)
		if name != "nginx" {
			real, _ = exec.LookPath(name)
		}
		p.command(name, fmt.Sprintf(dies, p.bin, real))
	}
	p.command("count", strconv.Itoa(n)+"\n")
}

// threeServices is the tree before: one service to be swapped and one to be removed.
func threeServices() Change {
	c := firstDeploy("run-1")
	c.Files = append(append(c.Files, siteOf("old")...), File{Path: IncludePath("old"), Text: Include(Target{"old", "real1", 1})})
	return c
}

func siteOf(service string) []File {
	c := namedSite()
	c.Service, c.ServerNames = service, []string{service + ".example.com"}
	return Site(c)
}

// everything swaps one service, adds one and removes one.
func everything(run string) Change {
	return Change{
		Run:   run,
		First: []File{{Path: StatePath("shop"), Text: `{"intent":2}`}},
		Files: append(siteOf("blog"),
			File{Path: "sites/old", Remove: true},
			File{Path: SitePath("old"), Remove: true},
			File{Path: PartPath("old", "old.example.com"), Remove: true},
			File{Path: IncludePath("shop"), Text: Include(Target{"shop", "real2", 2})},
			File{Path: IncludePath("blog"), Text: Include(Target{"blog", "real1", 1})}),
		Test: true, Reload: true,
	}
}

func TestAKillAtAnyMomentLeavesATreeThatNginxTakes(t *testing.T) {
	p := newLocalPlace(t)
	p.mustApply(threeServices())
	p.mustApply(everything("reference"))
	want := p.tree()
	delete(want, "signals")
	for n := 0; ; n++ {
		if n > 100 {
			t.Fatal("the script never came to its end")
		}
		if !p.killedAt(n, want) {
			t.Logf("killed before each of %d commands", n)
			return
		}
	}
}

// killedAt runs the change anew with a kill before the n-th command, looks at what that left, and lets the next run
// mend it. It returns false when the script ended before.
func (p *localPlace) killedAt(n int, want map[string]string) bool {
	p.t.Helper()
	q := newLocalPlace(p.t)
	q.command("sync", "#!/bin/sh\n") // only to save time
	q.mustApply(threeServices())
	mortal := newLocalPlace(p.t)
	mortal.root = q.root
	mortal.countDown(n, external...)
	err := mortal.apply(everything("killed"))
	q.checkSites(n)
	q.mustApply(everything("next"))
	got := q.tree()
	delete(got, "signals")
	if !maps.Equal(got, want) {
		p.t.Errorf("killed at %d: the next run leaves %q", n, got)
	}
	return err != nil
}

// checkSites is what nginx would look at, were it started now.
func (p *localPlace) checkSites(n int) {
	p.t.Helper()
	tree := p.tree()
	if tree[MainPath] != Main(MainConfig{Version: "1.30.6"}) {
		p.t.Errorf("killed at %d: nginx.conf is %q", n, tree[MainPath])
	}
	for name, text := range tree {
		service, ok := strings.CutPrefix(name, "sites/")
		service, site := strings.CutSuffix(service, ".conf")
		if !ok || !site {
			continue
		}
		target, err := ParseInclude(service, tree[IncludePath(service)])
		if err != nil || !HasGroup(text, Group(service, target.Profile)) {
			p.t.Errorf("killed at %d: %s with include %q: %v", n, name, tree[IncludePath(service)], err)
		}
	}
	for name := range tree {
		service, inSites := strings.CutPrefix(name, "sites/")
		service, _, _ = strings.Cut(service, "/")
		if inSites && strings.HasSuffix(name, partExt) && (tree[ProxyPath(service)] == "" || tree[IncludePath(service)] == "" || tree[SitePath(service)] == "") {
			p.t.Errorf("killed at %d: %s is there, and not all that it includes", n, name)
		}
	}
	if _, err := os.Stat(filepath.Join(p.root, "sites")); err != nil {
		p.t.Errorf("killed at %d: %v", n, err)
	}
}
