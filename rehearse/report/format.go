package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// String is the time as a person reads it: "0.84 ms", "2.4 ms", "214 ms", "1.2 s", "2 min 5 s".
func (m MS) String() string {
	switch v := math.Abs(float64(m)); {
	case v == 0:
		return "0 ms"
	case v < 0.995:
		return fmt.Sprintf("%.2f ms", float64(m))
	case v < 9.95:
		return fmt.Sprintf("%.1f ms", float64(m))
	case v < 999.5:
		return fmt.Sprintf("%.0f ms", float64(m))
	case v < 59_950:
		return fmt.Sprintf("%.1f s", float64(m)/1e3)
	}
	whole := int64(math.Round(float64(m) / 1e3))
	if whole >= 3600 {
		return fmt.Sprintf("%d h %d min", whole/3600, whole%3600/60)
	}
	return fmt.Sprintf("%d min %d s", whole/60, whole%60)
}

// Count is n with its thousands apart, for texts beside the report's own.
func Count(n int64) string { return count(n) }

// count is n with its thousands apart: 20,000.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rate is requests a second, with as many digits as say something.
func rate(perSecond float64) string {
	if perSecond < 10 && perSecond != math.Trunc(perSecond) {
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return count(int64(math.Round(perSecond))) + "/s"
}

// factor is how many times b goes into a, "" when that says nothing.
func factor(a, b MS) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f×", float64(a/b))
}

// bytesOf is a size in memory.
func bytesOf(n int64) string {
	switch v := float64(n); {
	case v >= 1<<30:
		return fmt.Sprintf("%.1f GiB", v/(1<<30))
	case v >= 1<<20:
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	default:
		return fmt.Sprintf("%.0f KiB", v/(1<<10))
	}
}

// plural is "1 swap", "2 swaps".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// day is when a rehearsal began, to the minute.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04 MST")
}

// clean is s without what could steer a terminal, break a line or not stand in XML 1.0.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) && r != ' ' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// joined is the parts that are not empty, with sep between them.
func joined(sep string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}
