package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// connection is a connection that counts what it receives and can tell whether its peer has closed it.
type connection struct {
	tcp      net.Conn
	conn     net.Conn // tcp, or TLS over it
	tls      bool
	distant  bool // made by the target's own Dial: there is no socket to look at
	socket   socket
	in       *bufio.Reader
	received int // bytes of the present answer that came in so far
}

// connect opens a connection.
func connect(to Target, deadline time.Time) (*connection, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	tcp, err := to.dial(ctx, "tcp", to.Addr)
	if err != nil {
		return nil, err
	}
	c := &connection{tcp: tcp, conn: tcp, distant: to.Dial != nil}
	if !c.distant {
		if err := c.socket.of(tcp); err != nil {
			return nil, errors.Join(fmt.Errorf("reach socket of %s: %w", to.Addr, err), tcp.Close())
		}
	}
	if to.TLS != nil {
		if err := c.secure(to, deadline); err != nil {
			_ = tcp.Close()
			return nil, fmt.Errorf("TLS with %s: %w", to.Addr, err)
		}
	}
	c.in = bufio.NewReader(c)
	return c, nil
}

// secure does the handshake of TLS.
func (c *connection) secure(to Target, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	secured := tls.Client(c.tcp, tlsConfig(to, "http/1.1"))
	c.conn, c.tls = secured, true
	return secured.HandshakeContext(ctx)
}

// tlsConfig is the target's, for the protocol.
func tlsConfig(to Target, protocol string) *tls.Config {
	cfg := to.TLS.Clone()
	cfg.NextProtos = []string{protocol}
	if cfg.ServerName == "" {
		cfg.ServerName = to.Host
		if host, _, err := net.SplitHostPort(to.Host); err == nil {
			cfg.ServerName = host
		}
	}
	return cfg
}

// Read reads from the network, for the buffer.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.conn.Read(p)
	c.received += n
	return n, err
}

// close ends the connection at once: without the alert of TLS, which would wait for the network.
func (c *connection) close() { _ = c.tcp.Close() }

// roundTrip writes the request once and returns the head of the answer; its body is still to be read.
func (c *connection) roundTrip(q *prepared, deadline time.Time) (*http.Response, error) {
	c.received = 0
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	_, sendErr := c.conn.Write(q.bytes)
	resp, err := readAnswer(c.in, q.asked)
	if err != nil {
		return nil, errors.Join(sendErr, err)
	}
	// A server may answer before it has read the whole request; that answer is good, the connection is not.
	resp.Close = resp.Close || sendErr != nil
	return resp, nil
}

// maxInterim is how many interim answers (1xx) one request may get.
const maxInterim = 100

// readAnswer reads the head of the final answer and makes sure that the end of its body can be told from a cut.
func readAnswer(in *bufio.Reader, asked *http.Request) (*http.Response, error) {
	for range maxInterim {
		resp, err := http.ReadResponse(in, asked)
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode == http.StatusSwitchingProtocols:
			resp.Close = true // what follows is no HTTP
			return resp, nil
		case resp.StatusCode < http.StatusOK:
			continue
		case asked.Method != http.MethodHead && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0:
			return nil, errors.New("answer has neither a length nor chunks")
		}
		return resp, nil
	}
	return nil, fmt.Errorf("more than %d interim answers", maxInterim)
}
