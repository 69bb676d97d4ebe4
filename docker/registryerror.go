package docker

import (
	"fmt"
	"strings"
	"time"
)

// Refusal is why a registry gave no image, as far as the engine's words tell.
type Refusal string

// The refusals.
const (
	NeedsLogin Refusal = "needs login" // it wants a login, and refused the one it got, or got none
	NoSuch     Refusal = "no such image"
	NotFor     Refusal = "not for this platform"
	TooMany    Refusal = "too many pulls"
	Plain      Refusal = "no TLS" // it answers without TLS, which the engine takes from loopback only
	Stalled    Refusal = "stalled"
	Otherwise  Refusal = "other"
)

// RegistryError says that a registry gave no image: which, why, and whether docker has a login for it.
type RegistryError struct {
	Image    string
	Registry string // as `docker login` takes it, or "Docker Hub"
	Why      Refusal
	Login    bool          // docker has a login for this registry
	Silence  time.Duration // of Stalled: how long nothing came
	Here     []string      // what the engine has of the same repository, by other tags
	Err      error         // the engine's words; nil for Stalled
}

// Error says what happened, in a person's words before the engine's.
func (e *RegistryError) Error() string {
	what := "pull image " + e.Image + ": "
	switch e.Why {
	case NeedsLogin:
		what += fmt.Sprintf("the registry (%s) wants a login, and docker has none for it here", e.Registry)
		if e.Login {
			what = fmt.Sprintf("pull image %s: the registry (%s) refuses the login that docker has for it", e.Image, e.Registry)
		}
	case NoSuch:
		what += fmt.Sprintf("the registry (%s) has no such image", e.Registry)
	case NotFor:
		what += fmt.Sprintf("the registry (%s) has it for other platforms only", e.Registry)
	case TooMany:
		what += fmt.Sprintf("the registry (%s) has counted too many pulls", e.Registry)
	case Plain:
		what += fmt.Sprintf("the registry (%s) speaks no TLS", e.Registry)
	case Stalled:
		return what + fmt.Sprintf("the registry (%s) stalls: nothing came for %v", e.Registry, e.Silence)
	default:
		what += "registry " + e.Registry
	}
	return what + ": " + e.Err.Error()
}

func (e *RegistryError) Unwrap() error { return e.Err }

// Remedy is what a person does about it, to be followed by running the command again; "" when only the cause tells.
func (e *RegistryError) Remedy() string {
	switch e.Why {
	case TooMany:
		return login{registry: e.Registry}.command()
	case NeedsLogin:
		hint := login{registry: e.Registry}.command()
		if e.Registry == hubName { // a name without a registry may well be that of an image made on the host
			hint += e.here()
		}
		return hint
	case NoSuch:
		hint := "check name and tag (is it pushed?" + e.here() + ")"
		if !e.Login {
			hint += "; if it is private: " + login{registry: e.Registry}.command()
		}
		return hint
	case NotFor:
		return "push it for this host's platform, or name one with compose's `platform`"
	case Plain:
		return fmt.Sprintf("give the registry a certificate, or add %q to insecure-registries in the engine's daemon.json", e.Registry)
	case Stalled:
		return "look at the registry and the way to it; docker pull " + e.Image + " tries by hand"
	case Otherwise:
		if here := e.here(); here != "" { // most likely an image that is made on the host, with a tag that it does not have
			return "mend the way to the registry; or, if the image is made on the host, check its tag" + here
		}
	}
	return ""
}

// hereAtMost is how many tags a message names.
const hereAtMost = 5

// here says what the host has of the repository.
func (e *RegistryError) here() string {
	if len(e.Here) == 0 {
		return ""
	}
	return "; of this repository the host has " + strings.Join(e.Here[:min(len(e.Here), hereAtMost)], ", ")
}

// refusalWords are the words of engines (20.10 to 28) and registries, in the order in which they are looked for: of a
// private repository, Docker Hub says that it does not exist or may require a login.
var refusalWords = []struct {
	why   Refusal
	words []string
}{
	{TooMany, []string{"toomanyrequests", "too many requests", "rate limit"}},
	{NeedsLogin, []string{
		"no basic auth credentials", "unauthorized", "authentication required", "denied", "forbidden",
		"may require 'docker login'", "incorrect username or password", "token has expired",
	}},
	{NotFor, []string{"no matching manifest for", "no match for platform"}},
	{NoSuch, []string{"manifest unknown", "name unknown", "not found", "does not exist"}},
	{Plain, []string{"server gave http response to https client"}},
}

// refusalOf reads the engine's words, the image's own name left out; a file that the engine may not write is no refusal.
func refusalOf(ref string, err error) Refusal {
	text := strings.ToLower(strings.NewReplacer(ref, "", "permission denied", "").Replace(err.Error()))
	for _, r := range refusalWords {
		for _, w := range r.words {
			if strings.Contains(text, w) {
				return r.why
			}
		}
	}
	return Otherwise
}
