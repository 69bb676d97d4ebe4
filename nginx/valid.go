package nginx

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// maxNameLength is that of a DNS label: service names become host names on the status listener.
const maxNameLength = 63

var (
	serviceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	profileName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]*$`)
	hostLabel   = regexp.MustCompile(`^([a-zA-Z0-9_][a-zA-Z0-9_-]*)?[a-zA-Z0-9]$`)
	pathPrefix  = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
	size        = regexp.MustCompile(`^([0-9]+)([kKmMgG]?)$`)
)

// ValidServiceName refuses a name that could not stand in a directive, a path and a Host header. The
// error says what is allowed; the caller adds where.
func ValidServiceName(s string) error {
	switch {
	case len(s) > maxNameLength:
		return fmt.Errorf("%q is longer than %d characters", s, maxNameLength)
	case !serviceName.MatchString(s):
		return fmt.Errorf("%q: letters, digits, '_', '.' and '-' are allowed, the first a letter or digit", s)
	case strings.Contains(s, "..") || strings.HasSuffix(s, "."):
		return fmt.Errorf("%q: a dot must be followed by another character than a dot", s)
	case strings.HasSuffix(s, ".conf"):
		return fmt.Errorf("%q: must not end with .conf, nginx would read the service's folder as a site", s)
	}
	return nil
}

// ValidProfileName refuses a name that could not stand in a directive.
func ValidProfileName(s string) error {
	if len(s) > maxNameLength || !profileName.MatchString(s) {
		return fmt.Errorf("%q: at most %d letters, digits, '_' and '-' are allowed, the first a letter or digit", s, maxNameLength)
	}
	return nil
}

// ValidServerName refuses what is not a host name, an address, or a wildcard of nginx's
// (*.example.com, example.*).
func ValidServerName(s string) error {
	switch {
	case strings.HasPrefix(s, "~"):
		return fmt.Errorf("%q: regular expressions are not allowed, only host names and *.example.com", s)
	case strings.ContainsFunc(s, func(r rune) bool { return r > 127 }):
		return fmt.Errorf("%q: write it in punycode (xn--…), as browsers send it", s)
	case bracketedIPv6(s):
		return nil
	case strings.Contains(s, ":"):
		return fmt.Errorf("%q: a name without a port is needed (an IPv6 address in brackets)", s)
	}
	if err := validHost(trimWildcard(s)); err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	return nil
}

func bracketedIPv6(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !ok || !closed {
		return false
	}
	a, err := netip.ParseAddr(inner)
	return err == nil && a.Is6() && a.Zone() == ""
}

func trimWildcard(s string) string {
	if rest, ok := strings.CutPrefix(s, "*."); ok {
		return rest
	}
	return strings.TrimSuffix(s, ".*")
}

func validHost(s string) error {
	if len(s) > 253 {
		return errors.New("longer than 253 characters")
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) > maxNameLength || !hostLabel.MatchString(label) {
			return errors.New("not a host name (like shop.example.com, *.example.com, example.*, localhost)")
		}
	}
	return nil
}

// ValidSize refuses what nginx does not read as a size: digits, with k, m or g after them or not. 0 is
// nginx's word for no limit.
func ValidSize(s string) error {
	m := size.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("%q: not a size like 512k, 100m, 1g (0: no limit)", s)
	}
	unit := map[string]int64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[strings.ToLower(m[2])]
	if n, err := strconv.ParseInt(m[1], 10, 64); err != nil || n > math.MaxInt64/unit {
		return fmt.Errorf("%q: too large", s)
	}
	return nil
}

// longestPrefix is well below the 4 KiB of one word of nginx's configuration.
const longestPrefix = 1000

// ValidPathPrefix refuses what is not a path prefix like /api or /shop/v2: whole segments, without a slash at the end.
func ValidPathPrefix(s string) error {
	switch {
	case s == "/":
		return errors.New(`"/" is every path, and a list is for some of them`)
	case len(s) > longestPrefix:
		return fmt.Errorf("%q… is longer than %d characters", s[:40], longestPrefix)
	case !pathPrefix.MatchString(s):
		return fmt.Errorf("%q is not a path prefix like /api or /shop/v2: letters, digits, '.', '_', '~' and '-' between slashes, and no slash at the end", s)
	case strings.Contains(s+"/", "/./") || strings.Contains(s+"/", "/../"):
		return fmt.Errorf("%q: . and .. mean other paths", s)
	case s == acmePath || strings.HasPrefix(s, acmePath+"/"):
		return fmt.Errorf("%q belongs to certificate authorities (ACME)", s)
	}
	return nil
}

// acmePath is where certificate authorities look for their challenges (RFC 8555, 8.3).
const acmePath = "/.well-known/acme-challenge"
