package nginx

import (
	"fmt"
	"regexp"
	"strconv"
)

// Target is what an include names.
type Target struct {
	Service, Profile string
	Release          int
}

// String is for messages: "shop real1, release 43".
func (t Target) String() string {
	return fmt.Sprintf("%s %s, release %d", t.Service, t.Profile, t.Release)
}

// Group is the name of a profile's upstream group: "shop-real1".
func Group(service, profile string) string { return service + "-" + profile }

// Include is the text of sites/<service>/service-url.inc. It depends on nothing but the target, so equal
// bytes mean that there is nothing to write.
func Include(t Target) string {
	return fmt.Sprintf(`set $service_url http://%s;
set $bluegreen_profile %s;
set $bluegreen_release %d;
`, Group(t.Service, t.Profile), t.Profile, t.Release)
}

// Parked is the text of an include whose service is down, for an nginx whose own configuration still includes it and uses
// what it sets: the server that includes it answers 503.
func Parked(service string) string {
	return fmt.Sprintf(`# Service %s is down. Take the lines that include this file out of nginx's configuration, and run: bluegreen down %[1]s
set $service_url "";
set $bluegreen_profile "";
set $bluegreen_release "";
return 503;
`, service)
}

var includeProfile = regexp.MustCompile(`\nset \$bluegreen_profile (\S+);\nset \$bluegreen_release (\d+);\n$`)

// ParseInclude reads an include back; service tells which group name to expect. Whatever Include would
// not have written is an error: a person's edit is not to be understood by half.
func ParseInclude(service, text string) (Target, error) {
	m := includeProfile.FindStringSubmatch(text)
	if m == nil {
		return Target{}, fmt.Errorf("read include of %s: not written by bluegreen: %q", service, text)
	}
	release, err := strconv.Atoi(m[2])
	if err != nil {
		return Target{}, fmt.Errorf("read include of %s: release %s: %w", service, m[2], err)
	}
	t := Target{Service: service, Profile: m[1], Release: release}
	if ValidProfileName(t.Profile) != nil || Include(t) != text {
		return Target{}, fmt.Errorf("read include of %s: not written by bluegreen: %q", service, text)
	}
	return t, nil
}
