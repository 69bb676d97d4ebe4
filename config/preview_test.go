package config

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestLoad_RefusesKeysOfAPreview(t *testing.T) {
	const at = "compose.yaml:6: " + webSection + ".preview"
	for _, b := range []bad{
		{name: "a name alone", section: "preview: next.example.com", where: at, what: "must be a section with keys of its own (server_names, basic_auth, allow)"},
		{name: "no name", section: "preview: {allow: [10.0.0.0/8]}", where: at, what: "needs server_names of its own", do: "Write preview: {server_names:"},
		{name: "no names in a list", section: "preview: {server_names: []}", where: at + ".server_names", what: "no name"},
		{name: "an unknown key", section: "preview: {server_name: [a.example]}", where: at + ".server_name", what: "did you mean server_names?"},
		{name: "a regular expression", section: `preview: {server_names: ["~^next"]}`, where: at + ".server_names[0]", what: "regular expressions are not allowed"},
		{name: "a name that ends a directive", section: `preview: {server_names: ["a;b"]}`, where: at + ".server_names[0]", what: "not a host name"},
		{name: "a name twice", section: "preview: {server_names: [a.example, A.example]}", where: at + ".server_names", what: "stands twice in service web's preview"},
		{name: "a public name", section: "server_names: [a.example, b.example]\npreview: {server_names: [c.example, B.example]}",
			where: "compose.yaml:7: " + webSection + ".preview.server_names[1]", what: "B.example is one of the service's server_names too", do: "a name of its own"},
		{name: "no file of passwords", section: "preview: {server_names: [a.example], basic_auth: {realm: a}}", where: at + ".basic_auth", what: "needs a file"},
		{name: "a realm that ends its quotes", section: `preview: {server_names: [a.example], basic_auth: {file: a, realm: 'a"b'}}`, where: at + ".basic_auth.realm", what: "no \""},
		{name: "nobody is allowed", section: "preview: {server_names: [a.example], allow: []}", where: at + ".allow", what: "nobody could come in"},
		{name: "a network with host bits", section: "preview: {server_names: [a.example], allow: [10.1.2.3/8]}", where: at + ".allow[0]", what: "10.0.0.0/8"},
		{name: "somebody else's nginx", text: "x-bluegreen: {nginx: {container: mine}}\n" + strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen: {preview: {server_names: [a.example]}}", 1),
			where: "compose.yaml:1: x-bluegreen.nginx.container", what: "keys for a site of bluegreen's own (tls, headers, allow, preview", do: "server block"},
	} {
		t.Run(b.name, b.run)
	}
}

const staff = "ann:$2y$05$abcdefghijklmnopqrstuu4h2R.N3/mVBA7Xh7aLzKSJDAsK61n52\n"

// TestLoad_APreviewIsRememberedAndItsPasswordsAreStored: the host gets both, as it gets those of the public names.
func TestLoad_APreviewIsRememberedAndItsPasswordsAreStored(t *testing.T) {
	section := "preview: {server_names: [next.example.com], basic_auth: {file: staff, realm: next}, allow: [10.0.0.0/8]}"
	s, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", one(section), "staff", staff)})
	if err != nil {
		t.Fatal(err)
	}
	p := s.Web.Preview
	if c := s.Contents[p.BasicAuth.File.Name]; !c.Shared || c.Secret || string(c.Text) != staff || len(s.Web.Files()) != 1 {
		t.Errorf("its passwords are %v of %v", c, s.Web.Files())
	}
	text, err := json.Marshal(s.Settings)
	if err != nil {
		t.Fatal(err)
	}
	var back Settings
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, "read back", back, s.Settings)
	if strings.Contains(string(text), "$2y$") {
		t.Errorf("the settings show a password: %s", text)
	}
	n := s.Web.Site(false)
	equal(t, "in nginx's words", *n.Preview.BasicAuth, *(&BasicAuth{File: p.BasicAuth.File, Realm: "next"}).site())
	equal(t, "names", s.AllNames(), []string{"next.example.com"})
	if s.Web.None() || n.Private() {
		t.Error("a site with a preview does nothing else, or its public names are not for everybody")
	}
}

func TestLoad_ACopyHasNoNeedOfAPreviewsPasswords(t *testing.T) {
	dir := files(t, "compose.yaml", one("preview: {server_names: [next.example.com], basic_auth: {file: gone}}"))
	if s, err := Load(t.Context(), Options{Dir: dir, Copy: true}); err != nil || len(s.Contents) != 0 {
		t.Errorf("%v, %v", slices.Collect(maps.Keys(s.Contents)), err)
	}
	if _, err := Load(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), webSection+".preview.basic_auth.file: cannot read") {
		t.Errorf("a deploy: %v", err)
	}
}

func TestLoad_ACertificateIsForThePreviewToo(t *testing.T) {
	key := ecKey(t)
	own := issued(t, nil, key, nil) // for shop.example.com
	for section, want := range map[string]string{
		secure + "\npreview: {server_names: [next.example.com]}":                                                          "is not for next.example.com (it is for shop.example.com)",
		strings.Replace(secure, "[shop.example.com]", "[SHOP.example.com]", 1) + "\npreview: {server_names: [a.example]}": "is not for a.example",
	} {
		_, err := Load(t.Context(), Options{Dir: withFiles(t, section, own.text, pemKey(t, key))})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "those of the preview too") {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
