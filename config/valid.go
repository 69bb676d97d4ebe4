package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

var (
	variable   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	dockerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	folder     = regexp.MustCompile(`^(/[A-Za-z0-9_.-]+)+$`)
	hostHeader = regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
)

func validVariable(s string) error {
	if !variable.MatchString(s) {
		return fmt.Errorf("%q is not a variable's name", s)
	}
	return nil
}

func validDockerName(s string) error {
	if !dockerName.MatchString(s) {
		return fmt.Errorf("%q: letters, digits, '_', '.' and '-' are allowed, the first a letter or digit", s)
	}
	return nil
}

// validFolder takes the full path of a folder in a container, in its one spelling.
func validFolder(s string) error {
	if !folder.MatchString(s) || strings.Contains(s+"/", "/../") || strings.Contains(s+"/", "/./") {
		return fmt.Errorf("%q is not the full path of a folder, like /etc/nginx/bluegreen: letters, digits, '_', '.' and '-' between slashes, and no slash at the end", s)
	}
	return nil
}

func validHostHeader(s string) error {
	if !hostHeader.MatchString(s) {
		return fmt.Errorf("%q is not a host name with or without a port", s)
	}
	return nil
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	return nil
}

// oneOf takes the known texts.
func oneOf(known []string) func(string) error {
	return func(s string) error {
		if !slices.Contains(known, s) {
			return fmt.Errorf("%q is none of %s%s", s, strings.Join(known, ", "), didYouMean(s, known))
		}
		return nil
	}
}

// probes are the ways of asking.
var probes = []string{ProbeHost, ProbeContainer}

// CheckProbe refuses what is none of the ways of asking (ProbeHost, ProbeContainer).
func CheckProbe(s string) error { return oneOf(probes)(s) }

// validPath takes what stands between host and end of line in a request: no fragment, nothing that
// could end a header or a directive.
func validPath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%q must start with /", s)
	}
	bad := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("#;{}\"'`\\", r) }
	if i := strings.IndexFunc(s, bad); i >= 0 {
		return fmt.Errorf("%q: no control characters, spaces, quotes, # ; { } \\ and only ASCII (the rest as %%xx)", s)
	}
	if _, err := url.ParseRequestURI(s); err != nil {
		return fmt.Errorf("%q is not a path: %w", s, errors.Unwrap(err))
	}
	return nil
}

func validImage(s string) error {
	if _, err := reference.ParseAnyReference(s); err != nil {
		return fmt.Errorf("%q is not an image: %w", s, err)
	}
	return nil
}

// validAddress takes an address that something can be published on, in its one canonical spelling: it is compared with
// what another project says.
func validAddress(s string) error {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not an IP address like 127.0.0.1 or ::1", s)
	case a.Zone() != "":
		return fmt.Errorf("%q: an address without a zone is needed", s)
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%q is not an address of one host", s)
	case a.Unmap().String() != s:
		return fmt.Errorf("%q: write it as %s", s, a.Unmap())
	}
	return nil
}

// smallestSubnet leaves room in each half for nginx and a handful of profiles.
const smallestSubnet = 28

func validSubnet(s string) error {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() || p != p.Masked() || p.Bits() > smallestSubnet {
		return fmt.Errorf("%q is not an IPv4 network like 10.77.0.0/20, /%d at the smallest", s, smallestSubnet)
	}
	return nil
}
