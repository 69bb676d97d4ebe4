package docker

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/docker/cli/cli/config"
	endpoint "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// defaultContext is docker's name for "no context: the environment, else the local socket".
const defaultContext = "default"

// contextName is the context to use, by docker's own order: what was asked for, then DOCKER_HOST (which means
// none), then DOCKER_CONTEXT, then the one that `docker context use` chose. "" is none.
func contextName(o Options) (string, error) {
	name := o.Context
	if name == "" {
		if o.Host != "" || os.Getenv(client.EnvOverrideHost) != "" {
			return "", nil
		}
		// Like docker, go on with what can be read of config.json; a pull warns of the rest.
		name = cmp.Or(os.Getenv("DOCKER_CONTEXT"), config.LoadDefaultConfigFile(io.Discard).CurrentContext)
	}
	if o.Host != "" {
		return "", errors.New("a host and a context were given: choose one")
	}
	if name == defaultContext {
		return "", nil
	}
	return name, nil
}

// fromContext is the address of a docker context and the client's options for it, certificates included.
func fromContext(name string) (host string, opts []client.Opt, err error) {
	contexts := store.New(config.ContextStoreDir(), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(endpoint.DockerEndpoint, func() any { return &endpoint.EndpointMeta{} })))
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return "", nil, fmt.Errorf("find docker context %q: %w", name, err)
	}
	meta, err := endpoint.EndpointFromContext(metadata)
	if err != nil {
		return "", nil, fmt.Errorf("read docker context %q: %w", name, err)
	}
	at, err := endpoint.WithTLSData(contexts, name, meta)
	if err != nil {
		return "", nil, fmt.Errorf("read the certificates of docker context %q: %w", name, err)
	}
	opts, err = at.ClientOpts()
	return meta.Host, opts, err
}
