package load

import (
	"errors"
	"fmt"
	"strings"
)

// refusedStream is the error code of a stream that the server has not processed at all (RFC 9113, 7 and 8.7).
const refusedStream = 7

// How net/http words the errors that it has no names for. TestUnprocessedStreamIsSentAgainAndCounted and
// TestConnectionThatGoesAwayTakesNoMore meet them.
const (
	goneAwayText     = "http2: Transport received Server's graceful shutdown GOAWAY"
	goneAwayAtOnce   = "http2: Transport received GOAWAY from server"
	notUsableText    = "http2: client conn not usable"
	neverStartedText = "http2: client conn could not be established"
)

// streamError has the fields of net/http's error of a stream, which errors.As therefore fills in.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string {
	return fmt.Sprintf("stream %d ended with code %d", e.StreamID, e.Code)
}

// unprocessed says whether the server has declared that it did not process the request: by the number of the last
// stream in its GOAWAY, or by refusing the stream.
func unprocessed(err error) bool {
	var s streamError
	if errors.As(err, &s) {
		return s.Code == refusedStream
	}
	return err != nil && (err.Error() == goneAwayText || strings.HasPrefix(err.Error(), goneAwayAtOnce))
}

// neverSent says whether the connection was found closed or going away before the request was written to it.
func neverSent(err error) bool {
	return err != nil && (err.Error() == notUsableText || err.Error() == neverStartedText)
}
