package nginx

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// sharing is a service of the backend's that says its release in a header.
func sharing(service string, release int, names []string, paths ...string) []File {
	c := defaultSite()
	c.Service, c.ServerNames, c.Paths, c.ReleaseHeader = service, names, paths, "X-Bluegreen-Release"
	c.Upstreams = []Upstream{{"real1", "127.0.0.1", 9001}, {"real2", "127.0.0.1", 9002}}
	return append(Site(c), File{Path: IncludePath(service), Text: Include(Target{service, "real1", release})})
}

// withServices is a running nginx with services that share its names.
func withServices(t *testing.T, image string) *engine {
	e := newEngine(t, image)
	c := Change{Run: "services", Test: true, Files: []File{{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: time.Minute})}}}
	shop := []string{"shop.example.com", "www.shop.example.com"}
	c.Files = append(c.Files, sharing("shop", 1, shop)...)
	c.Files = append(c.Files, sharing("api", 2, append(shop, "api.example.com"), "/api", "/v2/things")...)
	c.Files = append(c.Files, sharing("deep", 3, shop[:1], "/api/deep")...)
	c.Files = append(c.Files, sharing("wild", 4, []string{"*.wild.example.com", "[::1]", "under_score.example.com"})...)
	c.Files = append(c.Files, sharing("any", 5, nil, "/any")...)
	if err := Apply(t.Context(), e, c); err != nil {
		t.Fatal(err)
	}
	e.start()
	e.startBackend()
	e.waitFor("shop.example.com")
	return e
}

func (e *engine) waitFor(host string) {
	e.t.Helper()
	for range 100 {
		if got, _ := e.release(host, "/", ""); got == "1" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	e.t.Fatal("the backend does not answer")
}

// release is who answered a request, "404" when nobody; and what was said.
func (e *engine) release(host, path, addr string) (string, string) {
	e.t.Helper()
	req := e.request("GET", path, nil)
	if req.Host, req.Close = host, true; addr != "" {
		req.URL.Host = strings.TrimPrefix(addr, "http://")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err.Error(), ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if r := resp.Header.Get("X-Bluegreen-Release"); r != "" {
		return r, string(body)
	}
	return fmt.Sprint(resp.StatusCode), string(body)
}

func TestServicesShareNamesByTheirPaths(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := withServices(t, image)
		for request, want := range map[string]string{
			"shop.example.com/": "1", "shop.example.com/apix": "1", "shop.example.com/v2": "1", "shop.example.com/v2/thing": "1", "shop.example.com/any": "1", "shop.example.com/API": "1",
			"shop.example.com/api": "2", "shop.example.com/api?x=/deep": "2", "shop.example.com/api/": "2", "shop.example.com/api/deeper": "2", "shop.example.com/v2/things/1": "2", "SHOP.example.com/api": "2",
			"shop.example.com//api/x": "2", "shop.example.com/x/../api/x": "2",
			"shop.example.com/api/deep": "3", "shop.example.com/api/deep/x": "3", "www.shop.example.com/api/deep": "2", "www.shop.example.com/": "1",
			"api.example.com/api": "2", "api.example.com/": "404", "api.example.com/any": "404", "api.example.com/index.html": "404",
			"a.wild.example.com/": "4", "wild.example.com/": "404", "[::1]/x": "4", "under_score.example.com/": "4",
			"else.example.com/any/x": "5", "else.example.com/": "404", "else.example.com/anyx": "404", "localhost/index.html": "404", "_/any": "5",
		} {
			host, path, _ := strings.Cut(request, "/")
			got, body := e.release(host, "/"+path, "")
			if got != want || got == "404" && body != "no such service\n" {
				t.Errorf("%s: answered by %s (%q), not %s", request, got, body, want)
			}
			straight := !strings.HasPrefix(path, "/") && !strings.Contains(path, "..") // else the app itself redirects
			if want != "404" && straight && !strings.Contains(body, fmt.Sprintf(`"uri":"/%s"`, path)) {
				t.Errorf("%s: the app was asked for something else: %s", request, body)
			}
		}
		if _, body := e.release(LiveHost("api"), "/whatever", e.status.URL); !strings.Contains(body, `"host":"api"`) || !strings.Contains(body, `"/whatever"`) {
			t.Errorf("the live profile, asked by the status listener, says %q", body)
		}
		if _, body := e.release("api", "/", e.status.URL); !strings.Contains(body, `"release":2`) {
			t.Errorf("the status listener says %q", body)
		}
	})
}

