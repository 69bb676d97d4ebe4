package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// PullWhen says when an image is fetched from its registry.
type PullWhen string

// The pull policies, in compose's words. The first three are also those of `docker run --pull`.
const (
	PullMissing PullWhen = types.PullPolicyMissing // when the host does not have it
	PullAlways  PullWhen = types.PullPolicyAlways
	PullNever   PullWhen = types.PullPolicyNever
	PullBuild   PullWhen = types.PullPolicyBuild   // never: somebody builds it on the host
	PullRefresh PullWhen = types.PullPolicyRefresh // when it got its tag here long ago, or the engine does not tell
)

// flagPolicies are what --pull takes.
var flagPolicies = []string{string(PullAlways), string(PullMissing), string(PullNever)}

// Pull is a pull policy.
type Pull struct {
	When  PullWhen
	After time.Duration // of PullRefresh: how old the tag may be
}

// PullPolicy reads a service's pull_policy and pull_refresh_after; daily, weekly and every_<duration> are PullRefresh.
func PullPolicy(s types.ServiceConfig) (Pull, error) {
	if f := checkPull(s); f != nil {
		return Pull{}, fmt.Errorf("%s: %s", join(f.at), f.what)
	}
	p, _ := pullPolicy(s)
	return p, nil
}

func pullPolicy(s types.ServiceConfig) (Pull, error) {
	if s.PullPolicy == types.PullPolicyRefresh {
		s.PullPolicy = "every_" + s.PullRefreshAfter
	}
	when, after, err := s.GetPullPolicy()
	if when == types.PullPolicyIfNotPresent {
		when = types.PullPolicyMissing
	}
	return Pull{When: PullWhen(when), After: after}, err
}

// checkPull refuses what no pull can honour; its place is relative to the service.
func checkPull(s types.ServiceConfig) *fault {
	refresh := s.PullPolicy == types.PullPolicyRefresh
	switch {
	case refresh && s.PullRefreshAfter == "":
		return &fault{at: []string{"pull_policy"}, what: "refresh does not say after what time", do: "Add pull_refresh_after: 24h, or write daily, weekly or every_12h."}
	case !refresh && s.PullRefreshAfter != "":
		return &fault{at: []string{"pull_refresh_after"}, what: "has a meaning with `pull_policy: refresh` only", do: "Set that, or take it out."}
	}
	p, err := pullPolicy(s)
	switch {
	case (err != nil || p.After < 0) && refresh:
		return &fault{at: []string{"pull_refresh_after"}, what: fmt.Sprintf("%q is not a duration", s.PullRefreshAfter), do: "Write one like 12h or 7d."}
	case err != nil || p.After < 0: // too long to be counted
		return &fault{at: []string{"pull_policy"}, what: fmt.Sprintf("%q is no pull policy", s.PullPolicy), do: "Write always, missing, never, build, daily, weekly or every_12h."}
	}
	return nil
}

// setPull decides on the pull policy: the flag's, else compose's.
func setPull(s *Service, flag string) *fault {
	if flag != "" {
		if !slices.Contains(flagPolicies, flag) {
			return flagFault("--pull "+flag, "no such policy", "Give one of "+strings.Join(flagPolicies, ", ")+".")
		}
		s.Compose.PullPolicy, s.Compose.PullRefreshAfter = flag, ""
	}
	if f := checkPull(s.Compose); f != nil {
		return f.under("services", s.Compose.Name)
	}
	return nil
}
