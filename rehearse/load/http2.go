package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// maxSends is how often a request may be sent that servers declare unprocessed again and again.
const maxSends = 10

// http2Lines are the HTTP/2 connections of a run, which all of its clients share.
type http2Lines struct {
	cfg       Config
	tally     *tally
	transport *http.Transport
	links     []*link
}

// link is the place of one HTTP/2 connection, which is made anew when it must be.
type link struct {
	mu   sync.Mutex
	conn *http.ClientConn // nil: connect before the next request
	used int              // requests on conn that are under way
	hurt bool             // a request on conn was lost with it
}

func newHTTP2Lines(cfg Config, t *tally) *http2Lines {
	l := &http2Lines{cfg: cfg, tally: t, links: make([]*link, cfg.Connections)}
	for i := range l.links {
		l.links[i] = &link{}
	}
	l.transport = &http.Transport{DialContext: cfg.dial, Protocols: &http.Protocols{}, DisableCompression: true}
	if cfg.TLS == nil {
		l.transport.Protocols.SetUnencryptedHTTP2(true)
		return l
	}
	l.transport.Protocols.SetHTTP2(true)
	l.transport.TLSClientConfig = tlsConfig(cfg.Target, "h2")
	verify := l.transport.TLSClientConfig.VerifyConnection
	l.transport.TLSClientConfig.VerifyConnection = func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol != "h2" {
			return errors.New("server does not speak HTTP/2")
		}
		if verify != nil {
			return verify(s)
		}
		return nil
	}
	return l
}

// close ends all connections.
func (l *http2Lines) close() {
	for _, k := range l.links {
		k.mu.Lock()
		k.drop()
		k.mu.Unlock()
	}
}

func (l *http2Lines) scheme() string {
	if l.cfg.TLS != nil {
		return "https"
	}
	return "http"
}

// acquire returns a connection for one request, which may be on its way beside others.
func (l *http2Lines) acquire(k *link, deadline time.Time) (*http.ClientConn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn != nil && gone(k.conn) {
		if k.used == 0 && !k.hurt {
			l.tally.idleClose()
		}
		k.drop()
	}
	if k.conn == nil {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		conn, err := l.transport.NewClientConn(ctx, l.scheme(), l.cfg.Addr)
		if err != nil {
			return nil, err
		}
		l.tally.connect()
		k.conn, k.used, k.hurt = conn, 0, false
	}
	k.used++
	return k.conn, nil
}

// gone says whether a connection takes no more requests: it is closed, or the server has said that it will be.
func gone(c *http.ClientConn) bool { return c.Err() != nil || c.Available() == 0 && c.InFlight() == 0 }

// drop lets go of the connection. Requests that are still on their way on it go on.
func (k *link) drop() {
	if k.conn != nil && k.used == 0 {
		_ = k.conn.Close()
	}
	k.conn = nil
}

// release ends the use of a connection by one request.
func (k *link) release(conn *http.ClientConn, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn != conn {
		return
	}
	k.used--
	if errors.Is(err, context.DeadlineExceeded) {
		return
	}
	k.hurt = k.hurt || err != nil
	if neverSent(err) {
		k.drop() // it waits for its last answers, and takes no more
	}
}

// line returns the line of one client.
func (l *http2Lines) line(number int) line {
	return &stream{lines: l, number: number, reader: reader{cfg: &l.cfg}}
}

// stream is a line of HTTP/2: each request is a stream of a shared connection.
type stream struct {
	lines  *http2Lines
	number int
	reader reader
}

func (*stream) hangUp() {}

// carry sends the request again only if the connection did not take it, or the server has declared that it did not
// process it (RFC 9113, 6.8 and 8.7).
func (s *stream) carry(x *Exchange, q *prepared, deadline time.Time) {
	for try := range maxSends {
		x.Connection = int(x.Number+int64(try)) % len(s.lines.links)
		again := s.try(x, q, deadline)
		if !again {
			return
		}
	}
}

// try sends the request of x once, and says whether it was harmless that it had no answer.
func (s *stream) try(x *Exchange, q *prepared, deadline time.Time) (again bool) {
	k := s.lines.links[x.Connection]
	conn, err := s.lines.acquire(k, deadline)
	if err != nil {
		x.Outcome, x.Err = ofConnect(err), err
		return false
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	x.Sent = time.Now()
	resp, err := conn.RoundTrip(s.request(ctx, q))
	begun := err == nil
	if begun {
		err = s.reader.read(resp.Body)
		_ = resp.Body.Close()
	}
	k.release(conn, err)
	if err == nil {
		s.reader.judge(x, resp)
		return false
	}
	x.Outcome, x.Err = ofError(err, begun), err
	switch {
	case neverSent(err):
		return true
	case !begun && unprocessed(err):
		x.Unprocessed++
		return true
	}
	return false
}

func (s *stream) request(ctx context.Context, q *prepared) *http.Request {
	r := &http.Request{
		Method: q.Method, Header: q.header, Host: s.lines.cfg.Host, ContentLength: int64(len(q.Body)),
		URL: &url.URL{Scheme: s.lines.scheme(), Host: s.lines.cfg.Addr, Opaque: q.Path},
	}
	if len(q.Body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(q.Body))
	}
	return r.WithContext(ctx)
}
