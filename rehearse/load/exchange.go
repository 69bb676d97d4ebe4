package load

import (
	"net/http"
	"time"
)

// Exchange is one request and what became of it.
type Exchange struct {
	Number     int64 // of the request in its run, from 0
	Connection int   // that it was sent on, from 0
	Request    *Request

	Due  time.Time // when it should have been sent; latency counts from here
	Sent time.Time // when it was written, or when that was given up
	Done time.Time // when its answer was complete, or it was lost
	// Late is how late this client was: from when the request was due, or its connection was free, until it could be
	// written. Waiting for a connection is not in it.
	Late time.Duration

	Outcome          Outcome
	Version, Profile string // as the answer names them
	// Unprocessed is how often a server declared that it had not processed the request, and it was sent again.
	Unprocessed int
	Err         error // nil with OK
}

// Checked is a complete 2xx answer, as Config.Check gets it. Header and Body are only valid until Check returns.
type Checked struct {
	Request          Request
	Status           int
	Header           http.Header
	Body             []byte // at most 1 MiB of it
	Version, Profile string
}
