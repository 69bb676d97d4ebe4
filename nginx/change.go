package nginx

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is one file of a change; Remove takes it away (a folder with all in it too).
type File struct {
	Path, Text string // Path is relative to Root
	Remove     bool
}

// Line is appended to a file, of which only the last Keep lines stay (0: all). It takes the place of those in which Instead
// occurs ("": of none).
type Line struct {
	Path, Text string
	Keep       int
	Instead    string
}

// Change is one move: test Files in a candidate tree, write First, rename Files into place, append Lines, reload.
type Change struct {
	Run    string // unique to the change: names of temporary files
	Owner  string // the run that makes it
	Fence  string // file with the runs that may change nothing any more, one a line; "": none
	First  []File // written after the test passed and before Files (the intent)
	Files  []File
	Lines  []Line
	Test   bool
	Only   bool // with Test: change nothing
	Reload bool
	Own    *Own // the nginx has a configuration of its own, in which ours is a part; nil: ours is all of it
}

// Own is how an nginx that is not ours to configure was started, and where our part of its configuration lies. There is no
// copy of it to test a change in: the files are put in place, tested there, and put back when nginx refuses them.
type Own struct {
	Root   string   // folder of our files
	Conf   string   // its main file (-c); "": its default
	Prefix string   // its prefix (-p); "": its default
	Read   []string // files, relative to Root, that it has to read after the change
}

// maxText is what one argument carries at most: the kernel's limit is 128 KiB.
const maxText = 100 << 10

var runName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// arguments are those of the script. Nothing of them is ever part of its text.
func (c Change) arguments(root string) ([]string, error) {
	if !runName.MatchString(c.Run) {
		return nil, fmt.Errorf("%q is no name for a run", c.Run)
	}
	own := Own{Conf: root + "/" + MainPath}
	if c.Own != nil {
		own = *c.Own
	}
	args := []string{root, c.Run, c.Owner, c.Fence, yes(!c.OnlyLines()), c.test(), yes(c.Reload),
		yes(c.Own != nil), own.Conf, own.Prefix, strings.Join(own.Read, "\n")}
	for _, f := range c.First {
		args = append(args, "first", f.Path, f.Text, "", "")
	}
	for _, f := range inOrder(c.Files) {
		kind := "write"
		if f.Remove {
			kind = "remove"
		}
		args = append(args, kind, f.Path, f.Text, "", "")
	}
	for _, l := range c.Lines {
		args = append(args, "line", l.Path, strings.TrimSuffix(l.Text, "\n"), keep(l.Keep), l.Instead)
	}
	return args, c.check()
}

// test is how the script tests the change; an nginx with a configuration of its own has no copy to test it in.
func (c Change) test() string {
	if c.Test && c.Only && c.Own == nil {
		return "only"
	}
	return yes(c.Test)
}

// OnlyLines says whether the change does nothing but append: nginx reads none of it, and it may be made without the
// host's lock. It leaves the temporary files of other runs alone, which may be at work.
func (c Change) OnlyLines() bool {
	return len(c.First) == 0 && len(c.Files) == 0 && !c.Test && !c.Reload
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// keep is for tail -n: the last n lines, or all from the first.
func keep(n int) string {
	if n > 0 {
		return strconv.Itoa(n)
	}
	return "+1"
}

// inOrder sorts files so that a kill between two of them leaves nothing that nginx refuses: each comes after what it
// includes or uses, and goes before it. Site and parts come as they are listed: which of them is first depends on what there
// was before (SiteChange).
func inOrder(files []File) []File {
	return slices.SortedStableFunc(slices.Values(files), func(a, b File) int {
		return cmp.Compare(a.rank(), b.rank())
	})
}

func (f File) rank() int {
	site, _ := path.Match("sites/*.conf", f.Path)
	part := path.Ext(f.Path) == partExt
	switch {
	case f.Remove && part:
		return 3
	case f.Remove && site:
		return 4
	case f.Remove:
		return 5
	case site || part:
		return 2
	case f.Path == MainPath:
		return 0
	}
	return 1
}

func (c Change) check() error {
	if c.Fence != "" {
		if err := checkText(c.Fence, c.Owner); err != nil {
			return err
		}
	}
	for _, f := range slices.Concat(c.First, c.Files) {
		if err := checkText(f.Path, f.Text); err != nil {
			return err
		}
	}
	for _, f := range c.First {
		if f.Remove {
			return fmt.Errorf("%s: the first files cannot be removals", f.Path)
		}
	}
	for _, l := range c.Lines {
		if err := checkText(l.Path, l.Text); err != nil {
			return err
		}
		if strings.Contains(strings.TrimSuffix(l.Text, "\n")+l.Instead, "\n") || strings.ContainsRune(l.Instead, 0) {
			return fmt.Errorf("%s: more than one line", l.Path)
		}
	}
	return nil
}

func checkText(name, text string) error {
	switch {
	case !fs.ValidPath(name) || name == ".":
		return fmt.Errorf("%q is no path below the configuration's folder", name)
	case len(text) > maxText:
		return fmt.Errorf("%s: %d bytes are too many, %d fit", name, len(text), maxText)
	case strings.ContainsRune(text+name, 0):
		return errors.New(name + ": a zero byte does not fit")
	}
	return nil
}
