package nginx

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"bluegreen/nginx/grammar"
)

// values are what a person can say about a site.
type values struct {
	service, profile1, profile2, name1, name2, body, header string
	milliseconds, keepalive                                 int64
}

// harmless are values that stand for themselves in a text.
var harmless = values{"SERVICE", "PROFILE1", "PROFILE2", "NAME1", "NAME2", "987654321", "HEADER", 1234567, 7654321}

// hostile are values that mean something to nginx, or to a careless writer of its files.
var hostile = []string{
	"a;b", "a; }", "a{", "a}", "a#b", "#", `a"b`, `a"; }`, "a'b", `a\`, `\`, `a\"`, "a$host", "${a}", "$", "a b", "a\tb", "a\nb", "a\r\nb", "a\n", "\n",
	"a\x00b", "\x00", "", " ", "~^.*$", "*", "*.*", ".a", "a.", "..", "../a", "/", "a/b", "http://a", "a:80", "[::1]", "[::1%eth0]", "[a]", "_",
	"größe", "a\u2028b", "\xff\xfe", "-n", "-g daemon;", "default_server", "include", "%s%d%n", "$(id)", "`id`", "a\\;b", "99999999999999999999", "0x10", "1e9", "10m;", "-1",
}

// ok says whether config would let the values through.
func (v values) ok() bool {
	for _, err := range []error{
		ValidServiceName(v.service), ValidProfileName(v.profile1), ValidProfileName(v.profile2), ValidServerName(v.name1), ValidServerName(v.name2), ValidSize(v.body), ValidReleaseHeader(v.header),
	} {
		if err != nil {
			return false
		}
	}
	return v.milliseconds > 0 && v.keepalive > 0
}

func (v values) files() []File {
	d := time.Duration(v.milliseconds%int64(720*time.Hour/time.Millisecond)+1) * time.Millisecond
	return Site(SiteConfig{
		Service: v.service, ServerNames: []string{v.name1, v.name2}, Keepalive: int(v.keepalive), KeepaliveTimeout: d, MaxBody: v.body, ProxyTimeout: d, ReleaseHeader: v.header,
		Upstreams: []Upstream{{v.profile1, "10.77.8.1", 8081}, {v.profile2, "10.77.8.2", 8082}},
	})
}

func (v values) site() string {
	var b strings.Builder
	for _, f := range v.files() {
		b.WriteString(f.Text)
	}
	return b.String()
}

func (v values) include() string { return Include(Target{v.service, v.profile1, 43}) }

// in puts the values where the harmless ones are.
func (v values) in(list []grammar.Directive) []grammar.Directive {
	put := strings.NewReplacer(partFile(harmless.name1), partFile(v.name1), partFile(harmless.name2), partFile(v.name2), harmless.service, v.service, harmless.profile1, v.profile1, harmless.profile2, v.profile2,
		harmless.name1, v.name1, harmless.name2, v.name2, harmless.body, v.body, harmless.header, v.header)
	var out []grammar.Directive
	for _, d := range list {
		now := grammar.Directive{Opens: d.Opens, Block: v.in(d.Block)}
		for _, w := range d.Words {
			now.Words = append(now.Words, put.Replace(w))
		}
		out = append(out, now)
	}
	return out
}

// check makes sure that a text is the harmless one with other values: each value is one argument, or its own part of
// one, of the directive that it is for, and nothing else is there.
func (v values) check(t *testing.T, text func(values) string) {
	t.Helper()
	got, err := grammar.Parse(text(v))
	if err != nil {
		t.Fatalf("%+v: %v\n%s", v, err, text(v))
	}
	plain := harmless
	plain.milliseconds, plain.keepalive = v.milliseconds, v.keepalive
	model, err := grammar.Parse(text(plain))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := grammar.Shape(got), grammar.Shape(model); a != b {
		t.Fatalf("%+v makes\n%s\nnot\n%s", v, a, b)
	}
	if want := v.in(model); !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v makes\n%v\nnot\n%v", v, got, want)
	}
}

// FuzzSite: whatever is let through stays inside its own directive.
func FuzzSite(f *testing.F) {
	for i, bad := range hostile {
		for at := range 7 {
			all := []string{"shop", "real1", "real2", "shop.example.com", "*.shop.example", "100m", "X-Release"}
			all[at] = bad
			f.Add(all[0], all[1], all[2], all[3], all[4], all[5], all[6], int64(1000+i), int64(i+1))
		}
	}
	f.Add("9.a-b_c", "1", "2-_", "[::ffff:1.2.3.4]", "example.*", "0", "9_a-B", int64(1), int64(1))
	f.Fuzz(func(t *testing.T, service, profile1, profile2, name1, name2, body, header string, milliseconds, keepalive int64) {
		v := values{service, profile1, profile2, name1, name2, body, header, milliseconds, keepalive}
		if !v.ok() {
			return
		}
		v.check(t, values.site)
		v.check(t, values.include)
		if got := SiteNames(v.files()[0].Text); !reflect.DeepEqual(got, []string{name1, name2}) {
			t.Errorf("SiteNames = %q", got)
		}
		for _, p := range []string{profile1, profile2} {
			if !HasGroup(v.files()[0].Text, Group(service, p)) {
				t.Errorf("no group of %s", p)
			}
		}
		if got, err := ParseInclude(service, v.include()); err != nil || got != (Target{service, profile1, 43}) {
			t.Errorf("ParseInclude = %v, %v", got, err)
		}
	})
}

// FuzzQuote: a quoted text is one word that says the same, whatever it is, as long as it has no zero byte. (A
// dollar is nginx's to read; names are validated not to have one.)
func FuzzQuote(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			return
		}
		got, err := grammar.Parse("server_name " + quote(s) + ";")
		want := []grammar.Directive{{Words: []string{"server_name", s}}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q was quoted as %s: %v, %v", s, quote(s), got, err)
		}
	})
}

// FuzzMain: nothing but the time, keepalive_min_timeout and http2 depends on anything.
func FuzzMain(f *testing.F) {
	for i, s := range append([]string{"1.30.6", "1.27.4", "1.25.1", "1.22.1", "1.27.1.1", "1..4", "999999999999999999999.1"}, hostile...) {
		f.Add(s, int64(i))
	}
	f.Fuzz(func(t *testing.T, version string, milliseconds int64) {
		d := time.Duration(milliseconds&(1<<31-1)+1) * time.Millisecond
		text := Main(MainConfig{Version: version, ShutdownTimeout: d})
		got, err := grammar.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		like := "1.22.1"
		switch {
		case SupportsKeepaliveMinTimeout(version):
			like = "1.30.6"
		case SupportsHTTP2Switch(version):
			like = "1.25.1"
		}
		model, err := grammar.Parse(Main(MainConfig{Version: like, ShutdownTimeout: d}))
		if err != nil || !reflect.DeepEqual(got, model) {
			t.Errorf("version %q makes\n%s", version, text)
		}
	})
}
