package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// grpcMessage is one of gRPC's: not compressed, and five bytes long.
var grpcMessage = []byte("\x00\x00\x00\x00\x05hello")

// grpcPath is below what examples/hello answers as gRPC, each message by itself.
const grpcPath = "/hello.Echo/Say"

// Streams, websockets and uploads begin before a swap over TLS and end well after it, and so does a stream of gRPC's. Calls
// go on meanwhile, and none fails.
func TestGRPCStreamsAndWebsocketsOverTLSLastAcrossASwap(t *testing.T) {
	t.Parallel()
	h := newHost(t, withTLS(newAuthority(t)), ownKey("grpc", []string{"/hello.Echo"}))
	h.deploy("v1")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	calls := h.callOften(ctx)
	h.longRequestsLast(t, append([]longRequest{{"gRPC stream", grpcStream, grpcPath}}, longRequests...))
	calls.want(t, stop)

	h.change(ownKey("grpc", true)) // all of it
	h.must("reload")
	if answer, err := grpcCall(t.Context(), h.grpcClient(), h.target(grpcPath)); err != nil || answer.Version != "v3" {
		t.Errorf("want an answer by v3: %+v, %v", answer, err)
	}
	h.deploy("v4")
	if answer, err := grpcCall(t.Context(), h.grpcClient(), h.target(grpcPath)); err != nil || answer.Version != "v4" {
		t.Errorf("want an answer by v4: %+v, %v", answer, err)
	}
}

// grpcClient is a client of HTTP/2 alone.
func (h *host) grpcClient() *http.Client { return grpcClientOf(h.target("")) }

func grpcClientOf(to load.Target) *http.Client {
	transport := &http.Transport{Protocols: &http.Protocols{}, TLSClientConfig: to.TLS, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, to.Addr)
	}}
	transport.Protocols.SetHTTP2(true)
	return &http.Client{Transport: transport}
}

// grpcCalls are calls one after the other.
type grpcCalls struct {
	good, failed atomic.Int64
	first        atomic.Pointer[error]
	ended        chan struct{}
}

// callOften calls again and again over one connection, until ctx ends.
func (h *host) callOften(ctx context.Context) *grpcCalls {
	c := &grpcCalls{ended: make(chan struct{})}
	client := h.grpcClient()
	go func() {
		defer close(c.ended)
		defer client.CloseIdleConnections()
		for ctx.Err() == nil {
			if _, err := grpcCall(context.WithoutCancel(ctx), client, h.target(grpcPath)); err != nil {
				c.failed.Add(1)
				c.first.CompareAndSwap(nil, &err)
			} else {
				c.good.Add(1)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return c
}

func (c *grpcCalls) want(t *testing.T, stop func()) {
	t.Helper()
	stop()
	<-c.ended
	t.Logf("%d calls were good, %d failed", c.good.Load(), c.failed.Load())
	if first := c.first.Load(); first != nil {
		t.Errorf("want no call failed; first: %v", *first)
	} else if c.good.Load() == 0 {
		t.Error("want some calls")
	}
}

// grpcCall sends one message and wants it back, and then the end.
func grpcCall(ctx context.Context, client *http.Client, to load.Target) (a load.Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer, err := beginCall(ctx, client, to, bytes.NewReader(grpcMessage))
	if err != nil {
		return a, err
	}
	a.Version = answer.Header.Get("X-Version")
	return a, errors.Join(messageBack(answer), endedWell(answer))
}

func beginCall(ctx context.Context, client *http.Client, to load.Target, messages io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+to.Host+to.Path, messages)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("TE", "trailers")
	return client.Do(request)
}

func messageBack(answer *http.Response) error {
	back := make([]byte, len(grpcMessage))
	if _, err := io.ReadFull(answer.Body, back); err != nil || !bytes.Equal(back, grpcMessage) {
		return fmt.Errorf("want the message back: %s %v, %q, %v", answer.Status, answer.Header, back, err)
	}
	return nil
}

// endedWell wants nothing more, and the trailer that says so.
func endedWell(answer *http.Response) error {
	defer answer.Body.Close()
	rest, err := io.ReadAll(answer.Body)
	if err != nil || len(rest) > 0 || answer.Trailer.Get("Grpc-Status") != "0" {
		return fmt.Errorf("want the end with status 0: %q, %v, %v", rest, err, answer.Trailer)
	}
	return nil
}

// grpcStream keeps one call going for a while, message by message.
func grpcStream(ctx context.Context, to load.Target) (a load.Answer, err error) {
	client, began := grpcClientOf(to), time.Now()
	defer client.CloseIdleConnections()
	messages, send := io.Pipe()
	defer send.Close()
	sent := make(chan error, 1)
	go func() { _, err := send.Write(grpcMessage); sent <- err }()
	answer, err := beginCall(ctx, client, to, messages)
	if err != nil {
		return a, err
	}
	a.Version = answer.Header.Get("X-Version")
	for time.Since(began) < longLasting {
		if err := errors.Join(<-sent, messageBack(answer)); err != nil {
			return a, err
		}
		a.Events++
		time.Sleep(100 * time.Millisecond)
		go func() { _, err := send.Write(grpcMessage); sent <- err }()
	}
	if err := errors.Join(<-sent, messageBack(answer)); err != nil {
		return a, err
	}
	a.Took = time.Since(began)
	_ = send.Close()
	return a, endedWell(answer)
}
