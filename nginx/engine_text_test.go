package nginx

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sampled is how many services with generated values are in the tree that the real nginx tests.
const sampled = 40

// samples are values that are let through: those at the edge of what is, and generated ones.
func samples() (list []values) {
	for _, s := range []string{"9", "a.b-c_d", "A", strings.Repeat("x", 63), "set", "include", "default", "upstream-1"} {
		list = append(list, values{s, "real1", "2-_", "a." + s, s + ".*", "0", "0" + strings.ReplaceAll(s, ".", "_")[:min(len(s), 40)], 1, 1})
	}
	list = append(list, values{"sizes", "default", "off", "[::ffff:1.2.3.4]", "*.default", "9223372036854775807", "X_0-", 2_592_000_000 - 1, WorkerConnections},
		values{"units", "on", "proxy", "[2001:db8::1]", "1.2.3.4", "8589934591g", "X-Bluegreen-Release", 1500, 64})
	generated := rapid.Custom(func(t *rapid.T) values {
		label := rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{0,30}[a-zA-Z0-9]`)
		return values{
			rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{0,20}(\.[a-zA-Z0-9_-]{1,10})?`).Draw(t, "service"), "real1", rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{1,60}`).Draw(t, "profile"),
			label.Draw(t, "name") + "." + label.Draw(t, "name"), rapid.SampledFrom([]string{"*.", ""}).Draw(t, "star") + label.Draw(t, "name"),
			rapid.StringMatching(`[1-9][0-9]{0,5}[kKmMgG]?`).Draw(t, "body"), rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}`).Draw(t, "header"),
			rapid.Int64Range(1, 1<<40).Draw(t, "time"), rapid.Int64Range(1, 1000).Draw(t, "keepalive"),
		}
	})
	for i := range sampled {
		if v := generated.Example(i); v.ok() {
			v.service = fmt.Sprintf("%d%s", i, v.service[:min(len(v.service), 60)])
			if ValidServiceName(v.service) == nil {
				list = append(list, v)
			}
		}
	}
	return list
}

// TestNginxTakesWhatIsLetThrough: nginx agrees with the parser of these tests about every value that config takes.
func TestNginxTakesWhatIsLetThrough(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := newEngine(t, image)
		c := Change{Run: "samples", Test: true, Files: []File{{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: 720 * time.Hour})}}}
		list := samples()
		if len(list) < sampled {
			t.Fatalf("only %d samples", len(list))
		}
		for _, v := range list {
			if !v.ok() {
				t.Fatalf("%+v is not let through", v)
			}
			v.check(t, values.site)
			c.Files = append(append(c.Files, v.files()...), File{Path: IncludePath(v.service), Text: v.include()})
		}
		if err := Apply(t.Context(), e, c); err != nil {
			t.Error(err)
		}
	})
}

// TestNginxRefusesWhatTheParserRefuses: values that are not let through, written all the same.
func TestNginxRefusesWhatTheParserRefuses(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := newEngine(t, image)
		main := File{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: time.Minute})}
		good := Include(Target{"shop", "real1", 1})
		for name, include := range map[string]string{
			"an open quote": strings.Replace(good, " real1;", " \"real1;", 1), "a block": strings.Replace(good, "real1;", "real1 {", 1), "an end": good + "}", "a word": good + "set",
			"a quote that goes on": strings.Replace(good, "set $bluegreen_profile real1", "set $bluegreen_profile \"real\"1", 1), "a directive": strings.Replace(good, "1;\n", "1; nosuch x;\n", 1),
		} {
			files := append(Site(defaultSite()), main, File{Path: IncludePath("shop"), Text: include})
			if err := Apply(t.Context(), e, Change{Run: "refused", Test: true, Files: files}); err == nil {
				t.Errorf("%s: taken", name)
			} else if !strings.Contains(err.Error(), "refuses") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
