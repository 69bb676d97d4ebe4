package load

import (
	"context"
	"errors"
	"net/http"
	"os"
	"syscall"
)

// Outcome is what became of one request. Every outcome but OK is a lost request.
//
// A server that closes a kept connection between two requests has lost none: nothing had been sent. The next request
// goes out on a new connection, and the Report counts the close as an IdleClose.
type Outcome int

const (
	// OK is a complete 2xx answer, by a release that the Timeline allows.
	OK Outcome = iota
	// Refused means that no connection could be made, that of TLS included, for another reason than time. In a closed loop without a period the
	// connection then pauses for 10 ms.
	Refused
	// Reset means that the connection ended (reset or closed) after the request was sent and before the first byte of
	// an answer. This is what a server does that closes an idle connection just as a request arrives on it.
	Reset
	// Cut means that the answer began and did not end: the connection broke in its middle, or it is not valid HTTP, or
	// it carries no length, so that its end looks the same as a cut.
	Cut
	// Status5xxNginx is a 5xx answer without a version: nginx gave it, not the app.
	Status5xxNginx
	// Status5xxApp is a 5xx answer with the app's version, or any where answers name no version.
	Status5xxApp
	// OtherStatus is an answer that is neither 2xx nor 5xx.
	OtherStatus
	// Timeout means that the answer was not complete in time, or with a rate that no connection was free in time.
	Timeout
	// WrongRelease is a complete 2xx answer by a release that the Timeline does not allow, or by none.
	WrongRelease
	// WrongAnswer is a complete 2xx answer that Config.Check found wrong.
	WrongAnswer

	outcomes = iota
)

var outcomeNames = [outcomes]string{
	"ok", "refused", "reset", "cut", "5xx by nginx", "5xx by app", "other status", "timeout", "wrong release", "wrong answer",
}

// Outcomes returns all outcomes, in the order in which they are reported.
func Outcomes() []Outcome {
	all := make([]Outcome, outcomes)
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// String returns the outcome in words.
func (o Outcome) String() string {
	if o < 0 || o >= outcomes {
		return "unknown outcome"
	}
	return outcomeNames[o]
}

// ofAnswer classifies a complete answer, whose release stands in a header.
func ofAnswer(resp *http.Response, versionHeader string) Outcome {
	switch status := resp.StatusCode; {
	case status >= http.StatusOK && status < http.StatusMultipleChoices:
		return OK
	case status < http.StatusInternalServerError:
		return OtherStatus
	case versionHeader != NoHeader && resp.Header.Get(versionHeader) == "":
		return Status5xxNginx
	default:
		return Status5xxApp
	}
}

// ofConnect classifies a connection that could not be made.
func ofConnect(err error) Outcome {
	if timedOut(err) {
		return Timeout
	}
	return Refused
}

func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// ofError classifies an exchange that failed after its request was written; begun says whether an answer had begun.
func ofError(err error, begun bool) Outcome {
	switch {
	case timedOut(err):
		return Timeout
	case begun:
		return Cut
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused // a connection made elsewhere, of which that is known only now
	default:
		return Reset
	}
}
