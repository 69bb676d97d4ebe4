package nginx

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func defaultSite() SiteConfig {
	return SiteConfig{
		Service:          "shop",
		Upstreams:        []Upstream{{"real1", "10.77.8.1", 8081}, {"real2", "10.77.8.2", 8082}},
		Keepalive:        64,
		KeepaliveTimeout: time.Second,
		MaxBody:          "100m",
		ProxyTimeout:     time.Minute,
	}
}

func namedSite() SiteConfig {
	c := defaultSite()
	c.Service, c.ServerNames = "blog.v2", []string{"blog.example.com", "*.blog.example.com", "[::1]"}
	c.KeepaliveTimeout, c.ProxyTimeout = 1500*time.Millisecond, 5*time.Minute
	c.ReleaseHeader = "X-Bluegreen-Release"
	return c
}

// sharedSite has paths of a name that another service has the rest of.
func sharedSite() SiteConfig {
	c := defaultSite()
	c.Service, c.ServerNames, c.Paths = "api", []string{"blog.example.com"}, []string{"/api", "/v2/things"}
	return c
}

// siteText is all that a site says, file by file.
func siteText(c SiteConfig) string {
	var b strings.Builder
	for _, f := range Site(c) {
		b.WriteString("# " + f.Path + "\n" + f.Text + "\n")
	}
	return b.String()
}

// golden are the texts by their file's name.
func golden() map[string]string {
	return map[string]string{
		"nginx-1.30.conf":   Main(MainConfig{Version: "1.30.6", ShutdownTimeout: 2 * time.Minute}),
		"nginx-1.26.conf":   Main(MainConfig{Version: "1.26.3", ShutdownTimeout: 2 * time.Minute}),
		"nginx-1.22.conf":   Main(MainConfig{Version: "1.22.1", ShutdownTimeout: 90 * time.Second}),
		"site-default.conf": siteText(defaultSite()),
		"site-names.conf":   siteText(namedSite()),
		"site-shared.conf":  siteText(sharedSite()),
		"service-url.inc":   Include(Target{Service: "shop", Profile: "real2", Release: 43}),
	}
}

func TestConfigurationTexts(t *testing.T) { checkGolden(t, golden()) }

func checkGolden(t *testing.T, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s differs (go test ./nginx -update writes it anew):\n%s", file, text)
		}
	}
}

func TestSitesHaveTheGroupsTheirIncludesName(t *testing.T) {
	site := Site(namedSite())[0].Text
	for group, want := range map[string]bool{
		"blog.v2-real1": true, "blog.v2-real2": true, "blog.v2-real": false, "blog.v2-real3": false, "": false,
	} {
		if HasGroup(site, group) != want {
			t.Errorf("group %q: want %v", group, want)
		}
	}
}
