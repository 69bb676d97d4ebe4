package e2e

import (
	"context"
	"encoding/base64"
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

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// shelf is a real registry on loopback, which the engine takes without TLS. Reading wants a login once it is closed.
type shelf struct {
	t      *testing.T
	host   string
	closed atomic.Bool
	stalls atomic.Bool // in the middle of every layer
}

const (
	shelfUser   = "ann"
	shelfSecret = "s3cr3t-w0rd"
)

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t: t}
	server := httptest.NewServer(s.handler())
	s.host = server.Listener.Addr().String()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	t.Cleanup(s.removeImages)
	return s
}

// handler is the registry itself.
func (s *shelf) handler() http.Handler {
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		switch {
		case s.closed.Load() && (user != shelfUser || secret != shelfSecret):
			w.Header().Set("WWW-Authenticate", `Basic realm="shelf"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?\u001b[31m"}]}`)
		case s.stalls.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/"):
			half(w, r, inner)
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

// half answers with the first half of a layer, and then with nothing until the caller goes.
func half(w http.ResponseWriter, r *http.Request, inner http.Handler) {
	whole := httptest.NewRecorder()
	inner.ServeHTTP(whole, r)
	body := whole.Body.Bytes()
	if len(body) < 10_000 { // the configuration
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body[:len(body)/2])
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// removeImages removes what the engine has from this registry.
func (s *shelf) removeImages() {
	list, err := engine.ImageList(context.Background(), image.ListOptions{})
	if err != nil {
		s.t.Errorf("clean up images: %v", err)
	}
	for _, i := range list {
		for _, ref := range append(i.RepoTags, i.RepoDigests...) {
			if strings.HasPrefix(ref, s.host+"/") {
				_, _ = engine.ImageRemove(context.Background(), ref, image.RemoveOptions{})
			}
		}
	}
}

// ref is a name in this registry.
func (s *shelf) ref(what string) string { return s.host + "/" + what }

// at is a name as the registry's own client takes it.
func (s *shelf) at(what string) name.Reference {
	r, err := name.ParseReference(s.ref(what), name.Insecure)
	s.must(err)
	return r
}

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// pushHello pushes the app through the engine, and takes it from there again.
func (s *shelf) pushHello(what string) v1.Image {
	s.t.Helper()
	s.must(engine.ImageTag(s.t.Context(), helloImage, s.ref(what)))
	pushed, err := engine.ImagePush(s.t.Context(), s.ref(what), image.PushOptions{RegistryAuth: "e30="}) // {}: it must not be absent
	s.must(err)
	_, err = io.Copy(io.Discard, pushed)
	s.must(err)
	s.must(pushed.Close())
	s.removeImages()
	i, err := remote.Image(s.at(what))
	s.must(err)
	return i
}

// push puts an image, changed, under a name and returns its digest.
func (s *shelf) push(what string, i v1.Image, change func(*v1.ConfigFile)) string {
	s.t.Helper()
	file, err := i.ConfigFile()
	s.must(err)
	file = file.DeepCopy()
	change(file)
	i, err = mutate.ConfigFile(i, file)
	s.must(err)
	s.must(remote.Write(s.at(what), i, remote.WithAuth(&authn.Basic{Username: shelfUser, Password: shelfSecret})))
	digest, err := i.Digest()
	s.must(err)
	return digest.String()
}

// pushLarge puts an image under a name of which the engine has no layer.
func (s *shelf) pushLarge(what string) {
	s.t.Helper()
	layer, err := random.Layer(3_000_000, types.DockerLayer)
	s.must(err)
	i, err := mutate.AppendLayers(empty.Image, layer)
	s.must(err)
	s.push(what, i, func(f *v1.ConfigFile) { f.OS, f.Architecture = "linux", "amd64" })
}

// login is an environment in which docker has this config.json.
func (s *shelf) login(config string) []string {
	s.t.Helper()
	dir := s.t.TempDir()
	s.must(os.WriteFile(filepath.Join(dir, "config.json"), []byte(strings.ReplaceAll(config, "%s", s.host)), 0o600))
	return []string{"DOCKER_CONFIG=" + dir}
}

// password is a config.json with a login.
func password(secret string) string {
	return `{"auths":{"%s":{"auth":"` + base64.StdEncoding.EncodeToString([]byte(shelfUser+":"+secret)) + `"}}}`
}

// helper is an environment in which docker asks a credential helper.
func (s *shelf) helper() []string {
	s.t.Helper()
	dir := s.t.TempDir()
	script := "#!/bin/sh\nread host\ntest \"$1 $host\" = \"get " + s.host + "\" || exit 1\n" +
		`echo '{"Username":"` + shelfUser + `","Secret":"` + shelfSecret + `"}'` + "\n"
	s.must(os.WriteFile(filepath.Join(dir, "docker-credential-shelf"), []byte(script), 0o700))
	return append(s.login(`{"credHelpers":{"%s":"shelf"}}`), "PATH="+dir+":"+os.Getenv("PATH"))
}
