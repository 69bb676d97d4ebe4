package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// refusedPause keeps a connection without a period from spinning while nothing listens.
const refusedPause = 10 * time.Millisecond

// errStray is the error of a kept connection on which bytes came in that no request had asked for.
var errStray = errors.New("bytes arrived between two requests")

// exchange is one request and what became of it.
type exchange struct {
	client           int
	post             bool
	due, sent, done  time.Time
	outcome          Outcome
	version, profile string
	err              error
}

// client sends the requests of one keep-alive connection, one after the other, connecting anew when it must.
type client struct {
	run       *Run
	number    int
	get, post []byte  // the bytes of a request, written as they are
	owed      float64 // POSTs due by PostShare and not sent yet

	conn *connection // nil: connect before the next request
}

func newClient(r *Run, number int) *client {
	body := make([]byte, r.cfg.BodySize)
	for i := range body {
		body[i] = 'a' + byte(i%26)
	}
	return &client{
		run:    r,
		number: number,
		get:    requestHead(r.cfg.Target, http.MethodGet, 0),
		post:   append(requestHead(r.cfg.Target, http.MethodPost, int64(len(body))), body...),
		// Clients begin at different points of the mix, so that they do not all POST at once.
		owed: float64(number) / float64(r.cfg.Connections),
	}
}

// requestHead returns the bytes of a request before its body.
func requestHead(to Target, method string, length int64) []byte {
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bluegreen-load\r\n", method, to.Path, to.Host)
	if method == http.MethodPost {
		head = fmt.Appendf(head, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", length)
	}
	return append(head, "\r\n"...)
}

// loop sends requests until ctx or a limit of the run ends it.
func (c *client) loop(ctx context.Context) {
	defer c.hangUp()
	period := c.run.cfg.Period
	due := c.run.start.Add(period * time.Duration(c.number) / time.Duration(c.run.cfg.Connections))
	for sleepUntil(ctx, due) && c.run.take() {
		x := c.exchange(due)
		c.run.tally.add(x)
		switch {
		case period > 0:
			due = due.Add(period) // never from now: a slow answer must not thin out the load
		case x.outcome == Refused:
			due = x.done.Add(refusedPause)
		default:
			due = x.done
		}
	}
}

// sleepUntil waits for the time and says whether to go on.
func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// exchange sends one request, once, and reads its answer.
func (c *client) exchange(due time.Time) exchange {
	x := exchange{client: c.number, post: c.nextIsPost(), due: due, sent: time.Now()}
	deadline := x.sent.Add(c.run.cfg.Timeout)
	if x.outcome, x.err = c.makeReady(deadline); x.err == nil {
		x.sent = time.Now()
		c.converse(&x, deadline)
	}
	x.done = time.Now()
	return x
}

func (c *client) nextIsPost() bool {
	c.owed += c.run.cfg.PostShare
	if c.owed < 1 {
		return false
	}
	c.owed--
	return true
}

// makeReady makes sure of a connection that is open as far as this side can know.
func (c *client) makeReady(deadline time.Time) (Outcome, error) {
	if c.conn != nil {
		switch c.conn.look() {
		case quiet:
			return OK, nil
		case stray:
			c.hangUp()
			return Cut, errStray
		case closed:
			c.run.tally.idleClose()
			c.hangUp()
		}
	}
	conn, err := connect(c.run.cfg.Addr, deadline)
	if err != nil {
		return Refused, err
	}
	c.conn = conn
	c.run.tally.connect()
	return OK, nil
}

// converse writes the request of x on the open connection and reads the answer.
func (c *client) converse(x *exchange, deadline time.Time) {
	request := c.get
	if x.post {
		request = c.post
	}
	resp, err := c.conn.roundTrip(request, deadline)
	if err != nil {
		x.outcome, x.err = ofError(err, c.conn.received > 0), err
		c.hangUp()
		return
	}
	x.version, x.profile = resp.Header.Get(VersionHeader), resp.Header.Get(ProfileHeader)
	if x.outcome = ofAnswer(resp.StatusCode, x.version); x.outcome != OK {
		x.err = errors.New(resp.Status)
	}
	if resp.Close {
		c.hangUp()
	}
}

func (c *client) hangUp() {
	if c.conn != nil {
		_ = c.conn.tcp.Close() // its last answer is read already, or failed already
		c.conn = nil
	}
}
