//go:build linux

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// The main goroutine keeps the main thread, so that inside never takes that one into a namespace: /proc/PID/ns/net, by which
// commands find back to the machine's own, is the main thread's.
func init() { runtime.LockOSThread() }

// dial connects inside the engine's network namespace.
func (e *secondEngine) dial(ctx context.Context, network, addr string) (connection net.Conn, err error) {
	inside(e, func() { connection, err = (&net.Dialer{}).DialContext(ctx, network, addr) }, &err)
	return connection, err
}

// listen listens on loopback inside the engine's network namespace.
func (e *secondEngine) listen() (l net.Listener, err error) {
	inside(e, func() { l, err = net.Listen("tcp", "127.0.0.1:0") }, &err)
	return l, err
}

// inside does something on a thread that is in the engine's network namespace.
func inside(e *secondEngine, do func(), err *error) {
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // and never unlock: the thread that is in the namespace ends with this function
		namespace, failed := os.Open("/run/netns/" + e.namespace)
		if failed != nil {
			*err = failed
			return
		}
		defer namespace.Close()
		if failed := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); failed != nil {
			*err = fmt.Errorf("enter network namespace: %w", failed)
			return
		}
		do()
	})
	done.Wait()
}

// shelfInside is a registry that wants a login, on the loopback of the engine's namespace.
func (e *secondEngine) shelfInside(t *testing.T) (host string) {
	t.Helper()
	l, err := e.listen()
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, host: l.Addr().String()}
	s.closed.Store(true)
	server := &http.Server{Handler: s.handler()}
	t.Cleanup(func() { server.Close() })
	go func() { _ = server.Serve(l) }() // until it is closed
	return s.host
}
