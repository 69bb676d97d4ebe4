package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
)

var (
	//go:embed page.html.tmpl
	pageText string
	//go:embed page.css
	pageStyle string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"clean": clean, "count": count, "told": told, "add": func(a, b int) int { return a + b },
		"key": func(parts ...any) string {
			return strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(parts...)), " ", ".")
		},
	}).Parse(pageText))
)

// maxEmbedded is how many bytes of JSON the page carries; beyond that it is without what only the charts need.
const maxEmbedded = 300 << 10

// WriteHTML writes the report as one page that needs nothing else: no script, and no file from anywhere. It stays under
// 1 MB: charts of a long run keep the highest latency of each stretch, and the page's copy of the JSON says what it is
// without. It fails when w does, or when a number is not finite.
func (r Report) WriteHTML(w io.Writer) error {
	p, err := newView(whole(r))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// embedded is the JSON for the page, and what it is without. Its text is safe inside of a script element: encoding/json
// writes <, > and & as \u003c and so on.
func embedded(r Report) (template.JS, []string, error) {
	r.Runs = append([]Run{}, r.Runs...)
	var without []string
	for _, part := range []struct {
		name string
		drop func(*Run)
	}{
		{"", func(*Run) {}},
		{"series", func(run *Run) { run.Series = []Slot{} }},
		{"workers", func(run *Run) { run.Workers = []Workers{} }},
		{"swaps' share", dropShares},
	} {
		for i := range r.Runs {
			part.drop(&r.Runs[i])
		}
		if part.name != "" {
			without = append(without, part.name)
		}
		text, err := json.Marshal(r)
		if err != nil {
			return "", nil, fmt.Errorf("encode report: %w", err)
		}
		if len(text) <= maxEmbedded || part.name == "swaps' share" {
			return template.JS(text), without, nil
		}
	}
	panic("unreachable: the last part is returned")
}

func dropShares(r *Run) {
	r.Swaps = append([]Swap{}, r.Swaps...)
	for i := range r.Swaps {
		r.Swaps[i].Share = nil
	}
}
