package nginx

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shells are those that the script must run under; busybox may come from BLUEGREEN_TEST_BUSYBOX.
func shells(t *testing.T, test func(t *testing.T, shell ...string)) {
	candidates := [][]string{{"sh"}, {"dash"}, {"bash", "--posix"}, {"busybox", "sh"}}
	if b := os.Getenv("BLUEGREEN_TEST_BUSYBOX"); b != "" {
		candidates = append(candidates, []string{b, "sh"})
	}
	for _, shell := range candidates {
		if _, err := exec.LookPath(shell[0]); err == nil {
			t.Run(filepath.Base(shell[0]), func(t *testing.T) { test(t, shell...) })
		}
	}
}

// firstDeploy is a whole tree with one service.
func firstDeploy(run string) Change {
	return Change{
		Run:   run,
		First: []File{{Path: StatePath("shop"), Text: `{"intent":1}`}},
		Files: []File{
			Site(defaultSite())[0], Site(defaultSite())[1], Site(defaultSite())[2], Site(defaultSite())[3],
			{Path: MainPath, Text: Main(MainConfig{Version: "1.30.6"})},
			{Path: IncludePath("shop"), Text: Include(Target{"shop", "real1", 1})},
		},
		Test: true, Reload: true,
	}
}

func TestApplyWritesWhatWasGiven(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		hostile := "$(touch /tmp/no) `id` \"'\\ \\n %s\n\n\n"
		c := firstDeploy("run-1")
		c.Files = append(c.Files, File{Path: "sites/shop/odd name", Text: hostile}, File{Path: "sites/shop/empty"})
		p.mustApply(c)
		want := map[string]string{
			"nginx.conf": Main(MainConfig{Version: "1.30.6"}), "signals": "reloaded\n", "sites/": "", "sites/shop/": "",
			"sites/shop.conf": Site(defaultSite())[0].Text, "sites/shop/proxy.inc": Site(defaultSite())[1].Text, "sites/shop/paths.inc": Site(defaultSite())[2].Text, "sites/shop/any.loc": Site(defaultSite())[3].Text, "sites/shop/service-url.inc": Include(Target{"shop", "real1", 1}),
			"sites/shop/state.json": `{"intent":1}`, "sites/shop/odd name": hostile, "sites/shop/empty": "",
		}
		if got := p.tree(); !maps.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestApplyOnlyTestsWhereThatIsAsked(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		p.mustApply(firstDeploy("run-1"))
		before := p.tree()
		c := firstDeploy("run-2")
		c.Only, c.Reload, c.First = true, false, nil
		c.Files[0].Text += "# another\n"
		p.mustApply(c)
		var refused *TestError
		c.Run, c.Files[0].Text = "run-3", "broken"
		if err := p.apply(c); !errors.As(err, &refused) {
			t.Errorf("want a refusal: %v", err)
		}
		if got := p.tree(); !maps.Equal(got, before) {
			t.Errorf("it changed the tree: %q in the site", got["sites/shop.conf"])
		}
	})
}

func TestApplyTestsBeforeItChangesAnything(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		p.mustApply(firstDeploy("run-1"))
		before := p.tree()
		err := p.apply(Change{
			Run: "run-2", Test: true, Reload: true,
			First: []File{{Path: StatePath("shop"), Text: "new"}},
			Files: []File{{Path: SitePath("shop"), Text: "broken;"}},
			Lines: []Line{{Path: HistoryPath("shop"), Text: "{}"}},
		})
		var refused *TestError
		if !errors.As(err, &refused) {
			t.Fatalf("got %v", err)
		}
		if want := `nginx: [emerg] unknown directive "broken" in sites/shop.conf:1`; refused.Output != want {
			t.Errorf("got %q, want %q", refused.Output, want)
		}
		if got := p.tree(); !maps.Equal(got, before) {
			t.Errorf("changed to %q", got)
		}
	})
}

