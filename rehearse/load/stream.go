package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadStream reads a path's server-sent events until the server ends the stream. The error is nil if the stream ended
// cleanly: with the last chunk of its body, and not inside an event. Events and Last tell what came in either way.
func ReadStream(ctx context.Context, to Target) (Answer, error) {
	return get(ctx, to, (*Answer).readEvents)
}

// readEvents counts events: a blank line ends one that has data.
func (a *Answer) readEvents(body io.Reader) error {
	lines, data := bufio.NewReader(body), ""
	for {
		line, err := lines.ReadString('\n')
		a.Bytes += int64(len(line))
		switch {
		case errors.Is(err, io.EOF) && data+line != "":
			return fmt.Errorf("stream ended inside event %d", a.Events+1)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read stream after %d events: %w", a.Events, err)
		}
		if text, found := strings.CutPrefix(line, "data:"); found {
			data += text
		} else if strings.TrimSpace(line) == "" && data != "" {
			a.Events, a.Last, data = a.Events+1, strings.TrimSpace(data), ""
		}
	}
}