// Sites of an older bluegreen work under the new nginx.conf, beside new ones, and the new ones need it.
func TestAnOlderBluegreensSitesWorkBesideNewOnes(t *testing.T) {
	older := func(name string) string {
		text, err := os.ReadFile("testdata/older/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	onImages(t, func(t *testing.T, image string) {
		e := newEngine(t, image)
		main := "nginx-1.30.conf"
		if !SupportsKeepaliveMinTimeout(e.version()) {
			main = "nginx-1.22.conf"
		}
		if HasLayout(older(main)) {
			t.Fatal("it counts as new")
		}
		old := []File{{Path: MainPath, Text: older(main)},
			{Path: SitePath("shop"), Text: older("site-default.conf")}, {Path: IncludePath("shop"), Text: Include(Target{"shop", "real1", 1})},
			{Path: SitePath("blog.v2"), Text: older("site-names.conf")}, {Path: IncludePath("blog.v2"), Text: Include(Target{"blog.v2", "real1", 1})}}
		if err := Apply(t.Context(), e, Change{Run: "old", Test: true, Files: old}); err != nil {
			t.Fatal(err)
		}
		beside := slices.Concat(sharing("api", 2, []string{"api.example.com"}, "/api"), sharing("any", 3, nil, "/any"))
		if err := Apply(t.Context(), e, Change{Run: "without", Test: true, Files: append(slices.Clone(beside), File{Path: SitePath("blog.v2"), Remove: true})}); err == nil {
			t.Error("new sites are taken under the old nginx.conf: it need not be written anew")
		}
		beside = append(beside, File{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: time.Minute})})
		if err := Apply(t.Context(), e, Change{Run: "beside", Test: true, Files: beside}); err != nil {
			t.Error(err)
		}
		if err := Apply(t.Context(), e, Change{Run: "over", Test: true, Files: append(sharing("shop", 2, nil), sharing("blog.v2", 2, []string{"blog.example.com"})...)}); err != nil {
			t.Error(err)
		}
	})
}

// What nginx says about a damaged file tells whose it is, and nothing of the sites beside it.
func TestARefusalSaysWhoseFileItIs(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := withServices(t, image)
		have := map[string][]byte{}
		for _, s := range []string{"shop", "api", "deep"} {
			for _, f := range sharing(s, 1, nil) {
				have[f.Path] = []byte(f.Text)
			}
		}
		for name, x := range map[string]struct {
			file      File
			at, whose string
		}{
			"a site":                     {File{Path: SitePath("api"), Text: siteHead + "broken;"}, SitePath("api"), "api"},
			"a site that is cut":         {File{Path: SitePath("api"), Text: siteHead + "server {"}, SitePath("api"), "api"},
			"how requests are passed on": {File{Path: ProxyPath("deep"), Text: "broken;"}, ProxyPath("deep"), "deep"},
			"an include that is gone":    {File{Path: IncludePath("api"), Remove: true}, "", "api"},
			"a part without its paths":   {File{Path: LocationsPath("deep"), Remove: true}, PartPath("deep", "shop.example.com"), "deep"},
			"a person's own":             {File{Path: "sites/mine.conf", Text: "broken;"}, "sites/mine.conf", ""},
		} {
			err := Apply(t.Context(), e, Change{Run: "damaged", Test: true, Files: []File{x.file}})
			var refused *TestError
			if !errors.As(err, &refused) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if file, service := refused.Blamed(have); x.at != "" && file != x.at || service != x.whose {
				t.Errorf("%s: %s of %q is blamed by %q", name, file, service, refused.Output)
			}
			if strings.Contains(refused.Output, "[warn]") || strings.Contains(refused.Output, "conflicting") {
				t.Errorf("%s: nginx says %q", name, refused.Output)
			}
		}
	})
}
