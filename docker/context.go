package docker

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	endpoint "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/cli/opts"
	"github.com/docker/docker/client"
)

// defaultContext is docker's name for "no context: the environment, else the local socket".
const defaultContext = "default"

// Variables of the docker command, beside DOCKER_HOST; the client library's own reading of them is another one.
const (
	envContext   = "DOCKER_CONTEXT"
	envTLS       = "DOCKER_TLS"
	envTLSVerify = client.EnvTLSVerify
	envCertPath  = client.EnvOverrideCertPath
)

// EndpointError says that what was given to find the engine by is no address, no context, or has no certificates that can be
// read: nobody was asked.
type EndpointError struct {
	What string // what was given, and what is wrong with it
	Do   string // what to do about it
	Err  error  // may be nil
}

func (e *EndpointError) Error() string { return e.What + " (" + e.Do + ")" }
func (e *EndpointError) Unwrap() error { return e.Err }

// place is where an engine is, and what said so.
type place struct {
	endpoint.Endpoint
	from string // "--host", "DOCKER_HOST", "docker context shop"; "": the default socket
}

// connection finds the engine's place and the client's options for it, as the docker command does: the rules are those of
// its ClientOptions and resolveDockerEndpoint. Errors are *EndpointError.
func connection(o Options) (at place, options []client.Opt, err error) {
	name, from, err := contextName(o)
	if err != nil {
		return at, nil, err
	}
	at.from = from
	switch {
	case name != "":
		at.Endpoint, err = fromContext(name)
	case o.tls != nil:
		at.Endpoint, err = overTLS(cmp.Or(o.Host, os.Getenv(client.EnvOverrideHost)), o.tls)
	default:
		at.Endpoint, err = fromAddress(o.Host, from)
	}
	if err != nil {
		return at, nil, err
	}
	if options, err = at.ClientOpts(); err != nil {
		err = &EndpointError{What: fmt.Sprintf("%s: %v", cmp.Or(from, at.Host), err), Do: at.mend(), Err: err}
	}
	return at, options, err
}

// mend is what a person looks at when the place itself is wrong.
func (p place) mend() string {
	if p.TLSData != nil {
		return "look at its certificates: " + certificates
	}
	return "give an address like unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST"
}

// certificates are what TLS needs.
const certificates = "ca.pem, cert.pem and key.pem, in the folder that DOCKER_CERT_PATH names or in the docker context"

// contextName is the context to use, by docker's own order: what was asked for, then DOCKER_HOST (which means
// none), then DOCKER_CONTEXT, then the one that `docker context use` chose. "" is none. from says what decided.
func contextName(o Options) (name, from string, err error) {
	switch {
	case o.Host != "" && o.Context != "":
		return "", "", &EndpointError{What: "a host and a context were given", Do: "choose one: --host or --context"}
	case o.Context != "":
		name = o.Context
	case o.Host != "":
		return "", "--host", nil
	case os.Getenv(client.EnvOverrideHost) != "":
		return "", client.EnvOverrideHost, nil
	case os.Getenv(envContext) != "":
		name = os.Getenv(envContext)
	default:
		// Like docker, go on with what can be read of config.json; a pull warns of the rest.
		name = config.LoadDefaultConfigFile(io.Discard).CurrentContext
	}
	if name == "" || name == defaultContext {
		if os.Getenv(client.EnvOverrideHost) != "" {
			return "", client.EnvOverrideHost, nil
		}
		return "", "", nil
	}
	return name, "docker context " + name, nil
}

// fromAddress is an engine at an address; "": DOCKER_HOST, else the default socket. Certificates are those of the docker
// command: used when DOCKER_TLS_VERIFY or DOCKER_TLS is set, from DOCKER_CERT_PATH or docker's own folder.
func fromAddress(host, from string) (endpoint.Endpoint, error) {
	verify := os.Getenv(envTLSVerify) != ""
	secure := verify || os.Getenv(envTLS) != ""
	var at endpoint.Endpoint
	address, err := opts.ParseHost(secure, cmp.Or(host, os.Getenv(client.EnvOverrideHost)))
	if err != nil {
		return at, &EndpointError{What: fmt.Sprintf("%s: %v", from, err), Do: place{}.mend(), Err: err}
	}
	at.Host = address
	if !secure {
		return at, nil
	}
	at.SkipTLSVerify = !verify
	folder := cmp.Or(os.Getenv(envCertPath), config.Dir())
	at.TLSData, err = dockercontext.TLSDataFromFiles(filepath.Join(folder, "ca.pem"), present(folder, "cert.pem"), present(folder, "key.pem"))
	if err != nil {
		return at, &EndpointError{What: fmt.Sprintf("%s asks for TLS: %v", tlsVariable(verify), err), Do: "it needs " + certificates, Err: err}
	}
	return at, nil
}

func tlsVariable(verify bool) string {
	if verify {
		return envTLSVerify
	}
	return envTLS
}

// present is a file's path, "" when it is not there: an engine may ask for no certificate of the client.
func present(folder, file string) string {
	path := filepath.Join(folder, file)
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return ""
	}
	return path
}

func contextStore() *store.ContextStore {
	return store.New(config.ContextStoreDir(), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(endpoint.DockerEndpoint, func() any { return &endpoint.EndpointMeta{} })))
}

// Contexts are the names of docker's contexts that can be read, its own default first.
func Contexts() []string {
	names := []string{defaultContext}
	list, err := contextStore().List()
	if err != nil {
		return names
	}
	for _, m := range list {
		names = append(names, m.Name)
	}
	slices.Sort(names[1:])
	return names
}

// fromContext is the engine of a docker context, certificates included.
func fromContext(name string) (at endpoint.Endpoint, err error) {
	wrong := func(doing string, err error) error {
		return &EndpointError{What: fmt.Sprintf("%s docker context %q: %v", doing, name, err), Do: "`docker context ls` lists those that there are", Err: err}
	}
	contexts := contextStore()
	metadata, err := contexts.GetMetadata(name)
	if errdefs.IsNotFound(err) {
		return at, &EndpointError{What: fmt.Sprintf("docker context %q does not exist", name), Do: "`docker context ls` lists those that there are", Err: err}
	}
	if err != nil {
		return at, wrong("find", err)
	}
	meta, err := endpoint.EndpointFromContext(metadata)
	if err != nil {
		return at, wrong("read", err)
	}
	if at, err = endpoint.WithTLSData(contexts, name, meta); err != nil {
		return at, wrong("read the certificates of", err)
	}
	return at, nil
}
