package load

import (
	"errors"
	"os"
	"time"
)

// idleState is what a kept connection looks like before a request is sent on it.
type idleState int

const (
	quiet  idleState = iota // open, nothing to read: fit for a request
	closed                  // the peer has ended it
	stray                   // something came in that no request had asked for
)

// peekTime is how long a peek through a connection waits for what is not there.
const peekTime = time.Millisecond

// inThePast is a deadline that has passed, so that a read returns only what is buffered already.
var inThePast = time.Unix(1, 0)

// look finds out whether the peer has closed the connection, without consuming anything of an answer. Bytes on a socket
// of TLS may be no part of an answer, such as a session ticket, and the end may be announced by an alert: only TLS can
// tell.
func (c *connection) look() idleState {
	if c.in.Buffered() > 0 {
		return stray
	}
	if c.distant {
		return c.peek(time.Now().Add(peekTime))
	}
	state := c.socket.look(c)
	switch {
	case !c.tls || state == closed:
		return state
	case state == quiet:
		return c.peek(inThePast)
	default:
		return c.peek(time.Now().Add(peekTime))
	}
}

// peek reads, until the deadline, what there is to read through TLS if any.
func (c *connection) peek(deadline time.Time) idleState {
	if err := c.conn.SetReadDeadline(deadline); err != nil {
		return closed
	}
	_, err := c.in.Peek(1)
	switch {
	case err == nil:
		return stray
	case errors.Is(err, os.ErrDeadlineExceeded):
		return quiet
	default:
		return closed
	}
}
