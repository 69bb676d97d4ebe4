package report

import (
	"encoding/xml"
	"testing"
	"unicode/utf8"
)

func TestTimesAreShownAsAPersonReadsThem(t *testing.T) {
	for m, want := range map[MS]string{
		0: "0 ms", 0.004: "0.00 ms", 0.84: "0.84 ms", 0.996: "1.0 ms", 2.44: "2.4 ms", 9.96: "10 ms", 214.4: "214 ms", 999.4: "999 ms",
		999.6: "1.0 s", 1234: "1.2 s", 59_940: "59.9 s", 59_951: "1 min 0 s", 125_000: "2 min 5 s", 3_599_600: "1 h 0 min", 5_400_000: "1 h 30 min", -2.5: "-2.5 ms",
	} {
		if got := m.String(); got != want {
			t.Errorf("%v: %q, want %q", float64(m), got, want)
		}
	}
	for m, want := range map[MS]string{0: "0", 0.5: "0.5 ms", 100: "100 ms", 1500: "1.5 s", 22_000: "22 s", 60_000: "1 min", 61_300: "61 s"} {
		if got := m.axis(); got != want {
			t.Errorf("%v on an axis: %q, want %q", float64(m), got, want)
		}
	}
}

func TestCountsHaveTheirThousandsApart(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 3_600_000: "3,600,000"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestRatesAndSizes(t *testing.T) {
	for _, c := range [][2]string{
		{rate(0.5), "0.5/s"}, {rate(999.6), "1,000/s"}, {rate(50), "50/s"},
		{bytesOf(41 << 20), "41 MiB"}, {bytesOf(3 << 29), "1.5 GiB"}, {bytesOf(2048), "2 KiB"},
		{factor(3.3, 2.2), "1.5×"}, {factor(3, 0), ""}, {plural(1, "swap"), "1 swap"}, {plural(0, "swap"), "0 swaps"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
}

func TestSpreadIsMedianAndWorst(t *testing.T) {
	none := MS(-1)
	of := func(list ...MS) *spread {
		var swaps []Swap
		for i, v := range list {
			swaps = append(swaps, Swap{Number: i + 1, Gap: v})
		}
		return spreadOf(swaps, func(s Swap) *MS {
			if s.Gap == none {
				return nil
			}
			return &s.Gap
		})
	}
	if s := of(3, 1, 2); *s != (spread{2, 3, 1}) {
		t.Errorf("%+v", s)
	}
	if s := of(1, 9, none, 4, 2); *s != (spread{3, 9, 2}) {
		t.Errorf("%+v", s)
	}
	if of(none) != nil || of() != nil {
		t.Error("a spread of nothing")
	}
}

func FuzzCleanTextCanStandAnywhere(f *testing.F) {
	f.Add(evil)
	f.Add("a\tb\r\nc\u0085\ufffe")
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff || r >= 0x202a && r <= 0x202e {
				t.Errorf("%q has %U", got, r)
			}
		}
		text, err := xml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := xml.Unmarshal(text, &back); err != nil || back != got {
			t.Errorf("%q came back from XML as %q: %v", got, back, err)
		}
	})
}
