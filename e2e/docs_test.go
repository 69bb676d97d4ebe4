//go:build linux

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluegreen/e2e/pages"
)

// Whoever follows a page from its top to its end, in one folder and on one engine, gets what it says.
func TestEveryPageOfTheDocumentationRunsAsItStands(t *testing.T) {
	skipShort(t)
	all, err := pages.ReadAll("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range all {
		if !runs(page) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(page.Name), ".md"), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, page)
			for _, b := range page.Blocks {
				if err := d.follow(b); err != nil {
					t.Fatal(err) // what follows builds upon it
				}
			}
		})
	}
}

// runs says whether there is anything to run on a page.
func runs(p pages.Page) bool {
	return slices.ContainsFunc(p.Blocks, func(b pages.Block) bool {
		return b.NotRun == "" && b.Language != "" && b.Language != "text"
	})
}

// at is where a block stands.
func (d *desk) at(b pages.Block) string { return d.page.At(b.Line) }

// wrong are pages that say what is not so, and what is to be said of each.
var wrong = map[string]string{
	"```console\n$ bluegreen status --all\n$ bluegreen rollback web\n```":                                       "exit 2, want 0",
	"<!-- test: exit=1 -->\n```console\n$ true\n```":                                                            "exit 0, want 1",
	"```console\n$ echo one; echo two\ntwo\none\n```":                                                           "prints no such line (after the ones before it):\n  one",
	"<!-- test: prints=no good -->\n```console\n$ echo good\n```":                                               `nothing prints "no good"`,
	"```sh\nfalse\ntrue\n```":                                                                                   "exit 1, want 0",
	"```yaml\nx-bluegreen: {ngnix: {http: 80}}\n```":                                                            "did you mean nginx?",
	"<!-- test: file=a.yaml -->\n```yaml\nservices: {web: {image: 'shop:v42', x-bluegreen: {watsch: 5s}}}\n```": "did you mean watch?",
	"```yaml\na: [\n```":                                               "yaml:",
	"```nginx\nreal_ip_haeder X-Forwarded-For;\n```":                   "unknown directive",
	"<!-- test: file=old.sh -->\n```sh\nif true\n```":                  "old.sh",
	"```console\n$ cd /\n$ test -e compose.yaml || pwd\n/nowhere\n```": "/nowhere",
}

func TestAPageThatSaysWhatIsNotSoFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t, pages.Page{Name: "wrong.md"})
	for text, want := range wrong {
		page, err := pages.Parse("wrong.md", text)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.follow(page.Blocks[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %q", text, err, want)
		}
	}
}
