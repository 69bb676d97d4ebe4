package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Answer is what a single long request was told. After an error it holds what had come in by then.
type Answer struct {
	Status           int
	Version, Profile string
	Bytes            int64         // of the body; with Websocket, of the echoes
	Events           int           // server-sent events, or websocket echoes
	Last             string        // data of the last server-sent event
	Took             time.Duration // from connecting to the end of the answer
}

// GetSlow sends one GET to a path that takes its time, and returns the answer. The error is nil if the answer is a
// complete 2xx that names its version.
func GetSlow(ctx context.Context, to Target) (Answer, error) {
	return get(ctx, to, (*Answer).readBody)
}

// get sends a GET and leaves the body of the answer to read.
func get(ctx context.Context, to Target, read func(*Answer, io.Reader) error) (Answer, error) {
	to = to.withDefaults()
	return once(ctx, to, func(conn net.Conn, in *bufio.Reader, a *Answer) error {
		if _, err := conn.Write(requestHead(to, &Request{Method: http.MethodGet, Path: to.Path}, 0)); err != nil {
			return fmt.Errorf("send request: %w", err)
		}
		body, err := a.readHead(in)
		if err != nil {
			return err
		}
		return read(a, body)
	})
}

// once runs one conversation on a connection of its own, which ctx cuts short.
func once(ctx context.Context, to Target, converse func(net.Conn, *bufio.Reader, *Answer) error) (Answer, error) {
	var a Answer
	start := time.Now()
	c, err := connect(to, start.Add(DefaultTimeout))
	if err != nil {
		return a, err
	}
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	err = converse(c.conn, c.in, &a)
	a.Took = time.Since(start)
	c.close() // everything that matters has been read
	if err != nil {
		return a, errors.Join(ctx.Err(), fmt.Errorf("%s of %s: %w", to.Path, to.Addr, err))
	}
	return a, nil
}

// readHead reads the head of the answer, which must be a 2xx with a version, and returns the body.
func (a *Answer) readHead(in *bufio.Reader) (io.Reader, error) {
	resp, err := readAnswer(in, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	a.Status, a.Version, a.Profile = resp.StatusCode, resp.Header.Get(DefaultVersionHeader), resp.Header.Get(DefaultProfileHeader)
	if ofAnswer(resp, DefaultVersionHeader) != OK {
		return nil, fmt.Errorf("answer is %s, by version %q", resp.Status, a.Version)
	}
	if a.Version == "" {
		return nil, fmt.Errorf("answer has no %s", DefaultVersionHeader)
	}
	return resp.Body, nil
}

// readBody reads the body to its end.
func (a *Answer) readBody(body io.Reader) (err error) {
	if a.Bytes, err = io.Copy(io.Discard, body); err != nil {
		return fmt.Errorf("read body after %d bytes: %w", a.Bytes, err)
	}
	return nil
}
