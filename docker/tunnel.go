package docker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/pkg/stdcopy"
)

const (
	// closeGrace is how long the program of a connection may take to end by itself once the connection was closed: it takes
	// some milliseconds when the other end closes, too.
	closeGrace = 200 * time.Millisecond
	// killTime bounds the ending of one that does not.
	killTime = 5 * time.Second
	// mostWords is how much of a program's stderr is kept.
	mostWords = 4 << 10
)

// tunnel is one connection of Dial: a program's standard input and output. In between are pipes, one for each direction,
// which have the deadlines that the engine's stream lacks and let one direction end alone.
type tunnel struct {
	address string
	stream  types.HijackedResponse
	in, out net.Conn // the caller's ends
	kill    func(pid string)

	began    chan struct{} // closed when the program has said what it is, bash that it is connected, or it has ended
	ended    chan struct{} // closed when the program's output has ended
	beganly  sync.Once
	closing  sync.Once
	finished chan struct{} // closed when nothing of it is left

	mu     sync.Mutex
	words  bytes.Buffer // stderr
	pid    string
	kind   string // "nc", "socat", "bash"
	data   bool   // something was received: the connection was made
	closed bool
	lost   error // why the stream ended, other than by its end
}

func newTunnel(stream types.HijackedResponse, address string) *tunnel {
	t := &tunnel{address: address, stream: stream, began: make(chan struct{}), ended: make(chan struct{}), finished: make(chan struct{})}
	var far, near net.Conn
	t.in, far = net.Pipe()
	near, t.out = net.Pipe()
	go t.receive(far)
	go t.send(near)
	return t
}

// receive takes the stream apart: output is the connection's data, stderr the program's words.
func (t *tunnel) receive(to net.Conn) {
	_, err := stdcopy.StdCopy(&received{t, to}, said{t}, t.stream.Reader)
	t.mu.Lock()
	if err != nil && !t.closed {
		t.lost = err
	}
	t.mu.Unlock()
	close(t.ended)
	t.begin()
	to.Close()
}

// received passes data on; what nobody reads any more is dropped, so that the program can come to its end.
type received struct {
	*tunnel
	to net.Conn
}

func (r *received) Write(p []byte) (int, error) {
	if r.engineSays(p) {
		return len(p), nil
	}
	r.mu.Lock()
	r.data = true
	r.mu.Unlock()
	_, _ = r.to.Write(p)
	return len(p), nil
}

// notStarted begins what the engine says, on the program's standard output, of one that is not there.
const notStarted = "OCI runtime exec failed"

// engineSays takes that word of the engine's.
func (t *tunnel) engineSays(p []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kind != "" || t.data || !bytes.HasPrefix(p, []byte(notStarted)) {
		return false
	}
	t.words.Write(p)
	return true
}

// send passes the caller's data on until that direction ends.
func (t *tunnel) send(from net.Conn) {
	_, err := io.Copy(t.stream.Conn, from)
	from.Close() // a caller that goes on writing is told
	if err == nil {
		_ = t.stream.CloseWrite()
	}
}

// said takes the program's words.
type said struct{ *tunnel }

func (s said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.words.Len() < mostWords {
		s.words.Write(p)
	}
	first, rest, ok := strings.Cut(s.words.String(), "\n")
	if ok && s.kind == "" {
		s.pid, s.kind, _ = strings.Cut(first, " ")
	}
	if ok && (s.kind != "bash" || strings.HasPrefix(rest, "connected")) {
		s.begin()
	}
	return len(p), nil
}

// said are the program's words so far, or the engine's.
func (t *tunnel) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.words.String()
}

func (t *tunnel) begin() { t.beganly.Do(func() { close(t.began) }) }

// failure is why there is no connection, once the program has ended; nil while it runs, or when there was one.
func (t *tunnel) failure() error {
	select {
	case <-t.ended:
	default:
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, rest, _ := strings.Cut(t.words.String(), "\n")
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "connected"))
	switch {
	case t.closed || t.data:
		return t.lost
	case t.lost != nil:
		return t.lost
	case t.kind == "":
		return fmt.Errorf("dial tcp %s: %s", t.address, lastLine(t.words.String()))
	case rest != "":
		return &net.OpError{Op: "dial", Net: "tcp", Addr: t.RemoteAddr(), Err: dialReason(rest)}
	}
	return nil
}

// Read reads data. The end of a connection that was never made is the reason for that.
func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	if errors.Is(err, io.EOF) {
		if failed := t.failure(); failed != nil {
			err = failed
		}
	}
	return n, err
}

func (t *tunnel) Write(p []byte) (int, error) { return t.out.Write(p) }

// CloseWrite ends the caller's direction, and with bash the whole connection: it returns an error that wraps
// errors.ErrUnsupported there, and does nothing.
func (t *tunnel) CloseWrite() error {
	t.mu.Lock()
	kind := t.kind
	t.mu.Unlock()
	if kind == "bash" {
		return fmt.Errorf("end one direction of a connection that bash made: %w", errors.ErrUnsupported)
	}
	return t.out.Close()
}

// Close ends both directions at once. What is left of the program ends soon after, by itself or by a signal; Close of the
// client waits for that.
func (t *tunnel) Close() error {
	t.closing.Do(func() {
		t.mu.Lock()
		t.closed = true
		t.mu.Unlock()
		t.in.Close()
		t.out.Close() // send ends the program's input
		go t.finish()
	})
	return nil
}

func (t *tunnel) finish() {
	defer close(t.finished)
	defer t.stream.Close()
	select {
	case <-t.ended:
		return
	case <-time.After(closeGrace):
	}
	t.mu.Lock()
	pid := t.pid
	t.mu.Unlock()
	if pid != "" {
		t.kill(pid)
	}
}

func (t *tunnel) LocalAddr() net.Addr  { return tunnelAddr("exec") }
func (t *tunnel) RemoteAddr() net.Addr { return tunnelAddr(t.address) }

func (t *tunnel) SetDeadline(at time.Time) error {
	return errors.Join(t.SetReadDeadline(at), t.SetWriteDeadline(at))
}

func (t *tunnel) SetReadDeadline(at time.Time) error  { return t.in.SetReadDeadline(at) }
func (t *tunnel) SetWriteDeadline(at time.Time) error { return t.out.SetWriteDeadline(at) }

type tunnelAddr string

func (a tunnelAddr) Network() string { return "tcp" }
func (a tunnelAddr) String() string  { return string(a) }

// tunnels are those of a client that may still have something on the engine.
type tunnels struct {
	mu   sync.Mutex
	list map[*tunnel]bool
}

func (l *tunnels) add(t *tunnel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = map[*tunnel]bool{}
	}
	l.list[t] = true
	go func() {
		<-t.finished
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.list, t)
	}()
}

// close closes them all and waits until nothing of them is left.
func (l *tunnels) close() {
	l.mu.Lock()
	var open []*tunnel
	for t := range l.list {
		open = append(open, t)
	}
	l.mu.Unlock()
	limit := time.After(closeGrace + killTime)
	for _, t := range open {
		t.Close()
	}
	for _, t := range open {
		select {
		case <-t.finished:
		case <-limit:
			return
		}
	}
}
