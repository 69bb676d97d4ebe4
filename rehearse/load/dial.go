package load

import (
	"context"
	"net"
)

// dial makes a connection: by the target's own Dial, else by this machine, without keep-alive probes, which are of no use on
// loopback and cost three system calls.
func (t Target) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if t.Dial != nil {
		return t.Dial(ctx, network, address)
	}
	return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
}
