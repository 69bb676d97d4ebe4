package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// once does one long thing. It returns OK and no error if that ended as it should, or because ctx did.
func (c ClientsConfig) once(ctx context.Context) (Outcome, error) {
	switch c.Kind {
	case Slow:
		return c.slow()
	case Stream:
		return c.stream(ctx)
	case Websocket:
		return c.websocket(ctx)
	default:
		return Refused, fmt.Errorf("no such kind of client: %q", c.Kind)
	}
}

// slow sends a GET and reads the whole answer.
func (c ClientsConfig) slow() (Outcome, error) {
	now := time.Now()
	conn, resp, outcome, err := c.get(now.Add(c.Timeout), now.Add(c.LongTimeout))
	if err != nil {
		return outcome, err
	}
	defer conn.close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return ofError(err, true), err
	}
	return OK, nil
}

// stream reads events until the server ends the stream, the hold time is over, or ctx ends.
func (c ClientsConfig) stream(ctx context.Context) (Outcome, error) {
	deadline := time.Now().Add(c.Timeout)
	conn, resp, outcome, err := c.get(deadline, deadline)
	if err != nil {
		return outcome, err
	}
	defer conn.close()
	if err := conn.conn.SetReadDeadline(time.Now().Add(c.Hold)); err != nil {
		return Cut, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.conn.SetReadDeadline(inThePast) })
	defer stop()
	var a Answer
	err = a.readEvents(resp.Body)
	switch {
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
		return OK, nil // it left by itself
	default:
		return Cut, err
	}
}

// get connects and sends a GET, and leaves the body of a good answer to be read.
func (c ClientsConfig) get(connected, answered time.Time) (*connection, *http.Response, Outcome, error) {
	conn, err := connect(c.Target, connected)
	if err != nil {
		return nil, nil, ofConnect(err), err
	}
	resp, err := conn.roundTrip(prepare(c.Target, &Request{Method: http.MethodGet, Path: c.Path}), answered)
	if err != nil {
		outcome := ofError(err, conn.received > 0)
		conn.close()
		return nil, nil, outcome, err
	}
	if outcome := ofAnswer(resp, c.VersionHeader); outcome != OK {
		conn.close()
		return nil, nil, outcome, errors.New(resp.Status)
	}
	return conn, resp, OK, nil
}
