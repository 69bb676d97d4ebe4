package nginx

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeepaliveMinTimeout is how long a retired worker keeps idle keep-alive connections. Clients whose own
// period equals it meet the closing at the same instant, so it is no period that people choose.
const KeepaliveMinTimeout = 13 * time.Second

var (
	keepaliveMinTimeoutSince = []int{1, 27, 4} // nginx's CHANGES, as the next one
	http2SwitchSince         = []int{1, 25, 1}
	versionLine              = regexp.MustCompile(`nginx version: (?:nginx|openresty)/(\d+(?:\.\d+)+)`)
)

// Version asks the nginx binary of an image or container ("1.30.6").
func Version(ctx context.Context, p Place) (string, error) {
	r, err := p.Run(ctx, []string{"nginx", "-v"})
	if err != nil {
		return "", fmt.Errorf("ask nginx for its version: %w", err)
	}
	if notRunnable(r.ExitCode) {
		return "", fmt.Errorf("ask nginx for its version: no nginx there: %s", r.output())
	}
	m := versionLine.FindStringSubmatch(r.Stderr + r.Stdout)
	if m == nil {
		return "", fmt.Errorf("ask nginx for its version: not an answer of nginx: %q", r.output())
	}
	return m[1], nil
}

// SupportsKeepaliveMinTimeout says whether an nginx of that version ("1.30.6") has
// keepalive_min_timeout: 1.27.4 and later. A version it cannot read has not.
func SupportsKeepaliveMinTimeout(version string) bool {
	return atLeast(version, keepaliveMinTimeoutSince)
}

// SupportsHTTP2Switch says whether an nginx of that version ("1.30.6") has the directive http2, with which one port
// serves HTTP/1.1 and HTTP/2 without TLS: 1.25.1 and later. (Before, a plain port spoke only the one or the other.) A
// version it cannot read has not.
func SupportsHTTP2Switch(version string) bool { return atLeast(version, http2SwitchSince) }

func atLeast(version string, since []int) bool {
	var have []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		have = append(have, n)
	}
	return slices.Compare(have, since) >= 0
}
