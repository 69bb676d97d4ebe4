package nginx

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"bluegreen/nginx/grammar"
)

// webSite has every key of a site.
func webSite() SiteConfig {
	c := namedSite()
	c.Service, c.ServerNames = "shop", []string{"shop.example.com", "*.shop.example.com"}
	c.Web = Web{
		TLS:        &TLS{Certificate: "00aa.crt", Key: "00bb.key", Redirect: true, HSTS: 31536000, Stapling: true},
		Headers:    map[string]string{"X-Frame-Options": "DENY", "Content-Security-Policy": `default-src 'self'; report-uri "/csp"`},
		BasicAuth:  &BasicAuth{File: "00cc.htpasswd", Realm: "back office"},
		Allow:      []string{"10.0.0.0/8", "2001:db8::1"},
		Gzip:       true,
		Snippet:    "00dd.inc",
		ErrorPages: map[int]string{502: "00ee.html", 504: "00ee.html", 413: "00ff.html"},
		GRPCPaths:  []string{"/shop.Orders"},
		Unbuffered: true,
	}
	return c
}

func maintenanceSite() SiteConfig {
	c := defaultSite()
	c.Web = Web{Maintenance: &Maintenance{RetryAfter: 120}, GRPC: true}
	return c
}

func pageSite() SiteConfig {
	c := defaultSite()
	c.Web = Web{Maintenance: &Maintenance{Page: "00ab.html", RetryAfter: 3600}, ErrorPages: map[int]string{503: "00ef.html"}}
	return c
}

// goldenWeb are more texts by their file's name.
func goldenWeb() map[string]string {
	return map[string]string{
		"nginx-https.conf":          Main(MainConfig{Version: "1.30.6", ShutdownTimeout: 120e9, HTTPS: 8443}),
		"nginx-https-1.18.conf":     Main(MainConfig{Version: "1.18.0", ShutdownTimeout: 120e9, HTTPS: 443}),
		"site-web.conf":             siteText(webSite()),
		"site-maintenance.conf":     siteText(maintenanceSite()),
		"site-maintenance-own.conf": siteText(pageSite()),
		"acme.inc":                  Acme(),
	}
}

func TestTextsOfTheModernWeb(t *testing.T) {
	checkGolden(t, goldenWeb())
}

// TestEverySiteTextIsWhatTheGrammarKnows: each file by itself, as nginx reads it.
func TestEverySiteTextIsWhatTheGrammarKnows(t *testing.T) {
	texts := goldenWeb()
	maps.Copy(texts, golden())
	for name, text := range texts {
		if _, err := grammar.Parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMaintenanceAndAllowListsAreAskedThroughTheStatusListener(t *testing.T) {
	for name, c := range map[string]struct {
		web  Web
		want bool
	}{
		"nothing": {Web{}, false}, "tls": {Web{TLS: &TLS{}}, false}, "headers": {Web{Headers: map[string]string{"A": "b"}}, false},
		"allow": {Web{Allow: []string{"10.0.0.0/8"}}, true}, "basic auth": {Web{BasicAuth: &BasicAuth{}}, true}, "maintenance": {Web{Maintenance: &Maintenance{}}, true},
	} {
		if c.web.Private() != c.want {
			t.Errorf("%s: Private() = %v", name, c.web.Private())
		}
	}
}

// TestAServiceWithoutTheKeysHasNoneOfTheirDirectives: what nobody asked for is not there.
func TestAServiceWithoutTheKeysHasNoneOfTheirDirectives(t *testing.T) {
	plain := defaultSite()
	text := strings.ReplaceAll(siteText(plain), plain.events(), "")
	if m := regexp.MustCompile(`(?m)^\s*(ssl_|listen 443|gzip|allow|deny|auth_|add_header|error_page (?:[^4]|4[^1]|41[^8])|grpc_|return 503|return 308|proxy_buffering)`).FindString(text); m != "" {
		t.Errorf("%q in\n%s", m, text)
	}
}

func TestRequestsForEventStreamsAreNotBuffered(t *testing.T) {
	pages := map[int]string{502: "00ee.html"}
	for name, c := range map[string]struct {
		web         Web
		split, deep bool
	}{
		"nothing": {split: true}, "error pages": {web: Web{ErrorPages: pages}, split: true, deep: true}, "not buffered at all": {web: Web{Unbuffered: true}},
		"gRPC": {web: Web{GRPC: true}}, "some gRPC": {web: Web{GRPCPaths: []string{"/shop.Orders"}}, split: true},
		"maintenance": {web: Web{Maintenance: &Maintenance{}, ErrorPages: pages}},
	} {
		site := defaultSite()
		site.Web = c.web
		text := locations(site)
		if got := strings.Contains(text, "return 418;"); got != c.split || got != strings.Contains(text, "location \"@shop+events\" {\n    include \"sites/shop/proxy.inc\";\n    proxy_buffering off;\n}") {
			t.Errorf("%s: want requests for events led apart: %v:\n%s", name, c.split, text)
		}
		if got := strings.Contains(text, "recursive_error_pages on;"); got != c.deep {
			t.Errorf("%s: want error pages beyond the first: %v:\n%s", name, c.deep, text)
		}
		if strings.Contains(text, "grpc.inc") && strings.Count(text, "return 418;") != 1 {
			t.Errorf("%s: gRPC is led there too:\n%s", name, text)
		}
	}
}

// A Retry-After with a redirect would mean to follow it later.
func TestMaintenanceIsNoRedirect(t *testing.T) {
	c := webSite()
	if !strings.Contains(proxy(c), "return 308") {
		t.Fatal("the site has no redirect")
	}
	c.Web.Maintenance = &Maintenance{RetryAfter: 120}
	if text := proxy(c); strings.Contains(text, "return 308") || !strings.Contains(text, "return 503") {
		t.Errorf("want 503 and no redirect:\n%s", text)
	}
}

func TestHeadersAndPathsThatAreLetThrough(t *testing.T) {
	for value, ok := range map[string]bool{
		"DENY": true, `a "b" \ ; } {`: true, "max-age=1": true, "": false, "$host": false, "a\nb": false, "ä": false, " a": false, strings.Repeat("x", 3998): true, strings.Repeat("x", 3999): false, strings.Repeat(`"`, 1999): true, strings.Repeat(`\\`, 2000): false,
	} {
		if err := ValidHeaderValue(value); (err == nil) != ok {
			t.Errorf("value %q: %v", value, err)
		}
	}
	for name, ok := range map[string]bool{
		"X-Frame-Options": true, "Cache-Control": true, "Set-Cookie": true, "Content-Length": false, "Strict-Transport-Security": false,
		"X-Accel-Redirect": false, "A B": false, "A;": false, "": false, "Connection": false,
	} {
		if err := ValidHeader(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for status, ok := range map[int]bool{418: false, 399: false, 400: true, 499: false, 502: true, 599: true, 600: false} {
		if ValidErrorStatus(status) != ok {
			t.Errorf("status %d", status)
		}
	}
}
