package report

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	phone   = 360
	desktop = 1280
)

func TestPageInABrowser(t *testing.T) {
	b := newTab(t)
	all := samples()
	all["hostile"] = hostile()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			url := b.open(t, all[name])
			b.figures(t, all[name])
			for _, width := range []int64{phone, desktop} {
				for _, scheme := range []string{"light", "dark"} {
					b.look(t, width, scheme)
					b.fits(t, width)
					b.readable(t, scheme)
					b.shoot(t, name+"-"+strconv.FormatInt(width, 10)+"-"+scheme)
				}
			}
			b.prints(t, name)
			b.quiet(t, url)
		})
	}
}

// shown is a figure of the page.
type shown struct{ Key, Text string }

// figures asserts that each figure shown is the JSON's, in the report and in the page's own copy of it.
func (b *tab) figures(t *testing.T, r Report) {
	t.Helper()
	var list []shown
	b.ask(t, `[...document.querySelectorAll("[data-key]")].map(e => ({Key: e.dataset.key, Text: e.textContent}))`, &list)
	var own string
	b.ask(t, `document.getElementById("report").textContent`, &own)
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if len(list) < 15 {
		t.Errorf("only %d figures are marked", len(list))
	}
	for _, text := range []string{out.String(), own} {
		var tree any
		if err := json.Unmarshal([]byte(text), &tree); err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if want := at(tree, s.Key); !same(s, want) {
				t.Errorf("the page shows %q for %s, the JSON has %v", s.Text, s.Key, want)
			}
		}
	}
}

// at is what lies at a path like runs.0.lost.
func at(tree any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch v := tree.(type) {
		case map[string]any:
			tree = v[key]
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n >= len(v) {
				return nil
			}
			tree = v[n]
		}
	}
	return tree
}

// same says whether the text shows the value: within half of its last digit, whatever its unit.
func same(s shown, value any) bool {
	want, ok := value.(float64)
	if !ok {
		return value != nil && s.Text == clean(value.(string))
	}
	units := map[string]float64{"ms": 1, "s": 1e3, "min": 6e4, "h": 36e5, "": 1}
	fields := strings.Fields(strings.ReplaceAll(s.Text, ",", ""))
	got, half := 0.0, 0.0
	for i := 0; i < len(fields); i += 2 {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return false
		}
		unit := ""
		if i+1 < len(fields) {
			unit = fields[i+1]
		}
		scale, ok := units[unit]
		if !ok || (unit == "") == strings.HasSuffix(s.Key, "_ms") {
			return false
		}
		half = scale / 2
		if _, digits, ok := strings.Cut(fields[i], "."); ok {
			for range digits {
				half /= 10
			}
		}
		got += n * scale
	}
	if !strings.HasSuffix(s.Key, "_ms") {
		return got == want
	}
	return len(fields) > 0 && got-want <= half*1.001 && want-got <= half*1.001
}

// fits asserts that nothing is wider than the page, and that each chart has a size.
func (b *tab) fits(t *testing.T, width int64) {
	t.Helper()
	var wide []string
	b.ask(t, `document.documentElement.scrollWidth <= innerWidth && innerWidth == `+strconv.FormatInt(width, 10)+` ? [] :
		["page " + document.documentElement.scrollWidth + " in " + innerWidth, ...[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll")).map(e => e.tagName + "." + e.getAttribute("class") + " " + e.textContent.slice(0, 30))]`, &wide)
	if len(wide) > 0 {
		t.Errorf("at %d pixels: too wide: %v", width, wide)
	}
	var cut []string
	b.ask(t, `[...document.querySelectorAll(".whole")].filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent.slice(0, 60))`, &cut)
	if len(cut) > 0 {
		t.Errorf("at %d pixels these tables must be scrolled: %v", width, cut)
	}
	var charts []struct {
		Class, Label  string
		Width, Height float64
	}
	b.ask(t, `[...document.querySelectorAll("svg[role=img]")].map(e => ({Class: e.getAttribute("class"), Label: e.getAttribute("aria-label"), Width: e.getBoundingClientRect().width, Height: e.getBoundingClientRect().height}))`, &charts)
	if len(charts) == 0 {
		t.Error("no charts")
	}
	for _, c := range charts {
		if c.Width < 100 || c.Height < 30 || c.Label == "" {
			t.Errorf("at %d pixels: chart %s is %v by %v, with label %q", width, c.Class, c.Width, c.Height, c.Label)
		}
	}
}

// contrasts are the elements whose text contrasts too little with what is below it, by WCAG 2.2's formula.
const contrasts = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgb = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const below = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] == 255) return c; } return [255, 255, 255]; };
	const texts = [...document.querySelectorAll("body *:not(script)")].filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()) && e.getClientRects().length && !e.closest("title"));
	const seen = texts.map(e => {
		const svg = e.closest("svg"), style = getComputedStyle(e);
		const fore = light(rgb(svg ? style.fill : style.color)), back = light(below(e));
		return {e, ratio: (Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05)};
	});
	return {Count: seen.length, Dark: light(below(document.body)) < 0.2, Poor: seen.filter(s => s.ratio < 4.5).map(s => s.e.tagName + "." + s.e.getAttribute("class") + " " + s.ratio.toFixed(2) + " " + s.e.textContent.slice(0, 30))};
})()`

func (b *tab) readable(t *testing.T, scheme string) {
	t.Helper()
	var got struct {
		Count int
		Dark  bool
		Poor  []string
	}
	b.ask(t, contrasts, &got)
	if got.Count < 40 || len(got.Poor) > 0 || got.Dark != (scheme == "dark") {
		t.Errorf("%s: of %d texts these contrast too little: %v (the page is dark: %v)", scheme, got.Count, got.Poor, got.Dark)
	}
}

// paper is how many pixels wide an A4 page is between its margins.
const paper = 688

// prints asserts that the page fits on paper, dark on light whatever the screen's scheme, and that it can be printed.
func (b *tab) prints(t *testing.T, name string) {
	t.Helper()
	b.look(t, paper, "dark")
	b.do(t, emulation.SetEmulatedMedia().WithMedia("print").WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	b.fits(t, paper)
	b.readable(t, "light")
	b.shoot(t, name+"-print")
	b.do(t, chromedp.ActionFunc(func(ctx context.Context) error {
		pdf, _, err := page.PrintToPDF().WithPrintBackground(false).Do(ctx)
		if err == nil && (!bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 10_000) {
			t.Errorf("printing gave %d bytes", len(pdf))
		}
		keep(t, strings.ReplaceAll(t.Name(), "/", "-")+".pdf", pdf)
		return err
	}))
}
