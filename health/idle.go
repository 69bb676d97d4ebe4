package health

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Idle is what an app does with a connection on which nothing comes any more.
type Idle struct {
	Announced bool          // its answer said that it closes the connection
	Closed    bool          // it closed it while it was watched
	After     time.Duration // from the end of the answer until it did
}

// maxBody bounds what is read of an answer: the connection is of no use before its end.
const maxBody = 16 << 20

// WatchIdle asks once over a keep-alive connection, as nginx would, and then watches the idle connection for the
// time given. The answer itself is not judged.
func (p Probe) WatchIdle(ctx context.Context, watch time.Duration) (Idle, error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return Idle{}, fmt.Errorf("%s: %w", p.asked(), plain(err))
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	reader := bufio.NewReader(conn)
	announced, err := p.exchange(ctx, conn, reader)
	if err == nil && !announced {
		return watchIdle(ctx, conn, reader, watch)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return Idle{}, fmt.Errorf("%s: %w", p.asked(), plain(err))
	}
	return Idle{Announced: true}, nil
}

// exchange sends the question and reads the answer to its end.
func (p Probe) exchange(ctx context.Context, conn net.Conn, reader *bufio.Reader) (announced bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return false, err
	}
	req.Host = p.Host
	req.Header.Set("User-Agent", "bluegreen-health")
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if err := req.Write(conn); err != nil {
		return false, err
	}
	res, err := http.ReadResponse(reader, req)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	if err == nil && n == maxBody {
		err = errors.New("the answer is too long to be read whole")
	}
	return res.Close, err
}

// watchIdle waits for the connection's end: an app has nothing to say unasked.
func watchIdle(ctx context.Context, conn net.Conn, reader *bufio.Reader, watch time.Duration) (Idle, error) {
	start := time.Now()
	if err := conn.SetReadDeadline(start.Add(watch)); err != nil {
		return Idle{}, err
	}
	_, err := reader.ReadByte()
	switch {
	case ctx.Err() != nil:
		return Idle{}, fmt.Errorf("watch an idle connection: %w", ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Idle{}, nil
	case err == nil:
		return Idle{}, errors.New("watch an idle connection: the app sent something unasked")
	}
	return Idle{Closed: true, After: time.Since(start)}, nil
}
