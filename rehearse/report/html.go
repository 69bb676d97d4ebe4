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
		"clean": clean, "count": count, "told": told,
		"key": func(parts ...any) string {
			return strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(parts...)), " ", ".")
		},
	}).Parse(pageText))
)

// maxEmbedded is how many bytes of JSON the page carries; beyond that it is without what only the charts need.
const maxEmbedded = 300 << 10

// WriteHTML writes the report as one page that needs nothing else: no script, and no file from anywhere. That of an hour
// stays under 1 MB: charts of a long run keep the highest latency of each stretch, and the page's copy of the JSON says what it is
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
	text, err := json.Marshal(r)
	var without []string
	for _, part := range droppable {
		if err != nil || len(text) <= maxEmbedded {
			break
		}
		for i := range r.Runs {
			part.drop(&r.Runs[i])
		}
		without = append(without, part.name)
		text, err = json.Marshal(r)
	}
	if err != nil {
		return "", nil, fmt.Errorf("encode report: %w", err)
	}
	return template.JS(text), without, nil
}

// droppable is what the page's JSON can be without, the largest part first.
var droppable = []struct {
	name string
	drop func(*Run)
}{
	{"series", func(r *Run) { r.Series = []Slot{} }},
	{"workers", func(r *Run) { r.Workers = []Workers{} }},
	{"the swaps' share", func(r *Run) { r.eachSwap(func(s *Swap) { s.Share = nil }) }},
	{"the swaps' steps", func(r *Run) { r.eachSwap(func(s *Swap) { s.Steps = []Step{} }) }},
}

// eachSwap changes a copy of the swaps.
func (r *Run) eachSwap(change func(*Swap)) {
	r.Swaps = append([]Swap{}, r.Swaps...)
	for i := range r.Swaps {
		change(&r.Swaps[i])
	}
}
