package nginx

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stubOwnNginx has a configuration of its own, in which each line is a mask of files that it includes. It refuses files with
// the word "broken" in them, and notes how it was called.
const stubOwnNginx = `#!/bin/sh
conf=
for arg; do [ "$last" = -c ] && conf=$arg; last=$arg; done
echo "$*" >>"${conf%%/*}/calls"
case "$*" in *-T*) ;; *) exit 0 ;; esac
%s
IFS='
'
for file in $(cat "$conf"); do
    for one in $file; do
        case $(cat "$one" 2>/dev/null) in *broken*)
            echo "nginx: [emerg] unknown directive \"broken\" in $one:1" >&2; exit 1 ;;
        esac
        [ ! -f "$one" ] || printf '# configuration file %%s:\n%%s\n' "$one" "$(cat "$one")"
    done
done
`

// adopted is a place with an nginx of its owner's, which includes sites and the include of shop, or less.
func adopted(t *testing.T, includes ...string) (*localPlace, *Own) {
	t.Helper()
	p := newLocalPlace(t)
	own := &Own{Root: p.root, Conf: filepath.Join(t.TempDir(), "own.conf"), Prefix: "/opt/own", Read: []string{SitePath("shop"), IncludePath("shop")}}
	var masks []string
	for _, i := range includes {
		masks = append(masks, filepath.Join(p.root, i))
	}
	if err := os.WriteFile(own.Conf, []byte(strings.Join(masks, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.root, 0o755); err != nil {
		t.Fatal(err)
	}
	p.command("nginx", fmt.Sprintf(stubOwnNginx, ""))
	return p, own
}

var bothLines = []string{"sites/*.conf", "sites/shop/service-url.inc"}

func ownChange(run string, own *Own, to Target, site string) Change {
	return Change{
		Run: run, Test: true, Reload: true, Own: own, First: []File{{Path: StatePath("shop"), Text: fmt.Sprintf(`{"intent":%d}`, to.Release)}},
		Files: []File{{Path: SitePath("shop"), Text: site}, {Path: IncludePath("shop"), Text: Include(to)}},
	}
}

func TestAnAdoptedNginxIsTestedAndSignalledAsItWasStarted(t *testing.T) {
	p, own := adopted(t, bothLines...)
	p.mustApply(ownChange("run-1", own, Target{"shop", "real1", 1}, "site"))
	calls, err := os.ReadFile(filepath.Join(filepath.Dir(own.Conf), "calls"))
	want := fmt.Sprintf("-T -c %[1]s -p /opt/own\n-s reload -c %[1]s -p /opt/own\n", own.Conf)
	if err != nil || string(calls) != want {
		t.Errorf("%v, called as\n%swant\n%s", err, calls, want)
	}
	if got := p.tree(); got[SitePath("shop")] != "site" || len(got) != 5 { // with the two folders
		t.Errorf("there is %q", got)
	}
}

// TestWhatAnAdoptedNginxRefusesIsPutBack: files that were there before, and files that were not.
func TestWhatAnAdoptedNginxRefusesIsPutBack(t *testing.T) {
	for name, before := range map[string]bool{"a later deploy": true, "the first deploy": false} {
		t.Run(name, func(t *testing.T) {
			p, own := adopted(t, bothLines...)
			if before {
				p.mustApply(ownChange("run-1", own, Target{"shop", "real1", 1}, "site"))
			}
			was := p.files()
			var refused *TestError
			if err := p.apply(ownChange("run-2", own, Target{"shop", "real2", 2}, "broken")); !errors.As(err, &refused) || !strings.Contains(refused.Output, "broken") {
				t.Fatalf("got %v", err)
			}
			if got := p.files(); !maps.Equal(got, was) {
				t.Errorf("there is %q, was %q", got, was)
			}
		})
	}
}

func TestAnAdoptedNginxThatDoesNotReadTheFilesHasThemTakenAway(t *testing.T) {
	for _, c := range []struct{ includes, missing []string }{
		{nil, []string{SitePath("shop"), IncludePath("shop")}}, {bothLines[:1], []string{IncludePath("shop")}}, {bothLines[1:], []string{SitePath("shop")}},
	} {
		p, own := adopted(t, c.includes...)
		var unread *NotReadError
		if err := p.apply(ownChange("run-1", own, Target{"shop", "real1", 1}, "site")); !errors.As(err, &unread) {
			t.Fatalf("%q: got %v", c.includes, err)
		}
		var want []string
		for _, m := range c.missing {
			want = append(want, filepath.Join(p.root, m))
		}
		if strings.Join(unread.Files, " ") != strings.Join(want, " ") {
			t.Errorf("%q: %q, want %q", c.includes, unread.Files, want)
		}
		if got := p.files(); len(got) > 0 {
			t.Errorf("%q: left %q", c.includes, got)
		}
	}
}

// TestAFileThatSomebodyChangedMeanwhileIsNotPutBack: theirs is the last word.
func TestAFileThatSomebodyChangedMeanwhileIsNotPutBack(t *testing.T) {
	p, own := adopted(t, bothLines...)
	p.mustApply(ownChange("run-1", own, Target{"shop", "real1", 1}, "site"))
	include := filepath.Join(p.root, IncludePath("shop"))
	p.command("nginx", fmt.Sprintf(stubOwnNginx, fmt.Sprintf("printf theirs >'%s'", include)))
	if err := p.apply(ownChange("run-2", own, Target{"shop", "real2", 2}, "broken")); err == nil {
		t.Fatal("not refused")
	}
	if got := p.files(); got[IncludePath("shop")] != "theirs" || got[SitePath("shop")] != "site" {
		t.Errorf("there is %q", got)
	}
}

// TestAKilledChangeInAnAdoptedNginxLeavesWholeFilesAndTheNextTidies: whole old ones or whole new ones.
func TestAKilledChangeInAnAdoptedNginxLeavesWholeFilesAndTheNextTidies(t *testing.T) {
	for n := 0; ; n++ {
		p, own := adopted(t, bothLines...)
		p.mustApply(ownChange("run-1", own, Target{"shop", "real1", 1}, "site"))
		mortal := newLocalPlace(t)
		mortal.root = p.root
		mortal.countDown(n, external...)
		mortal.command("real-nginx", fmt.Sprintf(stubOwnNginx, ""))
		err := mortal.apply(ownChange("killed", own, Target{"shop", "real2", 2}, "new"))
		got := p.files()
		if s := got[SitePath("shop")]; s != "site" && s != "new" {
			t.Errorf("killed at %d: the site is %q", n, s)
		}
		if target, err := ParseInclude("shop", got[IncludePath("shop")]); err != nil || target.Release > 2 {
			t.Errorf("killed at %d: %v, %v", n, target, err)
		}
		p.mustApply(ownChange("next", own, Target{"shop", "real2", 3}, "next"))
		if left := p.files(); len(left) != 3 || left[SitePath("shop")] != "next" {
			t.Errorf("killed at %d: the next run leaves %q", n, left)
		}
		if err == nil {
			t.Logf("killed before each of %d commands", n)
			return
		}
		if n > 100 {
			t.Fatal("the script never came to its end")
		}
	}
}

// files are the regular files of the tree.
func (p *localPlace) files() map[string]string {
	got := p.tree()
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasSuffix(name, "/") })
	return got
}
