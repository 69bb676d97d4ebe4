package docker

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/api/types/registry"
)

// Docker's names for its own registry: in references, in config.json (where docker login keeps the login for images
// without a registry in their name), and for people.
const (
	hubDomain = "docker.io"
	hubKey    = "https://index.docker.io/v1/"
	hubName   = "Docker Hub"
)

// login is what docker knows for one registry.
type login struct {
	registry string // as a person names it: host[:port], or hubName
	header   string // X-Registry-Auth, as the API wants it
	found    bool   // docker has a login
	warning  string // what docker warns of, and goes on without: a config.json that cannot be read
}

// command is what a person types to log in.
func (l login) command() string {
	if l.registry == hubName {
		return "docker login"
	}
	return "docker login " + l.registry
}

// loginFor is registryLogin for a caller whose context may end: a credential helper may wait for a person.
func loginFor(ctx context.Context, ref string) (login, error) {
	type answer struct {
		login login
		err   error
	}
	got := make(chan answer, 1)
	go func() {
		l, err := registryLogin(ref)
		got <- answer{l, err}
	}()
	select {
	case a := <-got:
		return a.login, a.err
	case <-ctx.Done():
		return login{}, fmt.Errorf("ask docker's credential helper: %w", ctx.Err())
	}
}

// registryLogin finds the login that docker would use for an image's registry: from config.json (in DOCKER_CONFIG, else
// ~/.docker), a credential helper, or DOCKER_AUTH_CONFIG. Like docker it only warns of a config.json that cannot be read,
// and fails when a credential helper does.
func registryLogin(ref string) (login, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return login{}, err
	}
	key := reference.Domain(named)
	l := login{registry: key}
	if key == hubDomain {
		key, l.registry = hubKey, hubName
	}
	var warned bytes.Buffer
	file := config.LoadDefaultConfigFile(&warned)
	l.warning = strings.TrimSpace(warned.String())
	have, err := file.GetAuthConfig(key)
	if err != nil {
		return l, fmt.Errorf("read docker's login for %s from its credential helper: %s", l.registry, withoutSecret(err.Error()))
	}
	l.found = have.Username != "" || have.Password != "" || have.Auth != "" || have.IdentityToken != "" || have.RegistryToken != ""
	l.header, err = registry.EncodeAuthConfig(registry.AuthConfig{
		Username: have.Username, Password: have.Password, Auth: have.Auth,
		ServerAddress: have.ServerAddress, IdentityToken: have.IdentityToken, RegistryToken: have.RegistryToken,
	})
	return l, err
}

// helperOutput is where docker's error quotes what a credential helper printed.
var helperOutput = regexp.MustCompile("(?s), out: `(.*)`$")

// withoutSecret keeps of a credential helper's error what cannot be a secret: a helper that failed half-way may have
// printed one before. Its output is shown when it is a plain sentence.
func withoutSecret(text string) string {
	said := helperOutput.FindStringSubmatch(text)
	if said != nil && (strings.ContainsAny(said[1], "{}\"=\n") || !strings.Contains(said[1], " ")) {
		return helperOutput.ReplaceAllString(text, "")
	}
	return text
}
