package health

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Via is a way to ask that is not this machine's own network, such as one from inside a container.
type Via struct {
	Name string // as messages say it: "bluegreen-nginx"
	// Dial makes a connection to HOST:PORT.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// ownDial is how long this machine's own network may take to make a connection.
const ownDial = 5 * time.Second

// asked is what was asked and where, for messages.
func (p Probe) asked() string {
	if p.Via == nil {
		return "GET " + p.URL
	}
	return "GET " + p.URL + " through " + p.Via.Name
}

// dial makes the connection for one question.
func (p Probe) dial(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	if p.Via != nil {
		return p.Via.Dial(ctx, u.Host)
	}
	return (&net.Dialer{Timeout: ownDial}).DialContext(ctx, "tcp", u.Host)
}

// bounded bounds the answer by the probe's own timeout, if it has one.
func (p Probe) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, p.Timeout)
}

// over sends a request over a connection that is there already, and follows no redirect: another place's health says
// nothing. One connection for every question, so that no answer comes from a process that is already being replaced.
func over(conn net.Conn, req *http.Request) (*http.Response, error) {
	return (&http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}).RoundTrip(req)
}
