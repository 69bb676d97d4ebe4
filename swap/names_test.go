package swap

import (
	"errors"
	"strings"
	"testing"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

func TestAHostNameThatAnotherServiceServesIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	site := func(names ...string) []byte {
		return []byte(nginx.Site(nginx.SiteConfig{Service: "blog", ServerNames: names})[0].Text)
	}
	for _, c := range []struct {
		name  string
		other []byte
		ours  []string
		want  string
	}{
		{"both serve any name", site(), nil, "blog serves every host name"},
		{"the same name", site("a.example.com", "b.example.com"), []string{"b.example.com"}, "blog serves the name b.example.com"},
		{"one of them serves any name", site(), []string{"b.example.com"}, ""},
		{"other names", site("a.example.com"), []string{"b.example.com"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Observation{Files: map[string][]byte{"sites/blog.conf": c.other, "sites/blog/state.json": []byte("{}")}}
			err := o.checkNames(config.Settings{Service: "shop", ServerNames: c.ours})
			var usage *config.Error
			if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &usage) || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestWhatIsLeftOfAServiceThatNeverWasLiveCanBeSeenAndRemoved(t *testing.T) {
	s := settingsOf([]docker.Container{{Labels: map[string]string{LabelService: "shop", LabelProject: "p", LabelProfile: "blue"}}})
	if s.Service != "shop" || s.Project != "p" || s.Profiles[0].Name != "blue" || s.Profiles[1].Name != "real2" {
		t.Fatalf("%+v", s)
	}
}
