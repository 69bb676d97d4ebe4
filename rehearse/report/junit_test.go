package report

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
	"testing"
)

func junit(t *testing.T, r Report) (junitSuite, string) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	text := b.String()
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(suites.Suites) != 1 {
		t.Fatalf("%d suites", len(suites.Suites))
	}
	s := suites.Suites[0]
	failed := 0
	for _, c := range s.Cases {
		if c.Failure != nil {
			failed++
		}
	}
	if s.Tests != len(s.Cases) || s.Failures != failed || suites.Tests != s.Tests || suites.Failures != failed {
		t.Errorf("counts %d, %d and %d, %d, but %d cases with %d failures", suites.Tests, suites.Failures, s.Tests, s.Failures, len(s.Cases), failed)
	}
	return s, text
}

func TestJUnitHasACaseForEachLimitAndSwap(t *testing.T) {
	var names, failures []string
	s, _ := junit(t, samples()["failed"])
	for _, c := range s.Cases {
		names = append(names, c.Name)
		if c.Failure != nil {
			failures = append(failures, c.Failure.Type+": "+c.Failure.Text)
		}
	}
	want := []string{"no more than 0 requests lost", "p99 at most 10 ms", "swap 1: release 1 to 2", "swap 2: release 2 to 3", "swap 3: release 3 to 4", "swap 4: release 4 to 5", "swap 5: release 5 to 6"}
	if !slices.Equal(names, want) {
		t.Errorf("cases %q, want %q", names, want)
	}
	why := []string{"lost: 65 of 22,000 requests lost: reset 49, 5xx_nginx 16", "p99: p99 is 14 ms, more than 10 ms", "swap: wait until real2 answers as itself: answered 500"}
	if !slices.Equal(failures, why) {
		t.Errorf("failures %q, want %q", failures, why)
	}
}

func TestJUnitPassesWhatPassed(t *testing.T) {
	for _, name := range []string{"five", "twenty", "compared", "observed", "hour"} {
		s, _ := junit(t, samples()[name])
		if s.Failures != 0 {
			t.Errorf("%s: %+v", name, s.Cases)
		}
		if !strings.Contains(s.Out, "PASSED") || !slices.ContainsFunc(s.Properties, func(p junitProperty) bool { return p.Name == "bluegreen" && p.Value == "1.4.0" }) {
			t.Errorf("%s: text %q, properties %v", name, s.Out, s.Properties)
		}
	}
}

func TestJUnitFailsWhatFailedByNoLimit(t *testing.T) {
	s, _ := junit(t, samples()["interrupted"])
	last := s.Cases[len(s.Cases)-1]
	if s.Failures != 1 || last.Failure == nil || !strings.Contains(last.Failure.Text, "interrupted after 1 of 5 swaps") {
		t.Errorf("%+v", s.Cases)
	}
}

func TestJUnitIsXMLWhateverTheTexts(t *testing.T) {
	s, text := junit(t, hostile())
	if strings.ContainsAny(text, "\x00\x1b\u202e\ufffd") {
		t.Errorf("characters that XML 1.0 has not, or replaced ones:\n%q", text)
	}
	if got := s.Cases[1].Failure.Text; got != clean(evil) {
		t.Errorf("%q came out as %q", evil, got)
	}
}
