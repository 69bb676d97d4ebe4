package swap

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
)

const next = "next.example.com"

// previewed gives a service a preview under these names.
func previewed(names ...string) func(*config.Service) {
	return func(s *config.Service) { s.Web.Preview = &config.Preview{ServerNames: names} }
}

func deployPreviewed(image string, edit ...func(*config.Service)) Request {
	return Request{Command: Deploy, Service: shop(image, append([]func(*config.Service){named, previewed(next)}, edit...)...)}
}

// TestThePreviewLeadsToTheIdleProfileWhateverIsLive, also where the compose file is not at hand; the public name never does.
func TestThePreviewLeadsToTheIdleProfileWhateverIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		want := func(public, preview string) {
			t.Helper()
			if got, idle := h.gets("shop.example.com", "/"), h.gets(next, "/"); got != public || idle != preview {
				t.Errorf("%s answers the public name, and %s the preview; want %s and %s", got, idle, public, preview)
			}
		}
		h.mustRun(t, deployPreviewed("v1"))
		want("shop-real1", "nobody")
		h.mustRun(t, deployPreviewed("v2"))
		want("shop-real2", "shop-real1")
		for _, live := range []string{"real1", "real2"} {
			h.mustRun(t, Request{Command: Rollback, Service: nameOnly("shop")})
			want("shop-"+live, "shop-"+map[string]string{"real1": "real2", "real2": "real1"}[live])
		}
		h.mustRun(t, Request{Command: MaintenanceOn, Service: nameOnly("shop")})
		want("shop-real2", "shop-real1")
		h.mustRun(t, Request{Command: MaintenanceOff, Service: nameOnly("shop")})
		h.mustRun(t, Request{Command: Stop, Service: nameOnly("shop")})
		want("shop-real2", "nobody")
		h.mustRun(t, Request{Command: Start, Service: shop("v3", named, previewed(next))})
		want("shop-real2", "shop-real1")
		checkWhole(t, h)
	})
}

func TestAReloadBringsAPreviewAndTakesItAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, shopNamed("v1"))
		h.mustRun(t, shopNamed("v2"))
		live := h.must(t, "shop-real2").ID
		reload := func(edit ...func(*config.Service)) {
			t.Helper()
			r := Request{Command: Reload, Service: shop("", append([]func(*config.Service){named}, edit...)...)}
			r.Service.Contents = map[string]config.Content{} // the compose file was read, and has no files
			if res := h.mustRun(t, r); res.Outcome != Done {
				t.Errorf("outcome %s", res.Outcome)
			}
			if res := h.mustRun(t, r); res.Outcome != Unchanged {
				t.Errorf("once more: outcome %s", res.Outcome)
			}
		}
		reload(previewed(next))
		if got := h.gets(next, "/"); got != "shop-real1" {
			t.Errorf("%s answers", got)
		}
		reload(previewed("other." + next))
		if old, now := h.gets(next, "/"), h.gets("other."+next, "/"); old != "nobody" || now != "shop-real1" {
			t.Errorf("%s and %s answer", old, now)
		}
		reload()
		if got := h.gets("other."+next, "/"); got != "nobody" {
			t.Errorf("%s answers", got)
		}
		if h.state(t).Settings.Web.Preview != nil {
			t.Error("it is remembered")
		}
		if h.must(t, "shop-real2").ID != live {
			t.Error("a container was replaced")
		}
	})
}

// TestAPreviewIsNoReasonForANewContainer: it is nginx's alone.
func TestAPreviewIsNoReasonForANewContainer(t *testing.T) {
	hash := func(edit ...func(*config.Service)) string {
		t.Helper()
		got, err := configHash(shop("v1", edit...))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if hash(named) != hash(named, previewed(next)) {
		t.Error("the hash of the container's configuration is another one")
	}
}

// TestPasswordsOfAPreviewAreStoredAndSweptAsOthersAre.
func TestPasswordsOfAPreviewAreStoredAndSweptAsOthersAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		with := func(name string) func(*config.Service) {
			return func(s *config.Service) {
				s.Web.Preview.BasicAuth = &config.BasicAuth{File: config.File{Path: name, Name: name}, Realm: "next"}
				s.Contents = map[string]config.Content{name: {Text: []byte("ann:$2y$" + name), Shared: true}}
			}
		}
		h.mustRun(t, deployPreviewed("v1", with("01.htpasswd")))
		if got := h.stored(); got != "01.htpasswd" {
			t.Errorf("stored is %q", got)
		}
		h.mustRun(t, deployPreviewed("v2", with("02.htpasswd")))
		if got := h.stored(); got != "02.htpasswd" {
			t.Errorf("after another one, %q", got)
		}
		h.mustRun(t, Request{Command: Rollback, Service: nameOnly("shop")})
		if got := h.stored(); got != "02.htpasswd" || !strings.Contains(h.of("shop"), `auth_basic_user_file "sites/shop/files/02.htpasswd"`) {
			t.Errorf("after a rollback, %q", got)
		}
		h.mustRun(t, Request{Command: Deploy, Service: shop("v3", named)})
		if got := h.stored(); got != "" {
			t.Errorf("without a preview, %q", got)
		}
	})
}

