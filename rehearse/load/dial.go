package load

import (
	"context"
	"net"
)

// dialContext makes a connection to the target: by its own Dial, else by this machine's network, without keep-alive probes,
// which are of no use on loopback and cost three system calls.
func (t Target) dialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if t.Dial != nil {
		return t.Dial(ctx, t.Addr)
	}
	return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", t.Addr)
}
