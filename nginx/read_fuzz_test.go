package nginx

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzParseInclude: what is read is exactly what Include writes, and names a profile that may be written again.
func FuzzParseInclude(f *testing.F) {
	good := Include(Target{"shop", "real1", 7})
	f.Add("shop", good)
	f.Add("shop", strings.ReplaceAll(good, "\n", "\r\n"))
	f.Add("shop", good+good)
	f.Add("shop", strings.Replace(good, "7", "-7", 1))
	f.Add("shop", strings.Replace(good, "7", "٧", 1))
	f.Add("", Include(Target{"", "real1", 7}))
	for _, s := range hostile {
		f.Add("shop", Include(Target{"shop", s, 1}))
		f.Add(s, Include(Target{s, "real1", 1}))
	}
	f.Fuzz(func(t *testing.T, service, text string) {
		got, err := ParseInclude(service, text)
		if err != nil {
			if got != (Target{}) {
				t.Errorf("%v with %v", got, err)
			}
			return
		}
		if Include(got) != text || got.Service != service || got.Release < 0 || ValidProfileName(got.Profile) != nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	})
}

// FuzzSiteNames: a site that somebody edited is read without a panic, and a name never has a blank in it.
func FuzzSiteNames(f *testing.F) {
	f.Add(Site(defaultSite())[0].Text)
	f.Add(Site(namedSite())[0].Text)
	f.Add("server_name ;\nserver_name \"\" a\"b;listen 8079")
	f.Add("server_name")
	f.Fuzz(func(t *testing.T, site string) {
		for _, n := range SiteNames(site) {
			if strings.ContainsAny(n, " \t\n") {
				t.Errorf("%q", n)
			}
		}
		_ = HasGroup(site, "shop-real1")
	})
}

// FuzzVersion: a program that says anything at all gives a version in digits and dots, or an error.
func FuzzVersion(f *testing.F) {
	f.Add("nginx version: nginx/1.30.6\n", "", 0)
	f.Add("", "nginx version: openresty/1.27.1.1 (x)", 0)
	f.Add("nginx version: nginx/1.30.6;\nnginx version: nginx/2", "nginx version: nginx/99999999999999999999.1", 1)
	f.Add("sh: nginx: not found", "", 127)
	f.Fuzz(func(t *testing.T, stderr, stdout string, code int) {
		got, err := Version(t.Context(), &scripted{run: Result{Stdout: stdout, Stderr: stderr, ExitCode: code}})
		if err != nil {
			return
		}
		if got == "" || strings.Trim(got, "0123456789.") != "" || !strings.Contains(stderr+stdout, got) {
			t.Errorf("read %q", got)
		}
		_ = SupportsKeepaliveMinTimeout(got)
	})
}

// FuzzReadWorkers: no list of processes, whatever their titles, lets a draining worker pass for a serving one.
func FuzzReadWorkers(f *testing.F) {
	f.Add(`[{"PID":1,"Title":"nginx: master process nginx"},{"PID":7,"Title":"nginx: worker process"},{"PID":8,"Title":"nginx: worker process is shutting down"}]`)
	f.Add(`[{"PID":-1,"Title":" nginx: worker process "},{"PID":0,"Title":"nginx: master process"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var list []Process
		if json.Unmarshal([]byte(text), &list) != nil {
			return
		}
		w, err := ReadWorkers(t.Context(), &scripted{looks: [][]Process{list}})
		if err != nil {
			return
		}
		if len(w.Serving)+len(w.Draining) > len(list) || w.Master == 0 {
			t.Errorf("%+v of %+v", w, list)
		}
	})
}
