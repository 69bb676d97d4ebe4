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
				if t.Failed() {
					return // what follows builds upon it
				}
				d.follow(b)
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
