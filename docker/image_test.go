package docker

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// One image can be in a repository under several manifests, packed in another way, say.
func TestDigestOfSeveralIsTheOneThatWasAskedForOrPulled(t *testing.T) {
	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	found := says(map[string]any{"Id": "sha256:i", "RepoDigests": []string{"reg.example/shop@" + one, "reg.example/shop@" + two}})
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"GET /images/reg.example/shop@" + two + "/json": found,
		"GET /images/reg.example/shop:v1/json":          found,
		"POST /images/create": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"status":"Digest: `+two+`"}`)
		},
	})
	setDockerConfig(t, t.TempDir())
	c := dial(t, host)
	for what, get := range map[string]func() (Image, error){
		"asked for":  func() (Image, error) { return c.Image(t.Context(), "reg.example/shop@"+two) },
		"pulled":     func() (Image, error) { return c.Pull(t.Context(), "reg.example/shop:v1", "", nil) },
		"pulled too": func() (Image, error) { return c.Pull(t.Context(), "reg.example/shop@"+two, "", nil) },
	} {
		if i, err := get(); err != nil || i.Digest != two || len(i.Digests) != 2 {
			t.Errorf("%s: %+v, %v", what, i, err)
		}
	}
	if i, err := c.Image(t.Context(), "reg.example/shop:v1"); err != nil || i.Digest != one {
		t.Errorf("by tag: %+v, %v", i, err)
	}
}
