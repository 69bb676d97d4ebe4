package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// why words a failed connection. The errors of net/http quote the address, and what a server sent, which may be the address
// again: none of their texts is passed on, only what kind of error it is.
func (l limits) why(ctx context.Context, err error) string {
	var (
		timeout net.Error
		name    *net.DNSError
		cert    *tls.CertificateVerificationError
		plain   tls.RecordHeaderError
		number  syscall.Errno
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "interrupted"
	case ctx.Err() != nil:
		return "no good answer in time"
	case errors.As(err, &name):
		return "its host's name cannot be resolved"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %v", l.try)
	case errors.As(err, &cert):
		return "its certificate is not to be trusted"
	case errors.As(err, &plain):
		return "it does not speak TLS"
	case errors.As(err, &number):
		return number.Error()
	}
	return errNoWord.Error()
}

// answered words an answer that is no good one, by its number alone.
func answered(resp *http.Response) string {
	text := fmt.Sprintf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	if resp.StatusCode/100 == 3 {
		text += ", which leads elsewhere and is not followed"
	}
	return text
}
