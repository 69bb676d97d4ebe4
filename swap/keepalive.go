package swap

import (
	"context"
	"fmt"

	"bluegreen/nginx"
)

// asked is the answer to a question that costs a command, and that not every command asks.
type asked int

const (
	unasked asked = iota // or nobody could answer
	yes
	no
)

// askKeepalive asks an adopted nginx that has keepalive_min_timeout whether its configuration uses it. Nginx does not say while
// it refuses that, as before the first deploy, which makes what it includes.
func (j *job) askKeepalive(ctx context.Context) {
	if !j.adopted() || !j.obs.NginxRuns() || !nginx.SupportsKeepaliveMinTimeout(j.obs.nginxVersion) || j.obs.keepalive != unasked {
		return
	}
	dump, err := nginx.ReadDump(ctx, place{j}, j.ownConf)
	if err != nil {
		return
	}
	j.obs.keepalive = no
	if set, zero := dump.KeepaliveMinTimeout(); set && len(zero) == 0 {
		j.obs.keepalive = yes
	}
}

// warnSeen says what could only be asked of an adopted nginx once it had its files.
func (j *job) warnSeen(ctx context.Context) {
	if j.obs.keepalive == unasked {
		if j.askKeepalive(ctx); j.obs.keepalive == no {
			j.note("warning: " + unkept(j.names.nginx))
		}
	}
}

func unkept(container string) string {
	return fmt.Sprintf("%s does not set keepalive_min_timeout for all its servers: each reload resets busy keep-alive connections, and a swap loses requests. Add `keepalive_min_timeout %ds;` to its http block.",
		container, int(nginx.KeepaliveMinTimeout.Seconds()))
}
