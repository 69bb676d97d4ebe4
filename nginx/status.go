package nginx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// StatusListener is nginx's own answer to who is live, on a loopback port of the Docker host, and on one inside its
// container.
type StatusListener struct {
	URL string // http://127.0.0.1:8079; "": nobody is asked
	// Dial makes the connections, to HOST:PORT; nil: this machine's own network does.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// ErrNoAnswer is wrapped by Ask's error when the listener cannot be reached.
var ErrNoAnswer = errors.New("status listener does not answer")

// How long an answer may take: from this machine, and from elsewhere, where the way alone may take a second.
const (
	ownAnswer     = time.Second
	distantAnswer = 10 * time.Second
)

// client makes a connection for every question: an open one may belong to a retired worker.
func (s StatusListener) client() *http.Client {
	if s.Dial == nil {
		return &http.Client{Timeout: ownAnswer, Transport: &http.Transport{DisableKeepAlives: true}}
	}
	dial := func(ctx context.Context, _, address string) (net.Conn, error) { return s.Dial(ctx, address) }
	return &http.Client{Timeout: distantAnswer, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
}

// Ask opens a new connection and asks which profile and release of a service this worker serves. The
// error wraps ErrNoAnswer when there is no listener to be reached.
func (s StatusListener) Ask(ctx context.Context, service string) (Target, error) {
	if s.URL == "" {
		return Target{}, fmt.Errorf("ask for %s: %w", service, ErrNoAnswer)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return Target{}, fmt.Errorf("ask for %s: %w", service, err)
	}
	req.Host = service
	resp, err := s.client().Do(req)
	if err != nil {
		return Target{}, fmt.Errorf("ask for %s: %w: %w", service, ErrNoAnswer, err)
	}
	defer resp.Body.Close()
	return readTarget(resp, service)
}

func readTarget(resp *http.Response, service string) (Target, error) {
	if resp.StatusCode != http.StatusOK {
		return Target{}, fmt.Errorf("ask for %s: the running nginx answers %s", service, resp.Status)
	}
	var t Target
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&t); err != nil {
		return Target{}, fmt.Errorf("ask for %s: read answer: %w", service, err)
	}
	return t, nil
}
