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
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
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
	from      string     // what said so, "" when nothing did
	importing sync.Mutex // held while the locks' image is made
	tunnels   tunnels    // what Dial made
	shares    sync.Once  // finds out sharing
	sharing   bool       // see SharesLoopback

	pullSilence time.Duration
}

// Options say which engine to talk to.
type Options struct {
	// Host is the engine's address (unix:///…, tcp://…, ssh://…). Empty: DOCKER_HOST and its
	// companions, else the current docker context, else the default socket.
	Host string
	// Context is the docker context to use instead of a host.
	Context string
	tls     *tlsconfig.Options // by flags of the docker command (CommandFlags); a context has its own
}

// New connects, negotiates the API version and asks for a first answer.
// It returns an *EndpointError when what says where the engine is makes no sense, and an *UnreachableError when no engine
// answers there or it is too old (API < 1.41).
func New(ctx context.Context, o Options) (*Client, error) {
	at, opts, err := connection(o)
	if err != nil {
		return nil, err
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, &EndpointError{What: fmt.Sprintf("%s: %v", cmp.Or(at.from, at.Host), err), Do: at.mend(), Err: err}
	}
	c := &Client{api: api, host: at.Host, from: at.from, pullSilence: pullSilence}
	if err := c.greet(ctx); err != nil {
		api.Close()
		return nil, err
	}
	return c, nil
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
		return c.unreachable(err)
	}
	c.api.NegotiateAPIVersionPing(ping)
	if v := c.api.ClientVersion(); versions.LessThan(v, minimumAPI) {
		return c.unreachable(&tooOldError{version: v})
	}
	return nil
}

// Close ends the connection, and what Dial made.
func (c *Client) Close() error {
	c.tunnels.close()
	return c.api.Close()
}

// speaks says whether client and engine have agreed on that API version or a later one.
func (c *Client) speaks(version string) bool {
	return versions.GreaterThanOrEqualTo(c.api.ClientVersion(), version)
}

// Local says whether the engine runs on this machine, as far as its address tells.
func (c *Client) Local() bool {
	return strings.HasPrefix(c.host, "unix://") || strings.HasPrefix(c.host, "npipe://")
}

// HostName is the engine's host as this machine reaches it; "localhost" when that is this machine.
func (c *Client) HostName() string {
	if u, err := url.Parse(c.host); err == nil && !c.Local() && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

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
