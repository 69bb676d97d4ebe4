package report

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// maxPage is what a page of an hour may take.
const maxPage = 1_000_000

func pageOf(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// carried is the report that a page carries as JSON.
func carried(t *testing.T, page string) Report {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="report">`)
	text, _, closed := strings.Cut(rest, "</script>")
	if !ok || !closed {
		t.Fatal("the page carries no JSON")
	}
	var r Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHTMLCarriesTheWholeReport(t *testing.T) {
	for _, name := range []string{"five", "failed", "compared", "observed", "interrupted", "twenty"} {
		page := pageOf(t, samples()[name])
		if got, want := carried(t, page), whole(samples()[name]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the page carries another report", name)
		}
		if strings.Contains(page, "without series") {
			t.Errorf("%s: the page says that it lacks something", name)
		}
	}
}

func TestHTMLOfAnHourIsSmall(t *testing.T) {
	page := pageOf(t, samples()["hour"])
	got := carried(t, page)
	if len(page) >= maxPage || len(got.Runs[0].Series) != 0 || !strings.Contains(page, "without series") {
		t.Errorf("%d bytes with %d slots, and it says so: %v", len(page), len(got.Runs[0].Series), strings.Contains(page, "without series"))
	}
	if got.Runs[0].Requests != 3_600_000 || len(got.Runs[0].Swaps) != 60 || got.Runs[0].Swaps[0].Share == nil {
		t.Error("it lacks more than its series")
	}
	many := sampleReport(sampleRun(shape{RunBluegreen, 1000, 3500, 1000, 9, 100, 100, 3_600_000}))
	page = pageOf(t, many)
	if got := carried(t, page); len(page) >= maxPage || len(got.Runs[0].Swaps) != 1000 || !strings.Contains(page, "900 more swaps") {
		t.Errorf("of 1,000 swaps: %d bytes", len(page))
	}
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	outside := regexp.MustCompile(`(?i)\b(src|srcset|action|href)\s*=|@import|url\(|<(link|img|iframe|object|embed|base|form)\b`)
	for name, r := range samples() {
		page := strings.Replace(pageOf(t, r), `<link rel="icon" href="data:,">`, "", 1)
		page, _, _ = strings.Cut(page, `<script type="application/json"`)
		for _, found := range outside.FindAllString(page, -1) {
			t.Errorf("%s has %q", name, found)
		}
	}
}

func TestHTMLEscapesWhatComesFromOutside(t *testing.T) {
	r := hostile()
	page := pageOf(t, r)
	if n := strings.Count(strings.ToLower(page), "<script"); n != 1 {
		t.Errorf("%d script elements", n)
	}
	shown, _, _ := strings.Cut(page, "<script")
	for _, bad := range []string{"<img", "<b>&amp;", "\x00", "\x1b", "\u202e"} {
		if strings.Contains(shown, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	// What JSON cannot say, bytes that are not UTF-8, it replaces; everything else comes back.
	if got, want := carried(t, page).Runs[0].First[0].Error, strings.ToValidUTF8(evil, "\ufffd"); got != want {
		t.Errorf("%q came back as %q", want, got)
	}
}

func TestHTMLSaysTheVerdictInOneHeading(t *testing.T) {
	for name, want := range map[string]string{"five": "✓ Passed</p>\n<h1>No request was lost: 22,000 requests, 5 swaps.</h1>", "failed": "✗ Failed</p>\n<h1>65 of 22,000 requests were lost.</h1>"} {
		if page := pageOf(t, samples()[name]); strings.Count(page, "<h1>") != 1 || !strings.Contains(page, want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
}

func TestHTMLShowsEachSwap(t *testing.T) {
	page := pageOf(t, samples()["twenty"])
	for class, want := range map[string]int{`class="chart share"`: 20, `class="chart latency"`: 1, `class="chart workers"`: 1, `class="chart steps"`: 1} {
		if got := strings.Count(page, class); got != want {
			t.Errorf("%d of %s, want %d", got, class, want)
		}
	}
	observed := pageOf(t, samples()["observed"])
	for _, absent := range []string{"Swaps</h2>", "Answers by release", "nginx workers</h2>", "Steps of each swap"} {
		if strings.Contains(observed, absent) {
			t.Errorf("an observation's page has %q", absent)
		}
	}
}

func BenchmarkHTMLOfAnHour(b *testing.B) {
	r := samples()["hour"]
	for b.Loop() {
		var page bytes.Buffer
		if err := r.WriteHTML(&page); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(page.Len()), "bytes")
	}
}
