// Package docker is everything bluegreen says to the Docker API, in its own
// types. It is the only package that imports the Docker client.
//
// Errors mean the same from every method: an *UnreachableError when the engine does not answer (any more),
// something that wraps ErrNotFound when the engine does not have what was asked for, the context's own error when
// the context ended.
package docker

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
)

// minimumAPI is the API of Docker Engine 20.10: the oldest that takes a platform at create.
const minimumAPI = "1.41"

const (
	// firstAnswer is how long New waits: an address behind a firewall answers neither yes nor no.
	firstAnswer = 15 * time.Second
	// cleanupTime is how long something is given that has to be done although the context has ended.
	cleanupTime = 30 * time.Second
)

// Client talks to one Docker engine. It may be used by several goroutines.
type Client struct {
	api       *client.Client
	host      string     // as a person would write it
	importing sync.Mutex // held while the locks' image is made

	pullSilence time.Duration
}

// Options say which engine to talk to.
type Options struct {
	// Host is the engine's address (unix:///…, tcp://…, ssh://…). Empty: DOCKER_HOST and its
	// companions, else the current docker context, else the default socket.
	Host string
	// Context is the docker context to use instead of a host.
	Context string
}

// New connects, negotiates the API version and asks for a first answer.
// It returns an *UnreachableError when no engine answers or it is too old (API < 1.41).
func New(ctx context.Context, o Options) (*Client, error) {
	host, opts, err := connection(o)
	if err != nil {
		return nil, &UnreachableError{Host: cmp.Or(host, o.Host, o.Context), Err: err}
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, &UnreachableError{Host: host, Err: err}
	}
	if host == "" {
		host = api.DaemonHost()
	}
	c := &Client{api: api, host: host, pullSilence: pullSilence}
	if err := c.greet(ctx); err != nil {
		api.Close()
		return nil, err
	}
	return c, nil
}

// connection finds the engine's address and the client's options for it.
func connection(o Options) (host string, opts []client.Opt, err error) {
	name, err := contextName(o)
	if err != nil {
		return "", nil, err
	}
	if name != "" {
		return fromContext(name)
	}
	host = cmp.Or(o.Host, os.Getenv(client.EnvOverrideHost))
	opts, err = fromAddress(host)
	return host, opts, err
}

// fromAddress turns an address into the client's options. The environment comes first, because it also
// carries the certificates of a tcp:// address; ssh:// is a command that the client cannot run by itself.
func fromAddress(host string) ([]client.Opt, error) {
	negotiate := client.WithAPIVersionNegotiation()
	if host == "" {
		return []client.Opt{client.FromEnv, negotiate}, nil
	}
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil {
		return nil, err
	}
	if helper != nil {
		return []client.Opt{client.WithHost(helper.Host), client.WithDialContext(helper.Dialer), client.WithVersionFromEnv(), negotiate}, nil
	}
	return []client.Opt{client.WithTLSClientConfigFromEnv(), client.WithHost(host), client.WithVersionFromEnv(), negotiate}, nil
}

// greet asks for a first answer and settles on an API version.
func (c *Client) greet(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	ping, err := c.api.Ping(limited)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if limited.Err() != nil {
			err = fmt.Errorf("no answer within %s", firstAnswer)
		}
		return &UnreachableError{Host: c.host, Err: err}
	}
	c.api.NegotiateAPIVersionPing(ping)
	if v := c.api.ClientVersion(); versions.LessThan(v, minimumAPI) {
		return &UnreachableError{Host: c.host, Err: &tooOldError{version: v}}
	}
	return nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.api.Close() }

// speaks says whether client and engine have agreed on that API version or a later one.
func (c *Client) speaks(version string) bool {
	return versions.GreaterThanOrEqualTo(c.api.ClientVersion(), version)
}

// Local says whether the engine runs on this machine, so that /proc shows its processes.
func (c *Client) Local() bool { return strings.HasPrefix(c.host, "unix://") }

// Engine describes the engine.
type Engine struct {
	Version, APIVersion, Name, OS, Arch string
	Storage                             string // driver
	NCPU                                int
	Time                                time.Time // by the engine's own clock, when it answered
}

// Engine asks the engine what it is.
func (c *Client) Engine(ctx context.Context) (Engine, error) {
	version, err := c.api.ServerVersion(ctx)
	if err != nil {
		return Engine{}, c.explain(err, "ask the engine for its version")
	}
	info, err := c.api.Info(ctx)
	if err != nil {
		return Engine{}, c.explain(err, "ask the engine about its host")
	}
	return Engine{
		Version: version.Version, APIVersion: version.APIVersion, OS: version.Os, Arch: version.Arch,
		Name: info.Name, Storage: info.Driver, NCPU: info.NCPU, Time: moment(info.SystemTime),
	}, nil
}
