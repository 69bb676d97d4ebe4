package nginx

import (
	"strings"
	"testing"
)

// names are one kind of value: what is taken and what is refused.
type names struct {
	valid         func(string) error
	taken, refuse []string
}

func TestValidation(t *testing.T) {
	for name, n := range map[string]names{
		"service": {ValidServiceName,
			[]string{"shop", "Shop_2", "a", "shop-web.v2", "9lives", strings.Repeat("a", 63)},
			[]string{"", "-shop", ".shop", "_shop", "shop.", "a..b", "shop.conf", "a b", "a/b", "a;b", "a$b", `a"b`, "a\n", "größe", strings.Repeat("a", 64)}},
		"profile": {ValidProfileName,
			[]string{"real1", "real2", "blue", "a_b-c", "1"},
			[]string{"", "-a", "a.b", "a b", "a;", "a$b", "a\n", strings.Repeat("a", 64)}},
		"server": {ValidServerName,
			[]string{"shop.example.com", "SHOP.example.com", "*.example.com", "example.*", "localhost", "127.0.0.1", "[::1]", "my_app.local", "xn--bcher-kva.example"},
			[]string{"", "*", "*.", ".example.com", "example.com.", "*.example.*.com", "w*.example.com", "a..b", "~^shop", "bücher.example", "shop.example.com:8080", "::1", "[shop]", "a b", "a;b", `a"b`, "a$b", "a\n", "-a.com", "_", "a/b", strings.Repeat("a", 64) + ".com", strings.Repeat("aaaaaaa.", 32) + "com"}},
		"release header": {ValidReleaseHeader,
			[]string{"X-Bluegreen-Release", "x-release", "Release", "App_Version2", strings.Repeat("a", 63)},
			[]string{"", "-a", "a b", "a:", "a;", "a{", "a$b", `a"b`, "a'", "a#", "a\n", "a\r\nb: c", "größe", strings.Repeat("a", 64),
				"Connection", "content-length", "Transfer-Encoding", "SET-COOKIE", "Keep-Alive", "TE", "Upgrade", "Trailer", "Server", "Date",
				"Location", "ETag", "Cache-Control", "X-Accel-Redirect", "Access-Control-Allow-Origin"}},
		"size": {ValidSize,
			[]string{"0", "100m", "1g", "512k", "100M", "1048576"},
			[]string{"", "m", "-1", "1.5m", "100mb", "1 m", "1m;", "99999999999g", "99999999999999999999"}},
	} {
		t.Run(name, n.check)
	}
}

func (n names) check(t *testing.T) {
	for _, s := range n.taken {
		if err := n.valid(s); err != nil {
			t.Errorf("refused: %v", err)
		}
	}
	for _, s := range n.refuse {
		if n.valid(s) == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestRefusalsOfServerNamesSayWhatToDo(t *testing.T) {
	for name, hint := range map[string]string{
		"bücher.example":    "punycode",
		"shop.example:80":   "without a port",
		"~^www":             "regular expressions",
		"shop.example.com.": "host name",
	} {
		if err := ValidServerName(name); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v does not say %q", name, err, hint)
		}
	}
}

func TestVersionsWithKeepaliveMinTimeout(t *testing.T) {
	for version, want := range map[string]bool{
		"1.22.1": false, "1.27.3": false, "1.27.4": true, "1.28.0": true, "1.30.6": true, "2.0.0": true,
		"1.27.1.1": false, "": false, "mainline": false,
	} {
		if got := SupportsKeepaliveMinTimeout(version); got != want {
			t.Errorf("%q: got %v", version, got)
		}
	}
}

func TestVersionsWithHTTP2Switch(t *testing.T) {
	for version, want := range map[string]bool{
		"1.22.1": false, "1.25.0": false, "1.25.1": true, "1.27.3": true, "1.30.6": true, "2.0.0": true, "": false, "mainline": false,
	} {
		if got := SupportsHTTP2Switch(version); got != want {
			t.Errorf("%q: got %v", version, got)
		}
	}
}
