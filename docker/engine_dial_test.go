package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// Where a connection is made from: an image with nc, one with bash, as scripts/nginx-image.sh makes them.
var dialers = map[string]string{"nc": "bluegreen/nginx:1.30-debian2", "bash": "bluegreen/nginx:1.22-debian2"}

// run starts a container on a network and takes it away at the end.
func run(t *testing.T, c *Client, n Network, image string, command ...string) Container {
	t.Helper()
	host := &container.HostConfig{NetworkMode: container.NetworkMode(n.ID)}
	made, err := c.api.ContainerCreate(t.Context(), &container.Config{Image: image, Entrypoint: command[:1], Cmd: command[1:], Labels: testLabels},
		host, &network.NetworkingConfig{}, nil, name("dial"))
	if err != nil {
		t.Fatal(err)
	}
	remove(t, c, made.ID)
	return start(t, c, made.ID)
}

// dialing is a server, and a container to dial it from.
type dialing struct {
	*testing.T
	c    *Client
	from Container
	at   string // the server's address
}

func eachDialer(t *testing.T, test func(d dialing, kind string)) {
	c := engine(t)
	n := testNetwork(t, c, "dial")
	server := run(t, c, n, app(t, c).ID, "/app", "serve")
	waitForLog(t, c, server.ID, "ready")
	for kind, image := range dialers {
		t.Run(kind, func(t *testing.T) {
			if _, err := c.Image(t.Context(), image); err != nil {
				t.Skipf("SKIPPED, NOT TESTED: make nginx-image builds %s: %v", image, err)
			}
			from := run(t, c, n, image, "sleep", "600")
			test(dialing{t, c, from, server.Networks[n.Name].Address}, kind)
		})
	}
}

func (d dialing) dial(port string) net.Conn {
	d.Helper()
	conn, err := d.c.Dial(d.Context(), d.from.ID, net.JoinHostPort(d.at, port))
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { conn.Close() })
	return conn
}

// wantNothingLeft waits until only the container's own process is there.
func (d dialing) wantNothingLeft() {
	d.Helper()
	var list []Process
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if list, err = d.c.Top(context.Background(), d.from.ID); err == nil && len(list) == 1 {
			return
		}
	}
	d.Errorf("left in the container: %+v", list)
}

func TestDialCarriesDataBothWays(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		conn := d.dial("9001")
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
		go func() { _, _ = conn.Write(sent) }()
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
			d.Fatalf("%v; the same came back: %t", err, bytes.Equal(got, sent))
		}
		conn.Close()
		d.wantNothingLeft()
	})
}

func TestDialEndsOneDirectionAlone(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		conn := d.dial("9001")
		_, _ = conn.Write([]byte("a question"))
		err := conn.(interface{ CloseWrite() error }).CloseWrite()
		if kind == "bash" {
			if !errors.Is(err, errors.ErrUnsupported) {
				d.Errorf("bash cannot do that, and says %v", err)
			}
			return
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if got, e := io.ReadAll(conn); err != nil || e != nil || string(got) != "a question" {
			d.Errorf("%q, %v, %v", got, err, e)
		}
	})
}

func TestDialSeesTheServerClose(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		conn := d.dial("9002")
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(conn); err != nil || string(got) != "bye" {
			d.Errorf("%q, %v", got, err)
		}
		d.wantNothingLeft()
	})
}

func TestDialToNobodyIsRefused(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		conn, err := d.c.Dial(d.Context(), d.from.ID, "127.0.0.1:9999")
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
		} else if kind == "nc" {
			d.Errorf("not expected of Dial: %v", err)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			d.Errorf("%v is no refusal", err)
		}
		d.wantNothingLeft()
	})
}

func TestDialHasDeadlines(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		conn := d.dial("9003")
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			d.Errorf("%v", err)
		}
	})
}

// A server that keeps the connection does not keep the program: it is ended.
func TestDialLeavesNothingBehind(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		conn := d.dial("9003")
		_, _ = conn.Write([]byte("hello"))
		conn.Close()
		d.wantNothingLeft()

		other := dial(t, d.c.host)
		if _, err := other.Dial(d.Context(), d.from.ID, net.JoinHostPort(d.at, "9003")); err != nil {
			d.Fatal(err)
		}
		other.Close() // and with it what it had dialled
		if list, err := d.c.Top(d.Context(), d.from.ID); err != nil || len(list) != 1 {
			d.Errorf("left when the client was closed: %+v, %v", list, err)
		}

	})
}

// An address that nobody has answers neither yes nor no: bash waits in Dial, nc and the reader after it.
func TestDialEndsWithItsContext(t *testing.T) {
	eachDialer(t, func(d dialing, kind string) {
		ctx, cancel := context.WithTimeout(d.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		conn, err := d.c.Dial(ctx, d.from.ID, "192.0.2.1:80")
		if took := time.Since(began); took > 2*time.Second {
			d.Errorf("it took %v", took)
		}
		if err == nil {
			conn.Close()
		}
		d.wantNothingLeft()
	})
}

func TestDialFromAContainerWithoutAProgram(t *testing.T) {
	c := engine(t)
	n := testNetwork(t, c, "dial")
	bare := run(t, c, n, app(t, c).ID, "/app", "wait")
	_, err := c.Dial(t.Context(), bare.ID, "127.0.0.1:80")
	var none *NoDialerError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "probe: host") {
		t.Errorf("%v", err)
	}
	if err := c.Stop(t.Context(), bare.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Dial(t.Context(), bare.ID, "127.0.0.1:80"); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("a stopped container: %v", err)
	}
	for _, address := range []string{"-e:80", "a b:80", "10.0.0.1:0", "10.0.0.1", "$(x):80"} {
		if _, err := c.Dial(t.Context(), bare.ID, address); err == nil || !strings.Contains(err.Error(), "dial") {
			t.Errorf("address %q: %v", address, err)
		}
	}
}
