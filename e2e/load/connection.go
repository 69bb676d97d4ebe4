package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// connection is a TCP connection that counts what it receives and can tell whether its peer has closed it.
type connection struct {
	tcp      net.Conn
	raw      syscall.RawConn
	in       *bufio.Reader
	received int // bytes of the present answer that came in so far

	// look's system call and its results, kept here because a closure for each request would be garbage.
	peek    func(fd uintptr)
	peeked  int
	peekErr error
	peekBuf [1]byte
}

// connect opens a connection; no keep-alive probes, they are of no use on loopback and cost three system calls.
func connect(addr string, deadline time.Time) (*connection, error) {
	dialer := net.Dialer{Deadline: deadline, KeepAlive: -1}
	tcp, err := dialer.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	raw, err := tcp.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reach socket of %s: %w", addr, err), tcp.Close())
	}
	c := &connection{tcp: tcp, raw: raw}
	c.in = bufio.NewReader(c)
	c.peek = func(fd uintptr) {
		c.peeked, _, c.peekErr = syscall.Recvfrom(int(fd), c.peekBuf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	}
	return c, nil
}

// Read reads from the network, for the buffer.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.tcp.Read(p)
	c.received += n
	return n, err
}

// idleState is what a kept connection looks like before a request is sent on it.
type idleState int

const (
	quiet  idleState = iota // open, nothing to read: fit for a request
	closed                  // the peer has ended it
	stray                   // something came in that no request had asked for
)

// look finds out whether the peer has closed the connection, without waiting and without consuming anything. Control
// rather than Read, which would refuse once the deadline of the last request has passed.
func (c *connection) look() idleState {
	if c.in.Buffered() > 0 {
		return stray
	}
	if err := c.raw.Control(c.peek); err != nil {
		return closed
	}
	switch {
	case c.peekErr == syscall.EAGAIN:
		return quiet
	case c.peekErr == nil && c.peeked > 0:
		return stray
	default:
		return closed
	}
}

// roundTrip writes the request once and returns the answer, its body read to the end.
func (c *connection) roundTrip(request []byte, deadline time.Time) (*http.Response, error) {
	c.received = 0
	if err := c.tcp.SetDeadline(deadline); err != nil {
		return nil, err
	}
	_, sendErr := c.tcp.Write(request)
	resp, err := readAnswer(c.in)
	if err != nil {
		return nil, errors.Join(sendErr, err)
	}
	// A server may answer before it has read the whole request; that answer is good, the connection is not.
	resp.Close = resp.Close || sendErr != nil
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

// readAnswer reads the head of an answer and makes sure that the end of its body can be told from a cut.
func readAnswer(in *bufio.Reader) (*http.Response, error) {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 {
		return nil, errors.New("answer has neither a length nor chunks")
	}
	return resp, nil
}
