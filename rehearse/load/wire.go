package load

import (
	"errors"
	"time"
)

// errStray is the error of a kept connection on which bytes came in that no request had asked for.
var errStray = errors.New("bytes arrived between two requests")

// wire is a line of HTTP/1.1: one kept connection, made anew when it must be.
type wire struct {
	cfg    *Config
	tally  *tally
	reader reader
	conn   *connection // nil: connect before the next request
}

func (w *wire) carry(x *Exchange, q *prepared, deadline time.Time) {
	if x.Outcome, x.Err = w.makeReady(deadline); x.Err != nil {
		return
	}
	x.Sent = time.Now()
	resp, err := w.conn.roundTrip(q, deadline)
	if err == nil {
		err = w.reader.read(resp.Body)
	}
	if err != nil {
		x.Outcome, x.Err = ofError(err, w.conn.received > 0), err
		w.hangUp()
		return
	}
	w.reader.judge(x, resp)
	if resp.Close {
		w.hangUp()
	}
}

// makeReady makes sure of a connection that is open as far as this side can know.
func (w *wire) makeReady(deadline time.Time) (Outcome, error) {
	if w.conn != nil {
		switch w.conn.look() {
		case quiet:
			return OK, nil
		case stray:
			w.hangUp()
			return Cut, errStray
		case closed:
			w.tally.idleClose()
			w.hangUp()
		}
	}
	conn, err := connect(w.cfg.Target, deadline)
	if err != nil {
		return ofConnect(err), err
	}
	w.conn = conn
	w.tally.connect()
	return OK, nil
}

func (w *wire) hangUp() {
	if w.conn != nil {
		w.conn.close() // its last answer is read already, or failed already
		w.conn = nil
	}
}
