package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/registry"
)

// sent is the login in a header.
func sent(t *testing.T, l login) registry.AuthConfig {
	t.Helper()
	var a registry.AuthConfig
	text, err := base64.URLEncoding.DecodeString(l.header)
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestLoginIsFoundWhereDockerKeepsIt(t *testing.T) {
	helper(t, "bgt-all", `read host; echo "{\"ServerURL\":\"$host\",\"Username\":\"all\",\"Secret\":\"$host\"}"`)
	helper(t, "bgt-one", `echo '{"Username":"<token>","Secret":"an-identity"}'`)
	r := &testRegistry{}
	r.dockerConfig(t, `{"credHelpers":{"one.example":"bgt-one"},"auths":{"x":{}},"credsStore":"bgt-all"}`)
	for ref, want := range map[string]registry.AuthConfig{
		"shop:v1":                            {Username: "all", Password: "https://index.docker.io/v1/", ServerAddress: "https://index.docker.io/v1/"},
		"docker.io/ann/shop":                 {Username: "all", Password: "https://index.docker.io/v1/", ServerAddress: "https://index.docker.io/v1/"},
		"one.example/shop":                   {IdentityToken: "an-identity", ServerAddress: "one.example"},
		"registry.example.com:5000/a/shop:1": {Username: "all", Password: "registry.example.com:5000", ServerAddress: "registry.example.com:5000"},
	} {
		l, err := registryLogin(ref)
		if err != nil || !l.found || sent(t, l) != want {
			t.Errorf("%s: %+v, %v", ref, sent(t, l), err)
		}
	}
	r.dockerConfig(t, `{"auths":{"https://index.docker.io/v1/":{"auth":"`+basic("hub", "w")+`"},"127.0.0.1:5000":{"auth":"`+basic("ann", "w:x")+`"},
		"id.example":{"auth":"`+basic("0000", "")+`","identitytoken":"tok"}}}`)
	for ref, want := range map[string]string{
		"shop:v1":             "hub w ",
		"127.0.0.1:5000/shop": "ann w:x ",
		"id.example/shop":     "0000  tok",
		"127.0.0.1:5001/shop": "  ",
		"localhost:5000/shop": "  ",
	} {
		l, err := registryLogin(ref)
		a := sent(t, l)
		if got := a.Username + " " + a.Password + " " + a.IdentityToken; err != nil || got != want || l.found != (want != "  ") {
			t.Errorf("%s: %q, found %t, %v; want %q", ref, got, l.found, err, want)
		}
	}
}

func TestUnreadableConfigurationIsAWarningAsWithDocker(t *testing.T) {
	r := &testRegistry{}
	r.dockerConfig(t, `{"auths":{"127.0.0.1:5000":{"auth":"`)
	l, err := registryLogin("127.0.0.1:5000/shop")
	if err != nil || l.found || !strings.Contains(l.warning, "config.json") || strings.Contains(l.warning, "\n") {
		t.Errorf("got %+v, %v", l, err)
	}
	if _, err := addressNow(t); err != nil {
		t.Errorf("the engine is not reached any more: %v", err)
	}
}

// addressNow is the engine's address by that configuration.
func addressNow(t *testing.T) (string, error) {
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	host, _, err := connection(Options{})
	return host.Host, err
}

func TestBrokenCredentialHelperFailsWithoutTheSecret(t *testing.T) {
	helper(t, "bgt-torn", `echo '{"Username":"ann","Secret":"`+goodSecret+`"}'; exit 1`)
	helper(t, "bgt-mute", `echo `+goodSecret+`; exit 1`)
	helper(t, "bgt-says", `echo pass not initialized: exit status 1; exit 1`)
	helper(t, "bgt-text", `echo '`+goodSecret+`'`)
	helper(t, "bgt-none", `echo credentials not found in native keychain; exit 1`)
	for name, want := range map[string]string{
		"bgt-torn": "exit status 1", "bgt-mute": "exit status 1", "bgt-says": "pass not initialized", "bgt-text": "invalid character",
		"bgt-absent": "docker-credential-bgt-absent", "bgt-none": "",
	} {
		r := &testRegistry{host: "reg.example"}
		r.dockerConfig(t, `{"credHelpers":{"%s":"`+name+`"}}`)
		l, err := registryLogin("reg.example/shop")
		if want == "" {
			if err != nil || l.found {
				t.Errorf("%s: %+v, %v", name, l, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "reg.example") || strings.Contains(err.Error(), goodSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigurationThatMayNotBeReadIsAWarning(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "config.json"), 0o700); err != nil { // root may read any file
		t.Fatal(err)
	}
	setDockerConfig(t, dir)
	if l, err := registryLogin("reg.example/shop"); err != nil || l.found || l.warning == "" {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestCredentialHelperThatHangsIsLeftWhenTheCallerEnds(t *testing.T) {
	helper(t, "bgt-hangs", "exec sleep 5")
	r := &testRegistry{host: "reg.example"}
	r.dockerConfig(t, `{"credsStore":"bgt-hangs"}`)
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{})
	c := dial(t, host)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, pulled := c.Pull(ctx, "reg.example/shop", "", nil)
	_, asked := c.Remote(ctx, "reg.example/shop")
	if !errors.Is(pulled, context.DeadlineExceeded) || !errors.Is(asked, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
		t.Errorf("after %v: %v, %v", time.Since(start), pulled, asked)
	}
}

func TestEnginesWordsBecomeAReason(t *testing.T) {
	for text, want := range map[string]Refusal{
		`Head "http://127.0.0.1:5000/v2/aa/manifests/v2": no basic auth credentials`: NeedsLogin,
		"unauthorized: authentication required":                                      NeedsLogin,
		"pull access denied for shop, repository does not exist or may require 'docker login': denied: requested access to the resource is denied": NeedsLogin,
		"denied: denied": NeedsLogin,
		"manifest for 127.0.0.1:5000/aa:v9 not found: manifest unknown: Unknown manifest":                                    NoSuch,
		"repository 127.0.0.1:5000/bb not found: name unknown: Unknown name":                                                 NoSuch,
		"no matching manifest for linux/amd64 in the manifest list entries":                                                  NotFor,
		"toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit": TooMany,
		`Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client`:                                   Plain,
		`Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`:                                    Otherwise,
		"mkdir /var/lib/docker/tmp: permission denied":                                                                       Otherwise,
		"get denied/unauthorized:v1: connection refused":                                                                     Otherwise,
	} {
		if got := refusalOf("denied/unauthorized:v1", errors.New(text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestRegistryErrorNamesTheNextCommand(t *testing.T) {
	for _, c := range []struct {
		e          RegistryError
		text, next string
	}{
		{RegistryError{Registry: "Docker Hub", Why: NeedsLogin}, "(Docker Hub) wants a login, and docker has none", "docker login"},
		{RegistryError{Registry: "reg:5000", Why: NeedsLogin, Login: true}, "(reg:5000) refuses the login that docker has", "docker login reg:5000"},
		{RegistryError{Registry: "reg", Why: NoSuch}, "has no such image", "if it is private: docker login reg"},
		{RegistryError{Registry: "reg", Why: Stalled, Silence: pullSilence}, "stalls: nothing came for 2m0s", "docker pull shop:v1"},
	} {
		c.e.Image, c.e.Err = "shop:v1", errors.New("the engine's words")
		if text := c.e.Error(); !strings.Contains(text, c.text) || !strings.Contains(text, "shop:v1") {
			t.Errorf("%q lacks %q", text, c.text)
		}
		if next := c.e.Remedy(); !strings.HasSuffix(next, c.next) && !strings.Contains(next, c.next+" tries") {
			t.Errorf("%q lacks %q", next, c.next)
		}
	}
}

func TestDigestIsThatOfTheVeryRepository(t *testing.T) {
	all := []string{"a.example/shop@sha256:1", "shop@sha256:2", "b.example/shop@sha256:3", "a.example/shop@sha256:4", "a.example/shop2@sha256:5"}
	for ref, want := range map[string]string{
		"shop:v1": "sha256:2", "docker.io/library/shop": "sha256:2", "a.example/shop:v9": "sha256:1 sha256:4", "b.example/shop": "sha256:3",
		"c.example/shop": "", "10adbf10c23b": "",
	} {
		if got := strings.Join(digestsOf(ref, all), " "); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
}