func TestANameThatAnotherServiceHasIsNoPreviews(t *testing.T) {
	blog := nginx.SiteConfig{
		Service: "blog", ServerNames: []string{"blog.example.com"}, Paths: []string{"/a"},
		Web: nginx.Web{Preview: &nginx.Preview{ServerNames: []string{"next.blog.example.com"}}},
	}
	files := map[string][]byte{"sites/blog/state.json": []byte("{}")}
	for _, f := range nginx.Site(blog) {
		files[f.Path] = []byte(f.Text)
	}
	for name, c := range map[string]struct {
		public, preview string
		paths           []string
		want            string
	}{
		"its public name":           {"a.example.com", "BLOG.example.com", []string{"/b"}, "to show its idle profile (preview) under the name BLOG.example.com, under which blog serves the live one"},
		"its preview's name":        {"next.blog.example.com", "a.example.com", []string{"/b"}, "to serve the name next.blog.example.com, under which blog shows its idle profile (preview)"},
		"one path of its preview":   {"a.example.com", "next.blog.example.com", []string{"/a"}, "blog serves the name next.blog.example.com on this nginx already under /a"},
		"another of its preview":    {"a.example.com", "next.blog.example.com", []string{"/b"}, ""},
		"other names":               {"blog.example.com", "next.example.com", []string{"/b"}, ""},
		"a preview for every name":  {"", "next.example.com", nil, ""},
		"every name and its public": {"", "blog.example.com", nil, "under which blog serves the live one"},
	} {
		s := config.Settings{Service: "shop", Paths: c.paths, Web: config.Web{Preview: &config.Preview{ServerNames: []string{c.preview}}}}
		if c.public != "" {
			s.ServerNames = []string{c.public}
		}
		err := (&Observation{Files: files}).checkNames(s)
		var usage *config.Error
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &usage) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestANameThatSomebodyTookMeanwhileIsNoPreviews: it is proved free once more in the moment of the switch.
func TestANameThatSomebodyTookMeanwhileIsNoPreviews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.mustRun(t, shopNamed("v1"))
		p := h.process(fault{})
		p.at = map[call]func(){{"CreateProfile", 1}: func() {
			_, _ = h.process(fault{}).run(Request{Command: Deploy, Service: service("other", "v1", otherPorts, under(next, "/b"))})
		}}
		_, err := p.run(deployPreviewed("v2"))
		soon()
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "under which other serves the live one") {
			t.Errorf("exit %d: %v", ExitCode(err), err)
		}
		h.wantGets(t, map[string]string{next + "/b": "other-real1", next + "/": "nobody", "shop.example.com/": "shop-real1"})
		checkWhole(t, h)
	})
}

func TestAnAdoptedNginxHasNoPreview(t *testing.T) {
	o := Observation{Host: HostKeys{Container: "mine"}}
	err := o.checkTLS(config.Settings{Service: "shop", Web: config.Web{Preview: &config.Preview{ServerNames: []string{next}}}})
	if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "preview") {
		t.Errorf("exit %d: %v", ExitCode(err), err)
	}
}

