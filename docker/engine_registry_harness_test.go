package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/authn"
	gcrname "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	gcrempty "github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// testRegistry is a real registry on loopback, which the engine takes without TLS. It asks for a login when one is set.
type testRegistry struct {
	host     string // 127.0.0.1:port
	user     string // "": anybody
	secret   string // password
	identity string // an identity token: given at /token for a token of one use; "": basic logins
	stall    atomic.Bool
	stalled  chan struct{} // closed when a layer has come half-way
	asked    atomic.Int64  // requests, pushes left out
}

const (
	goodUser   = "ann"
	goodSecret = "s3cr3t-w0rd"
	bearer     = "a-token-for-one-hour"
)

// newRegistry is a registry of this test. What the engine pulled from it is removed at the end.
func newRegistry(t *testing.T, c *Client) *testRegistry {
	t.Helper()
	s := &testRegistry{stalled: make(chan struct{})}
	server := httptest.NewServer(s.guard(t, registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	s.host = server.Listener.Addr().String()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	t.Cleanup(func() { s.removeImages(t, c) })
	return s
}

// guard lets in who logs in as it wants it, and stops in the middle of layers when it is to stall.
func (s *testRegistry) guard(t *testing.T, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ours := r.Header.Get("X-Test") == "push"
		if !ours {
			s.asked.Add(1)
		}
		user, secret, basic := r.BasicAuth()
		switch {
		case ours || s.user == "" && s.identity == "":
		case s.identity != "" && r.URL.Path == "/token":
			s.token(w, r)
			return
		case s.identity != "" && r.Header.Get("Authorization") != "Bearer "+bearer:
			refuse(w, `Bearer realm="http://`+s.host+`/token",service="test"`, "authentication required")
			return
		case s.user != "" && (!basic || user != s.user || secret != s.secret):
			refuse(w, `Basic realm="test"`, "authentication required\x1b[31m")
			return
		}
		if s.stall.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") && !ours {
			s.half(w, r, inner)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, challenge, message string) {
	w.Header().Set("WWW-Authenticate", challenge)
	w.WriteHeader(http.StatusUnauthorized)
	json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": "UNAUTHORIZED", "message": message}}})
}

// token gives the bearer of the identity token what the registry lets in.
func (s *testRegistry) token(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != s.identity {
		refuse(w, `Basic realm="test"`, "no such identity")
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"access_token": bearer, "expires_in": 3600})
}

// half answers with the first half of a blob, and then with nothing until the caller goes.
func (s *testRegistry) half(w http.ResponseWriter, r *http.Request, inner http.Handler) {
	whole := httptest.NewRecorder()
	inner.ServeHTTP(whole, r)
	if whole.Body.Len() < 4096 { // the configuration
		w.Write(whole.Body.Bytes())
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(whole.Body.Len()))
	w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	w.(http.Flusher).Flush()
	select {
	case <-s.stalled:
	default:
		close(s.stalled)
	}
	<-r.Context().Done()
}

// removeImages removes what the engine has from this registry.
func (s *testRegistry) removeImages(t *testing.T, c *Client) {
	list, err := c.api.ImageList(context.Background(), image.ListOptions{})
	if err != nil {
		t.Errorf("clean up images: %v", err)
	}
	for _, i := range list {
		for _, ref := range append(i.RepoTags, i.RepoDigests...) {
			if strings.HasPrefix(ref, s.host+"/") {
				c.api.ImageRemove(context.Background(), ref, image.RemoveOptions{Force: true})
			}
		}
	}
}

// header marks the test's own requests.
type header struct{}

func (header) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Test", "push")
	return http.DefaultTransport.RoundTrip(r)
}

// built is an image for a platform with layers of random bytes.
func built(t *testing.T, os, arch string, layers ...int64) v1.Image {
	t.Helper()
	i := gcrempty.Image
	for _, size := range layers {
		layer, err := random.Layer(size, types.DockerLayer)
		if err == nil {
			i, err = mutate.AppendLayers(i, layer)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	file, err := i.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config.Cmd = os, arch, []string{"/none"}
	if i, err = mutate.ConfigFile(i, file); err != nil {
		t.Fatal(err)
	}
	return i
}

// push puts an image under a name (shop:v1) and returns its reference and digest.
func (s *testRegistry) push(t *testing.T, what string, i v1.Image) (ref, digest string) {
	t.Helper()
	ref = s.host + "/" + what
	to, err := gcrname.ParseReference(ref, gcrname.Insecure)
	if err == nil {
		err = remote.Write(to, i, remote.WithTransport(header{}), remote.WithAuth(authn.Anonymous))
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return ref, d.String()
}

// dockerConfig makes a folder with this config.json the docker configuration; %s in it is the registry.
func (s *testRegistry) dockerConfig(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	if text != "" {
		text = strings.ReplaceAll(text, "%s", s.host)
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	setDockerConfig(t, dir)
}

func setDockerConfig(t *testing.T, dir string) {
	t.Helper()
	old := config.Dir()
	config.SetDir(dir)
	t.Cleanup(func() { config.SetDir(old) })
}

func basic(user, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))
}

// helper puts a credential helper of this name on PATH that runs a script.
func helper(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}
