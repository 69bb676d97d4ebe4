//go:build !unix

package load

import (
	"net"
	"time"
)

// socket stands for a socket that cannot be peeked at: the connection is read from, for a very short time.
type socket struct{}

func (*socket) of(net.Conn) error { return nil }

func (*socket) look(c *connection) idleState { return c.peek(time.Now().Add(peekTime)) }