func TestPreviewURLs(t *testing.T) {
	for name, c := range map[string]struct {
		names, paths []string
		tls          bool
		keys         HostKeys
		want         []string
	}{
		"plain":                   {names: []string{next}, keys: HostKeys{HTTP: 80}, want: []string{"http://next.example.com/"}},
		"another port":            {names: []string{next, "[::1]"}, keys: HostKeys{HTTP: 8080}, want: []string{"http://next.example.com:8080/", "http://[::1]:8080/"}},
		"no host yet":             {names: []string{next}, want: []string{"http://next.example.com/"}},
		"TLS":                     {names: []string{next}, tls: true, keys: HostKeys{HTTP: 8080, HTTPS: 443}, want: []string{"https://next.example.com/"}},
		"TLS on another port":     {names: []string{next}, tls: true, keys: HostKeys{HTTP: 80, HTTPS: 8443}, want: []string{"https://next.example.com:8443/"}},
		"paths":                   {names: []string{next}, paths: []string{"/api", "/b"}, keys: HostKeys{HTTP: 80}, want: []string{"http://next.example.com/api", "http://next.example.com/b"}},
		"a name beside wildcards": {names: []string{"*.example.com", next}, keys: HostKeys{HTTP: 80}, want: []string{"http://next.example.com/"}},
		"a wildcard":              {names: []string{"*.next.example.com"}, keys: HostKeys{HTTP: 80}, want: []string{"http://bluegreen.next.example.com/"}},
		"none":                    {},
	} {
		s := config.Settings{Paths: c.paths}
		if c.names != nil {
			s.Web.Preview = &config.Preview{ServerNames: c.names}
		}
		if c.tls {
			s.Web.TLS = &config.TLS{}
		}
		if got := PreviewURLs(s, c.keys); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestAStatusNamesThePreviewThatNginxServes, not one that a file wants next, and its public names without it.
func TestAStatusNamesThePreviewThatNginxServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		read := func(s *config.Service) Status {
			t.Helper()
			st, err := ReadStatus(context.Background(), h.process(fault{}).world(), s)
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		wanted := shop("v1", under("shop.example.com", "/b"), previewed("other."+next))
		h.mustRun(t, shopNamed("v1"))
		if st := read(wanted); st.Preview != nil {
			t.Errorf("before it is there: %q", st.Preview)
		}
		h.mustRun(t, deployPreviewed("v2"))
		for _, s := range []*config.Service{nameOnly("shop"), wanted} {
			if st := read(s); !slices.Equal(st.Preview, []string{"http://next.example.com/"}) || !slices.Equal(st.ServerNames, []string{"shop.example.com"}) {
				t.Errorf("preview %q, names %q", st.Preview, st.ServerNames)
			}
		}
		text, err := json.Marshal(read(wanted))
		if err != nil || !strings.Contains(string(text), `"preview":["http://next.example.com/"]`) {
			t.Errorf("%s, %v", text, err)
		}
	})
}

// TestACertificateIsLookedAtForThePreviewsNamesToo, by status and doctor, and beside that of another service's preview.
func TestACertificateIsLookedAtForThePreviewsNamesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := fresh(t)
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", with(t, 1, time.Now().Add(90*24*time.Hour)), previewed(next))})
		const missing = "the certificate is not for next.example.com (it is for shop.example.com)"
		if got := judged(t, h, nameOnly("shop")); got.Level != LevelProblem || !strings.Contains(got.What, missing) || !strings.Contains(got.Do, "preview") {
			t.Errorf("doctor says %+v", got)
		}
		st, err := ReadStatus(t.Context(), h.process(fault{}).world(), nameOnly("shop"))
		if err != nil || !slices.Contains(st.Notes, missing) {
			t.Errorf("the status says %q, %v", st.Notes, err)
		}
	})
	site := func(service, certificate, path string) nginx.SiteConfig {
		return nginx.SiteConfig{
			Service: service, ServerNames: []string{service + ".example.com"}, Paths: []string{path},
			Web: nginx.Web{TLS: &nginx.TLS{Certificate: certificate, Key: "a.key"}, Preview: &nginx.Preview{ServerNames: []string{next}}},
		}
	}
	o := Observation{Files: map[string][]byte{"sites/blog/state.json": []byte("{}")}, Host: HostKeys{HTTPS: 443}}
	for _, f := range nginx.Site(site("blog", "blog.crt", "/a")) {
		o.Files[f.Path] = []byte(f.Text)
	}
	wanted := config.Settings{Service: "shop", ServerNames: []string{"shop.example.com"}, Web: config.Web{
		TLS: &config.TLS{Certificate: config.File{Name: "shop.crt"}}, Preview: &config.Preview{ServerNames: []string{next}},
	}}
	if err := o.checkTLS(wanted); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "has another certificate for next.example.com than service blog") {
		t.Errorf("exit %d: %v", ExitCode(err), err)
	}
	if left := withoutCertificate(o, "blog"); len(left) > 0 {
		t.Errorf("%q lose a certificate with blog", left)
	}
	for _, f := range nginx.Site(nginx.SiteConfig{Service: "api", Paths: []string{"/b"}, Web: nginx.Web{Preview: &nginx.Preview{ServerNames: []string{next}}}}) {
		o.Files[f.Path] = []byte(f.Text)
	}
	if left := withoutCertificate(o, "blog"); !slices.Equal(left, []string{"api"}) {
		t.Errorf("%q lose a certificate with blog, not api", left)
	}
}
