package nginx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fixedHeaders are framing or hop by hop (RFC 9110, 7.6.1; RFC 9112), or nginx's own or another key's to give. In lower case.
var fixedHeaders = strings.Fields(`
	connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length content-type content-encoding
	content-range date server location status www-authenticate strict-transport-security`)

// ValidHeader refuses a name that is none of a response header, or of one that is not to be added.
func ValidHeader(s string) error {
	lower := strings.ToLower(s)
	switch {
	case len(s) > maxNameLength || !headerName.MatchString(s):
		return fmt.Errorf("%q is not a header's name: at most %d letters, digits, '-' and '_', the first a letter or digit", s, maxNameLength)
	case lower == "strict-transport-security":
		return fmt.Errorf("%q is tls.hsts's to set", s)
	case slices.Contains(fixedHeaders, lower) || strings.HasPrefix(lower, nginxHeaders):
		return fmt.Errorf("%q is the app's or nginx's own to set", s)
	}
	return nil
}

// longestWord is how long one word of nginx's configuration may be in its quotes, in bytes: nginx has a buffer of 4096 for it.
const longestWord = 4000

// ValidHeaderValue refuses what is no header's value (RFC 9110, 5.5, in ASCII), and a $, which nginx reads as a variable.
func ValidHeaderValue(s string) error {
	bad := func(r rune) bool { return r < ' ' && r != '\t' || r > '~' || r == '$' }
	switch {
	case s == "":
		return errors.New("must not be empty")
	case len(quote(s)) > longestWord:
		return fmt.Errorf("%q… is longer than %d characters (\" and \\ count twice), and nginx reads no longer ones", s[:40], longestWord-len(`""`))
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("%q has spaces around it", s)
	case strings.ContainsFunc(s, bad):
		return fmt.Errorf("%q: only printable ASCII, and no $, which is a variable of nginx's", s)
	}
	return nil
}

// ValidRealm refuses what cannot stand in the quotes of a WWW-Authenticate header.
func ValidRealm(s string) error {
	if err := ValidHeaderValue(s); err != nil {
		return err
	}
	if strings.ContainsAny(s, `"\`) || s == "off" {
		return fmt.Errorf(`%q: no " and no \, and not off`, s)
	}
	return nil
}

// ValidErrorStatus says whether nginx can have a page for the status: there are two that it never sends.
func ValidErrorStatus(status int) bool {
	return status >= 400 && status <= 599 && status != 499 && status != eventsStatus
}
