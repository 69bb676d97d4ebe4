package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/swap"
)

func TestAListOfServicesIsALineEach(t *testing.T) {
	real := func(port, release int, image, state string, live bool) swap.ProfileStatus {
		return swap.ProfileStatus{Port: port, Release: release, Image: image, State: state, Live: live}
	}
	nginx := &swap.NginxStatus{State: "running", Image: "nginx:1.30", Version: "1.30.6", Workers: 2, KeepaliveMinTimeout: true}
	var out bytes.Buffer
	err := printOverview(&out, swap.Overview{Nginx: nginx, Services: []swap.Status{
		{Service: "blog", Live: "real2", Release: 7, Serving: true, ServerNames: []string{"blog.example.com", "*.blog.example.com"}, Paths: []string{"/read", "/write"},
			Profiles: []swap.ProfileStatus{real(8083, 6, "blog:6", "exited", false), real(8084, 7, "blog:7", "running", true)}},
		{Service: "new", Profiles: make([]swap.ProfileStatus, 2), Lock: &swap.LockStatus{Owner: "ann", Host: "ci-7"}},
		{Service: "odd", Error: "read include: it is\ntorn"},
		{Service: "shop", Live: "real1", Release: 42, Profiles: []swap.ProfileStatus{real(8081, 42, "shop:42", "running", true), real(8082, 43, "shop:43", "running", false)},
			Lock: &swap.LockStatus{Gone: true}, Notes: []string{"the live profile real1 does not answer"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `SERVICE   STATE      LIVE    RELEASE   IMAGE     SERVES                                             IDLE         LOCK
blog      serving    real2   7         blog:7    blog.example.com,*.blog.example.com /read,/write   6 (exited)   -
new       not live   -       -         -         -                                                  -            ann@ci-7
odd       UNKNOWN    -       -         -         -                                                  -            -
shop      DOWN       real1   42        shop:42   any name                                           43           left behind

nginx: running, nginx:1.30 (1.30.6), 2 workers serving, 0 draining
odd: read include: it is
  torn
note: shop: the live profile real1 does not answer
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStatusOfAllNamesNoService(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"status", "--all", "shop"}, &out, &errs); code != swap.ExitUsage || !strings.Contains(errs.String(), "Choose one") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}

// TestAServiceIsCompleted for every command that takes one, and without an engine by the compose file alone.
func TestAServiceIsCompleted(t *testing.T) {
	dockerFolder(t)
	file := filepath.Join(t.TempDir(), "compose.yaml")
	text := "name: p\nservices:\n  web: {image: a, x-bluegreen: {}}\n  api: {image: b, x-bluegreen: {name: shop-api, profiles: {real1: 1, real2: 2}, server_names: [a.example.com]}}\n  db: {image: c}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, c := range (&app{}).root().Commands() {
		if !strings.Contains(c.Use, "[SERVICE]") {
			continue
		}
		tried++
		for begun, want := range map[string]string{"": "shop-api\nweb\n:4\n", "w": "web\n:4\n", "x": ":4\n"} {
			args := []string{c.Name(), "--file", file, "-H", "unix:///nowhere", begun}
			var own, plugin, errs bytes.Buffer
			run(t.Context(), append([]string{"__complete"}, args...), &own, &errs)
			runPlugin(t.Context(), append([]string{"__complete", "bluegreen"}, args...), &plugin, &errs)
			if own.String() != want || plugin.String() != want {
				t.Errorf("%s %q: %q, as a plugin %q\n%s", c.Name(), begun, own.String(), plugin.String(), errs.String())
			}
		}
	}
	if tried < 12 {
		t.Errorf("only %d commands take a SERVICE", tried)
	}
}
