//go:build unix

package load

import (
	"net"
	"syscall"
)

// socket looks at what a connection has received, without waiting and without consuming anything.
type socket struct {
	raw syscall.RawConn

	// The system call and its results, kept here because a closure for each request would be garbage.
	peek    func(fd uintptr)
	peeked  int
	peekErr error
	buf     [1]byte
}

func (s *socket) of(tcp net.Conn) (err error) {
	s.peek = func(fd uintptr) {
		s.peeked, _, s.peekErr = syscall.Recvfrom(int(fd), s.buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	}
	s.raw, err = tcp.(syscall.Conn).SyscallConn()
	return err
}

// look uses Control rather than Read, which would refuse once the deadline of the last request has passed.
func (s *socket) look(*connection) idleState {
	if err := s.raw.Control(s.peek); err != nil {
		return closed
	}
	switch {
	case s.peekErr == syscall.EAGAIN || s.peekErr == syscall.EINTR:
		return quiet
	case s.peekErr == nil && s.peeked > 0:
		return stray
	default:
		return closed
	}
}
