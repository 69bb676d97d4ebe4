package nginx

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"bluegreen/nginx/grammar"
)

// previewSite is a preview that has nothing of its own but its names, of a service that serves every host.
func previewSite() SiteConfig {
	c := defaultSite()
	c.Service, c.Web.Preview = "blog.v2", &Preview{ServerNames: []string{"next.example.com", "*.next.example.com"}}
	return c
}

// closedPreviewSite is the preview of a site with everything, in maintenance.
func closedPreviewSite() SiteConfig {
	c := webSite()
	c.Web.Maintenance = &Maintenance{RetryAfter: 120}
	c.Web.Headers = map[string]string{"X-Frame-Options": "DENY", "cache-control": "max-age=60"}
	c.Web.Preview = &Preview{ServerNames: []string{"next.example.com"}, BasicAuth: &BasicAuth{File: "0011.htpasswd", Realm: "preview"}, Allow: []string{"192.0.2.7"}}
	return c
}

func TestTextsOfAPreview(t *testing.T) {
	texts := map[string]string{"site-preview.conf": siteText(previewSite()), "site-preview-web.conf": siteText(closedPreviewSite())}
	checkGolden(t, texts)
	for name, text := range texts {
		if _, err := grammar.Parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAPreviewChangesNothingOfThePublicNames: neither how they are served nor what their files say.
func TestAPreviewChangesNothingOfThePublicNames(t *testing.T) {
	for name, c := range map[string]SiteConfig{"names": namedSite(), "paths": sharedSite(), "everything": webSite(), "maintenance": pageSite()} {
		with := c
		with.Web.Preview = &Preview{ServerNames: []string{"next.example.com"}, BasicAuth: &BasicAuth{File: "0011.htpasswd", Realm: "preview"}, Allow: []string{"192.0.2.7"}}
		previewed := tree(with)
		for path, text := range tree(c) {
			if path != SitePath(c.Service) && string(previewed[path]) != string(text) {
				t.Errorf("%s: %s differs with a preview:\n%s", name, path, previewed[path])
			}
		}
		site := string(previewed[SitePath(c.Service)])
		rest := strings.Replace(strings.Replace(site, with.idleMap(), "", 1), with.previewServers(), "", 1)
		if rest != string(tree(c)[SitePath(c.Service)]) {
			t.Errorf("%s: the site differs in more than the preview:\n%s", name, rest)
		}
		if !slices.Equal(SiteNames(site), c.ServerNames) {
			t.Errorf("%s: with a preview its names are %q", name, SiteNames(site))
		}
	}
}

// tree are the files of a site by their paths.
func tree(c SiteConfig) map[string][]byte {
	have := map[string][]byte{}
	for _, f := range Site(c) {
		have[f.Path] = []byte(f.Text)
	}
	return have
}

// TestAPreviewIsNeverLessGuardedThanThePublicNames: what it does not have of its own is the service's.
func TestAPreviewIsNeverLessGuardedThanThePublicNames(t *testing.T) {
	mine, theirs := &BasicAuth{File: "0011.htpasswd", Realm: "preview"}, &BasicAuth{File: "00cc.htpasswd", Realm: "all"}
	for name, x := range map[string]struct {
		web   Web
		wants []string
		lacks []string
	}{
		"the service's":    {Web{BasicAuth: theirs, Allow: []string{"10.0.0.0/8"}, Preview: &Preview{}}, []string{"allow 10.0.0.0/8;", "deny all;", "00cc.htpasswd"}, nil},
		"a password":       {Web{BasicAuth: theirs, Allow: []string{"10.0.0.0/8"}, Preview: &Preview{BasicAuth: mine}}, []string{"allow 10.0.0.0/8;", "deny all;", "0011.htpasswd"}, []string{"00cc"}},
		"addresses":        {Web{BasicAuth: theirs, Allow: []string{"10.0.0.0/8"}, Preview: &Preview{Allow: []string{"192.0.2.7"}}}, []string{"allow 192.0.2.7;", "deny all;", "00cc.htpasswd"}, []string{"10.0.0.0"}},
		"of its own alone": {Web{Preview: &Preview{BasicAuth: mine, Allow: []string{"192.0.2.7"}}}, []string{"allow 192.0.2.7;", "deny all;", "0011.htpasswd"}, nil},
	} {
		for _, grpc := range []bool{false, true} {
			c := defaultSite()
			c.Web = x.web
			c.Web.GRPC = grpc
			text := string(tree(c)[PreviewPath("shop")])
			for _, want := range x.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s: no %s in\n%s", name, want, text)
				}
			}
			for _, not := range x.lacks {
				if strings.Contains(text, not) {
					t.Errorf("%s: %s in\n%s", name, not, text)
				}
			}
		}
	}
}

// TestVariablesOfServicesDiffer as their names do, for all that nginx takes no case in them.
func TestVariablesOfServicesDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, service := range []string{"a-b", "a.b", "a_b", "ab", "a_2db", "a-2db", "a_5f2db", "a.-b", "a-.b", "a", "a_", "2d", "_2d", strings.Repeat("a", 30), strings.Repeat("a", 31), strings.Repeat("a", 63), longName, strings.Replace(longName, "-", "_", 1)} {
		v := strings.ToLower(idleVariable(service))
		if other, twice := seen[v]; twice {
			t.Errorf("$%s is that of %s and of %s", v, service, other)
		}
		seen[v] = service
		if len(v) > 46 { // what fits 64 bytes of nginx's hash
			t.Errorf("$%s has %d characters", v, len(v))
		}
		if strings.Trim(v, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("$%s is no variable of nginx's", v)
		}
	}
}

func TestTheFilesOfAPreviewArePartOfItsSite(t *testing.T) {
	c := closedPreviewSite()
	have := tree(c)
	if kept := SiteFiles(have, c.Service); len(kept) != len(have) {
		t.Errorf("of %q these are the site's: %v", slices.Sorted(maps.Keys(have)), kept)
	}
	for _, file := range PartFiles(have, c.Service) {
		if len(have[file]) == 0 {
			t.Errorf("it needs %s, which it has not", file)
		}
	}
	at := c.Upstreams[0]
	for _, file := range []string{PreviewPath("shop"), previewLocationsPath("shop"), PartPath("shop", "next.example.com")} {
		broken := maps.Clone(have)
		delete(broken, file)
		if Whole(broken, "shop", at) {
			t.Errorf("it is whole without %s", file)
		}
	}
	c.Web.Preview = nil
	var gone []string
	for _, f := range SiteChange(have, "shop", Site(c)) {
		if f.Remove {
			gone = append(gone, f.Path)
		}
	}
	want := []string{PartPath("shop", "next.example.com"), previewGRPCPath("shop"), previewLocationsPath("shop"), PreviewPath("shop")}
	slices.Sort(want)
	if !slices.Equal(gone, want) {
		t.Errorf("without the preview go %q, not %q", gone, want)
	}
}

func TestNamesOfAPreviewAreReadBack(t *testing.T) {
	site := string(tree(previewSite())[SitePath("blog.v2")])
	want := []string{"next.example.com", "*.next.example.com"}
	if got := PreviewNames(site); !slices.Equal(got, want) || SiteNames(site) != nil || !slices.Equal(AllNames(site), want) {
		t.Errorf("public %q, preview %q, all %q", SiteNames(site), got, AllNames(site))
	}
	if got := PreviewNames(string(tree(namedSite())[SitePath("blog.v2")])); got != nil {
		t.Errorf("a site without one has %q", got)
	}
}
