package load

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/coder/websocket"
)

// EchoWebsocket opens a websocket on a path that echoes, and sends a message every so often until the total time is over.
// The error is nil if every message came back unchanged and the closing handshake was completed. Events counts the
// messages that came back either way.
func EchoWebsocket(ctx context.Context, to Target, every, total time.Duration) (Answer, error) {
	var a Answer
	start := time.Now()
	err := a.pingPong(ctx, to.withDefaults(), every, total)
	a.Took = time.Since(start)
	if err != nil {
		return a, fmt.Errorf("websocket %s of %s after %d echoes: %w", to.Path, to.Addr, a.Events, err)
	}
	return a, nil
}

func (a *Answer) pingPong(ctx context.Context, to Target, every, total time.Duration) error {
	conn, resp, err := dialWebsocket(ctx, to)
	if resp != nil {
		a.Status, a.Version, a.Profile = resp.StatusCode, resp.Header.Get(DefaultVersionHeader), resp.Header.Get(DefaultProfileHeader)
	}
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	start := time.Now()
	for after := time.Duration(0); after < total; after += every {
		if !sleepUntil(ctx, start.Add(after)) {
			return ctx.Err()
		}
		if err := a.echo(ctx, conn); err != nil {
			return err
		}
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}

// echo sends one message and waits for it to come back.
func (a *Answer) echo(ctx context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	message := fmt.Appendf(nil, "message %d", a.Events+1)
	if err := conn.Write(ctx, websocket.MessageText, message); err != nil {
		return err
	}
	_, back, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(back, message) {
		return fmt.Errorf("sent %q, got %q back", message, back)
	}
	a.Events++
	a.Bytes += int64(len(back))
	return nil
}
