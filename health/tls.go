package health

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// client is the one that asks. What a server's certificate is worth was judged where it comes from; this machine need not
// know its authority.
func (p Probe) client() *http.Client {
	if p.Dial == nil && p.TLSName == "" {
		return client
	}
	dial := dialOr(nil)
	if p.Dial != nil {
		dial = p.dialBounded
	}
	c := newClient(dial)
	if p.TLSName != "" {
		c.Transport.(*http.Transport).TLSClientConfig = anyCertificate(p.TLSName)
	}
	return c
}

// dialOr is this machine's own way to make a connection, where there is no other.
func dialOr(d Dial) Dial {
	if d == nil {
		return (&net.Dialer{Timeout: dialTime}).DialContext
	}
	return d
}

func anyCertificate(name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} // see client
}

// dialTime bounds the making of a connection.
const dialTime = 5 * time.Second

// Leaf is the certificate that a server at HOST:PORT shows over a new connection that asks for a name, as it is sent. Nil for
// dial: this machine makes the connection.
func Leaf(ctx context.Context, dial Dial, at, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := dialOr(dial)(ctx, "tcp", at)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the certificate of %s: %w", at, name, plain(err))
	}
	conn := tls.Client(raw, anyCertificate(name))
	defer conn.Close()
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("ask %s for the certificate of %s: %w", at, name, plain(err))
	}
	shown := conn.ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return nil, errors.New("no certificate was shown")
	}
	return shown[0].Raw, nil
}