func TestApplyLeavesFilesAloneThatSayTheSame(t *testing.T) {
	p := newLocalPlace(t)
	p.mustApply(firstDeploy("run-1"))
	old := stat(t, p, IncludePath("shop"))
	p.mustApply(firstDeploy("run-2"))
	if !os.SameFile(old, stat(t, p, IncludePath("shop"))) {
		t.Error("an equal include was written anew")
	}
	p.mustApply(Change{Run: "run-3", Files: []File{{Path: IncludePath("shop"), Text: Include(Target{"shop", "real1", 1}) + "\n"}}})
	if os.SameFile(old, stat(t, p, IncludePath("shop"))) {
		t.Error("another newline at the end was not noticed")
	}
}

func stat(t *testing.T, p *localPlace, name string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(filepath.Join(p.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestApplyKeepsTheLastLines(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		for i := range 4 {
			p.mustApply(Change{Run: "run", Lines: []Line{
				{Path: "sites/history.jsonl", Text: fmt.Sprintf(`{"n":%d}`, i), Keep: 2},
				{Path: "all", Text: fmt.Sprintf("%d\n", i)},
			}})
		}
		tree := p.tree()
		if got, want := tree["sites/history.jsonl"], "{\"n\":2}\n{\"n\":3}\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := tree["all"], "0\n1\n2\n3\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestApplyPutsALineInThePlaceOfAnEarlierOne(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		line := func(text, instead string) {
			p.mustApply(Change{Run: "run", Lines: []Line{{Path: "history", Text: text, Keep: 3, Instead: instead}}})
		}
		for _, l := range [][2]string{{"a 1", ""}, {"b 1", "b"}, {"b 2", "b"}, {"c 1", "c"}, {"b 3", "b"}, {"b * 4", "b"}, {"* 1", "*"}, {"\\d", "*"}, {" e", ""}} {
			line(l[0], l[1])
		}
		if got, want := p.tree()["history"], "c 1\n\\d\n e\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestAppendingLeavesOtherRunsAlone: history is written without the host's lock.
func TestAppendingLeavesOtherRunsAlone(t *testing.T) {
	p := newLocalPlace(t)
	p.mustApply(firstDeploy("run-1"))
	for _, dir := range []string{".try-other", "sites/shop/.x.bg-tmp-other"} {
		if err := os.MkdirAll(filepath.Join(p.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.mustApply(Change{Run: "run-2", Lines: []Line{{Path: HistoryPath("shop"), Text: "{}"}}})
	if left := leftovers(p.tree()); len(left) != 2 {
		t.Errorf("of two things of another run there is left: %q", left)
	}
}

func TestApplyRemoves(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		p.mustApply(firstDeploy("run-1"))
		p.mustApply(Change{Run: "run-2", Test: true, Files: []File{
			{Path: "sites/shop", Remove: true}, {Path: SitePath("shop"), Remove: true}, {Path: "sites/absent.conf", Remove: true},
		}})
		for name := range p.tree() {
			if strings.HasPrefix(name, "sites/shop") {
				t.Errorf("%s is still there", name)
			}
		}
	})
}

func TestApplyClearsWhatKilledRunsLeft(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		p := newLocalPlace(t, shell...)
		for _, name := range []string{".try-old/sites/shop/x", ".nginx.conf.bg-tmp-old", "sites/.shop.conf.bg-tmp-old", "sites/shop/.state.json.bg-tmp-old"} {
			file := filepath.Join(p.root, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		p.mustApply(firstDeploy("run-1"))
		if left := leftovers(p.tree()); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}

func TestApplyStopsWhenALaterRunTookOver(t *testing.T) {
	p := newLocalPlace(t)
	p.mustApply(firstDeploy("run-1"))
	before := p.tree()
	// The later run clears the temporary files at the moment when this one has laid out its texts.
	p.command("sync", "#!/bin/sh\nrm -rf \"${1%/sites/*}\"/.try-* \"${1%/*}\"/.*.bg-tmp-*\n")
	err := p.apply(Change{Run: "run-2", Test: true, Reload: true, Files: []File{{Path: IncludePath("shop"), Text: "late"}}})
	if err == nil || !strings.Contains(err.Error(), "later run took over") {
		t.Errorf("got %v", err)
	}
	if got := p.tree(); !maps.Equal(got, before) {
		t.Errorf("changed to %q", got)
	}
}

// TestApplyChangesNothingForARunThatLostItsLock: before it begins, or in the middle of it.
func TestApplyChangesNothingForARunThatLostItsLock(t *testing.T) {
	shells(t, func(t *testing.T, shell ...string) {
		for _, inTheMiddle := range []bool{false, true} {
			if inTheMiddle && strings.HasSuffix(shell[0], "busybox") {
				continue // it has a sync of its own
			}
			p := newLocalPlace(t, shell...)
			p.mustApply(firstDeploy("run-1"))
			list := filepath.Join(p.root, RevokedPath("shop"))
			revoke := fmt.Sprintf("#!/bin/sh\nprintf 'other\\ndead\\n' >'%s'\n", list)
			if inTheMiddle {
				p.command("sync", revoke) // it has laid out its texts
			} else if err := errors.Join(os.WriteFile(list, []byte("other\ndead\n"), 0o644), os.Mkdir(filepath.Join(p.root, ".try-later"), 0o755)); err != nil {
				t.Fatal(err) // a later run is at work
			}
			before := p.tree()
			change := Change{Run: "dead-2", Owner: "dead", Fence: RevokedPath("shop"), Test: true, Reload: true,
				Files: []File{{Path: IncludePath("shop"), Text: Include(Target{"shop", "real2", 2})}}}
			if err := p.apply(change); !errors.Is(err, ErrFenced) {
				t.Errorf("got %v", err)
			}
			before[RevokedPath("shop")] = "other\ndead\n"
			if got := p.tree(); !maps.Equal(got, before) {
				t.Errorf("changed to %q", got)
			}
			change.Run, change.Owner = "de-3", "de"
			p.mustApply(change)
		}
	})
}

func TestApplyErrorsSayWhatIsChanged(t *testing.T) {
	for name, test := range map[string]struct{ command, script, says string }{
		"disk full":    {"sync", "#!/bin/sh\necho 'sync: No space left on device' >&2; exit 1\n", "nothing was changed: sync: No space left"},
		"rename fails": {"mv", "#!/bin/sh\necho 'mv: Input/output error' >&2; exit 1\n", "some files may be changed: mv: Input"},
		"no signal":    {"nginx", "#!/bin/sh\ncase $* in *-t*) exit 0;; esac\necho 'invalid PID number' >&2; exit 1\n", "took no reload: invalid PID"},
		"killed":       {"mv", "#!/bin/sh\nkill -9 0\n", "killed by signal 9"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newLocalPlace(t)
			p.command(test.command, test.script)
			err := p.apply(firstDeploy("run-1"))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
			if left := leftovers(p.tree()); name != "killed" && len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

func TestApplyRefusesWhatTheScriptCannotCarry(t *testing.T) {
	for name, c := range map[string]Change{
		"no run":        {},
		"run with /":    {Run: "a/b"},
		"text too big":  {Run: "r", Files: []File{{Path: "a", Text: strings.Repeat("x", maxText+1)}}},
		"zero byte":     {Run: "r", First: []File{{Path: "a", Text: "a\x00b"}}},
		"two lines":     {Run: "r", Lines: []Line{{Path: "a", Text: "a\nb"}}},
		"outside":       {Run: "r", Files: []File{{Path: "../a", Remove: true}}},
		"everything":    {Run: "r", Files: []File{{Path: ".", Remove: true}}},
		"absolute":      {Run: "r", Files: []File{{Path: "/etc/passwd"}}},
		"removed first": {Run: "r", First: []File{{Path: "a", Remove: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newLocalPlace(t)
			if err := p.apply(c); err == nil {
				t.Error("was taken")
			}
			if _, err := os.Stat(p.root); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestApplyCarriesALargeText(t *testing.T) {
	p := newLocalPlace(t)
	text := strings.Repeat("x", maxText)
	p.mustApply(Change{Run: "r", Files: []File{{Path: "a", Text: text}}})
	if p.tree()["a"] != text {
		t.Error("not what was given")
	}
}

func TestApplyNamesWhatTheContainerLacks(t *testing.T) {
	p := newLocalPlace(t)
	if err := os.Remove(filepath.Join(p.bin, "nginx")); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("nginx"); err == nil {
		t.Skip("this machine has an nginx of its own")
	}
	if err := p.apply(firstDeploy("run-1")); err == nil || !strings.Contains(err.Error(), "lacks sh or nginx") {
		t.Errorf("got %v", err)
	}
}
