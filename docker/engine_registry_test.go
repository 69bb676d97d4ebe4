package docker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPullUsesTheLoginThatDockerHas(t *testing.T) {
	c := engine(t)
	r := newRegistry(t, c)
	ref, digest := r.push(t, "shop:v1", built(t, "linux", "amd64", 5000))
	r.user, r.secret = goodUser, goodSecret
	helper(t, "bgt-store", `read host; test "$1" = get && test "$host" = `+r.host+` || exit 1; echo '{"Username":"`+goodUser+`","Secret":"`+goodSecret+`"}'`)
	for what, config := range map[string]string{
		"config.json":       `{"auths":{"%s":{"auth":"` + basic(goodUser, goodSecret) + `"}}}`,
		"credential helper": `{"credHelpers":{"%s":"bgt-store"}}`,
		"credentials store": `{"auths":{"%s":{}},"credsStore":"bgt-store"}`,
	} {
		r.dockerConfig(t, config)
		i, err := c.Pull(t.Context(), ref, "", nil)
		if err != nil || i.Digest != digest {
			t.Errorf("%s: %+v, %v", what, i, err)
		}
		if now, err := c.Remote(t.Context(), ref); err != nil || now.Digest != digest || len(now.Platforms) != 1 || now.Platforms[0] != "linux/amd64" {
			t.Errorf("%s: asked: %+v, %v", what, now, err)
		}
		r.removeImages(t, c)
	}
	for _, identity := range []string{"an-identity", "another"} {
		r.user, r.identity = "", "an-identity"
		r.dockerConfig(t, `{"auths":{"%s":{"auth":"`+basic("00000000-0000-0000-0000-000000000000", "")+`","identitytoken":"`+identity+`"}}}`)
		_, err := c.Pull(t.Context(), ref, "", nil)
		if refused(err) != (identity == "another") || err != nil && strings.Contains(err.Error(), identity+`"`) {
			t.Errorf("identity token %s: %v", identity, err)
		}
		r.removeImages(t, c)
	}
}

func refused(err error) bool {
	var e *RegistryError
	return errors.As(err, &e) && e.Why == NeedsLogin
}

func TestRefusedPullSaysWhyAndWhetherThereIsALogin(t *testing.T) {
	c := engine(t)
	r := newRegistry(t, c)
	ref, _ := r.push(t, "shop:v1", built(t, "linux", "amd64", 5000))
	r.dockerConfig(t, "")
	for _, tag := range []string{"shop:v9", "other:v1", "shop@sha256:" + strings.Repeat("1", 64)} {
		wantRefusal(t, c, r.host+"/"+tag, RegistryError{Why: NoSuch, Registry: r.host})
	}
	wantRefusal(t, c, "127.0.0.1:1/shop:v1", RegistryError{Why: Otherwise, Registry: "127.0.0.1:1"})
	if _, err := c.Pull(t.Context(), ref, "", nil); err != nil {
		t.Fatal(err)
	}
	var missing *RegistryError
	if _, err := c.Pull(t.Context(), r.host+"/shop:v9", "", nil); !errors.As(err, &missing) || !strings.Contains(missing.Remedy(), "the host has "+ref) {
		t.Errorf("a tag that the host has another of: %v, %v", err, missing)
	}
	r.user, r.secret = goodUser, goodSecret
	wantRefusal(t, c, ref, RegistryError{Why: NeedsLogin, Registry: r.host})
	r.dockerConfig(t, `{"auths":{"%s":{"auth":"`+basic(goodUser, "wr0ng")+`"}}}`)
	wantRefusal(t, c, ref, RegistryError{Why: NeedsLogin, Registry: r.host, Login: true})
}

func wantRefusal(t *testing.T, c *Client, ref string, want RegistryError) {
	t.Helper()
	_, err := c.Pull(t.Context(), ref, "", nil)
	_, asked := c.Remote(t.Context(), ref)
	for _, err := range []error{err, asked} {
		var e *RegistryError
		if !errors.As(err, &e) || e.Image != ref || e.Why != want.Why || e.Registry != want.Registry || e.Login != want.Login {
			t.Errorf("%s: %#v; %v", ref, e, err)
		}
		if err != nil && strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("the secret is in %q", err)
		}
	}
}

func TestPullIsByDigestAndTellsIt(t *testing.T) {
	c := engine(t)
	r := newRegistry(t, c)
	r.dockerConfig(t, "")
	_, first := r.push(t, "shop:v1", built(t, "linux", "amd64", 5000))
	ref, second := r.push(t, "shop:v1", built(t, "linux", "amd64", 6000))
	for _, asked := range []string{r.host + "/shop@" + first, ref + "@" + first} {
		i, err := c.Pull(t.Context(), asked, "", nil)
		if err != nil || i.Digest != first || !i.Pinned() {
			t.Errorf("%s: %+v, %v", asked, i, err)
		}
	}
	i, err := c.Pull(t.Context(), ref, "", nil)
	if err != nil || i.Digest != second || i.Pinned() {
		t.Errorf("%s: %+v, %v", ref, i, err)
	}
	if err := c.api.ImageTag(t.Context(), ref, r.host+"/other:v1"); err != nil {
		t.Fatal(err)
	}
	if i, err := c.Image(t.Context(), r.host+"/other:v1"); err != nil || i.Digest != "" {
		t.Errorf("a name that it was not pulled under: %+v, %v", i, err)
	}
}

func TestStalledPullEndsAndTheEngineCanBeAskedAgain(t *testing.T) {
	c := engine(t)
	r := newRegistry(t, c)
	r.dockerConfig(t, "")
	ref, digest := r.push(t, "shop:v1", built(t, "linux", "amd64", 3_000_000))
	r.stall.Store(true)
	c.pullSilence = 700 * time.Millisecond
	start := time.Now()
	_, err := c.Pull(t.Context(), ref, "", nil)
	var e *RegistryError
	if !errors.As(err, &e) || e.Why != Stalled || e.Registry != r.host || errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.Pull(ctx, ref, "", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's time: %v", err)
	}
	r.stall.Store(false)
	if i, err := c.Pull(t.Context(), ref, "", nil); err != nil || i.Digest != digest {
		t.Errorf("afterwards: %+v, %v", i, err)
	}
}

func TestPullReportsLayersAndWarnsOfAnUnreadableConfiguration(t *testing.T) {
	c := engine(t)
	r := newRegistry(t, c)
	r.dockerConfig(t, "{")
	ref, _ := r.push(t, "shop:v1", built(t, "linux", "amd64", 300_000, 5000))
	layers, warnings := map[string]bool{}, 0
	_, err := c.Pull(t.Context(), ref, "", func(p PullProgress) {
		if p.Warning != "" {
			warnings++
		} else if p.Layer != "" {
			layers[p.Layer] = p.Status == "Pull complete"
		}
	})
	if err != nil || len(layers) != 2 || warnings != 1 {
		t.Errorf("layers %v, %d warnings, %v", layers, warnings, err)
	}
	for id, complete := range layers {
		if !complete {
			t.Errorf("layer %s is not complete", id)
		}
	}
	if p, err := c.HostPlatform(t.Context()); err != nil || !strings.HasPrefix(p, "linux/") {
		t.Errorf("host platform %q, %v", p, err)
	}
}
