package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// pingEvery is how often a websocket is asked for a sign of life.
const pingEvery = 500 * time.Millisecond

// websocket keeps a websocket open for the hold time or until ctx ends, and closes it by handshake.
func (c ClientsConfig) websocket(ctx context.Context) (Outcome, error) {
	conn, outcome, err := c.open()
	if err != nil {
		return outcome, err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	ended := make(chan error, 1)
	go func() { ended <- drain(conn) }()
	over := time.NewTimer(c.Hold)
	defer over.Stop()
	for next := time.NewTicker(pingEvery); ; {
		select {
		case err := <-ended:
			return ofClose(err)
		case <-next.C:
			if outcome, err := c.ping(conn, ended); err != nil {
				return outcome, err
			}
			continue
		case <-over.C:
		case <-ctx.Done():
		}
		next.Stop()
		return c.leave(conn, ended)
	}
}

// open does the opening handshake.
func (c ClientsConfig) open() (*websocket.Conn, Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	conn, resp, err := dialWebsocket(ctx, c.Target)
	if err == nil {
		return conn, OK, nil
	}
	return nil, ofHandshake(resp, err, c.VersionHeader), err
}

// dialWebsocket opens a websocket on a connection of its own.
func dialWebsocket(ctx context.Context, to Target) (*websocket.Conn, *http.Response, error) {
	// A transport of its own, so that no proxy from the environment and no pooled connection comes between.
	scheme := "ws://"
	transport := &http.Transport{DialContext: to.dial, DisableKeepAlives: true}
	if to.TLS != nil {
		scheme, transport.TLSClientConfig = "wss://", tlsConfig(to, "http/1.1")
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return websocket.Dial(ctx, scheme+to.Addr+to.Path,
		&websocket.DialOptions{HTTPClient: client, Host: to.Host, HTTPHeader: headerOf(to, &Request{})})
}

// ofHandshake classifies an opening handshake that failed.
func ofHandshake(resp *http.Response, err error, versionHeader string) Outcome {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &network) && network.Op == "dial", errors.As(err, &certificate):
		return ofConnect(err)
	case resp == nil:
		return ofError(err, false)
	}
	if outcome := ofAnswer(resp, versionHeader); outcome != OK {
		return outcome
	}
	return OtherStatus // 2xx, which opens nothing
}

// drain reads what the server sends until the websocket ends.
func drain(conn *websocket.Conn) error {
	for {
		_, message, err := conn.Reader(context.Background())
		if err == nil {
			_, err = io.Copy(io.Discard, message)
		}
		if err != nil {
			return err
		}
	}
}

// ping asks for a sign of life.
func (c ClientsConfig) ping(conn *websocket.Conn, ended <-chan error) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	err := conn.Ping(ctx)
	if err == nil {
		return OK, nil
	}
	if ctx.Err() != nil {
		return Timeout, fmt.Errorf("no answer to a ping: %w", err)
	}
	return ofClose(<-ended)
}

// leave does the closing handshake.
func (c ClientsConfig) leave(conn *websocket.Conn, ended <-chan error) (Outcome, error) {
	err := conn.Close(websocket.StatusNormalClosure, "")
	if read := <-ended; err != nil {
		return ofClose(errors.Join(err, read))
	}
	return OK, nil
}

// ofClose classifies the end of an open websocket: a server may end it by handshake as well as a client.
func ofClose(err error) (Outcome, error) {
	switch websocket.CloseStatus(err) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return OK, nil
	}
	return Cut, err
}
