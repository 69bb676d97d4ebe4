package config

import (
	"fmt"
	"slices"
	"strings"
)

// Probe says from where bluegreen asks profiles and nginx; "": found out.
type Probe string

// From this machine's loopback, where the profiles' ports are published when the engine is here; or from inside the nginx
// container, at the addresses that nginx itself uses.
const (
	ProbeHost      Probe = "host"
	ProbeContainer Probe = "container"
)

func validProbe(s string) error {
	known := []string{string(ProbeHost), string(ProbeContainer)}
	if !slices.Contains(known, s) {
		return fmt.Errorf("%q is none of %s%s", s, strings.Join(known, ", "), didYouMean(s, known))
	}
	return nil
}

// CheckProbe refuses, with an *Error, what --probe cannot be; "" is not looked at.
func CheckProbe(s string) error {
	if s == "" {
		return nil
	}
	if err := validProbe(s); err != nil {
		return &Error{Where: "--probe", What: err.Error(), err: err}
	}
	return nil
}
