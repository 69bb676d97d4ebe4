package nginx

import (
	"slices"
	"strings"
	"testing"
)

// treeOf are files as they lie below Root.
func treeOf(files ...File) map[string][]byte {
	have := map[string][]byte{}
	for _, f := range files {
		have[f.Path] = []byte(f.Text)
	}
	return have
}

func confirmedTree(c SiteConfig) map[string][]byte {
	files := append(Site(c), File{Path: IncludePath(c.Service), Text: Include(Target{c.Service, "real1", 1})})
	return treeOf(append(files, ConfirmedCopy(c.Service, files))...)
}

func TestADamagedSiteIsPutBackFromItsCopyAndALaterIncludeIsLeft(t *testing.T) {
	c := sharedSite()
	if diff := ConfirmedChange(confirmedTree(c), c.Service); len(diff) > 0 {
		t.Errorf("nothing is damaged, and %v changes", diff)
	}
	for name, x := range map[string]struct {
		file, text string
		change     int
		lost       bool
	}{
		"a site":                          {SitePath("api"), "broken", 1, false},
		"an empty part":                   {PartPath("api", "blog.example.com"), "", 1, true},
		"a part too many":                 {PartPath("api", "x.example.com"), "x", 1, false},
		"a torn include":                  {IncludePath("api"), "set $se", 1, true},
		"an include of another service":   {IncludePath("api"), Include(Target{"shop", "real2", 2}), 1, true},
		"an include of no profile":        {IncludePath("api"), Include(Target{"api", "real3", 2}), 1, true},
		"a later release":                 {IncludePath("api"), Include(Target{"api", "real2", 2}), 0, false},
		"a copy with no end":              {ConfirmedPath("api"), "{", 0, false},
		"a copy of nothing":               {ConfirmedPath("api"), "{}", 0, false},
		"a copy that names others' files": {ConfirmedPath("api"), `{"nginx.conf":"x","sites/shop.conf":"x","../x":"x","sites/api/state.json":"x"}`, 0, false},
	} {
		have := confirmedTree(c)
		have[x.file] = []byte(x.text)
		diff := ConfirmedChange(have, "api")
		if len(diff) != x.change || len(diff) > 0 && diff[0].Path != x.file {
			t.Errorf("%s: %v", name, diff)
		}
		if lost := slices.Contains(Lost(have), "api"); lost != x.lost {
			t.Errorf("%s: lost %v", name, lost)
		}
	}
}

func TestASiteComesInAnOrderThatServesAtEveryMoment(t *testing.T) {
	c := sharedSite()
	first := inOrder(append([]File{{Path: MainPath}, {Path: IncludePath("api")}}, SiteChange(nil, "api", Site(c))...))
	if last := first[len(first)-1].Path; last != PartPath("api", "blog.example.com") || first[0].Path != MainPath {
		t.Errorf("a first deploy ends with %s", last)
	}
	have := confirmedTree(c)
	c.ServerNames = []string{"new.example.com"}
	change := inOrder(SiteChange(have, "api", Site(c)))
	var paths []string
	for _, f := range change {
		paths = append(paths, f.Path)
	}
	if want := []string{PartPath("api", "new.example.com"), SitePath("api"), PartPath("api", "blog.example.com")}; !slices.Equal(paths, want) || !change[2].Remove {
		t.Errorf("got %v, want %v", paths, want)
	}
	out := inOrder(append(SiteChange(have, "api", nil), File{Path: IncludePath("api"), Remove: true}))
	if out[0].Path != PartPath("api", "blog.example.com") || out[1].Path != SitePath("api") {
		t.Errorf("a service goes by %v", out)
	}
}

func TestALongServerNameHasAFileOfItsOwn(t *testing.T) {
	long := strings.Repeat("a_.", 80) + "example.com"
	a, b := partFile(long), partFile("b"+long[1:])
	if len(a) > 200 || a == b || partFile(strings.ToUpper(long)) != a {
		t.Errorf("%q and %q", a, b)
	}
	if names := []string{partFile("*.a.b"), partFile("a.*"), partFile("[::1]"), partFile("any")}; slices.ContainsFunc(names, func(n string) bool { return strings.ContainsAny(n, "*[]?\\") }) || partFile("any") == partFile("") {
		t.Errorf("%q", names)
	}
}

func TestWhatASiteTakesCanBeReadBack(t *testing.T) {
	have := confirmedTree(sharedSite())
	want := []Claim{{"blog.example.com", "/api", false}, {"blog.example.com", "/v2/things", false}}
	if got := Claims(have, "api"); !slices.Equal(got, want) || !Shares(have, "api") {
		t.Errorf("got %v", got)
	}
	if got := Claims(confirmedTree(defaultSite()), "shop"); !slices.Equal(got, []Claim{{"", "/", false}}) {
		t.Errorf("got %v", got)
	}
	at := sharedSite().Upstreams[0]
	if !Whole(have, "api", at) || Whole(have, "api", Upstream{"real1", "10.77.8.9", 8081}) {
		t.Error("a site is whole if it leads to where the profile is")
	}
	delete(have, ProxyPath("api"))
	if Whole(have, "api", at) {
		t.Error("a site without its proxy.inc is not whole")
	}
}
