package nginx

import (
	"fmt"
	"strings"
)

// Form is what patterns can say of a text, for a schema: whatever a Valid function takes has its form, and some of
// what it refuses has it too. The patterns are those that Go and JavaScript read alike.
type Form struct {
	Pattern string
	Not     string // what must not match; "" none
	Max     int    // characters; 0: any number
}

// The forms of what the Valid functions of the same names take.
var (
	ServiceNameForm   = Form{Pattern: serviceName.String(), Not: `\.\.|\.$|\.conf$`, Max: maxNameLength}
	ProfileNameForm   = Form{Pattern: profileName.String(), Max: maxNameLength}
	ServerNameForm    = Form{Pattern: `^((\*\.)?` + hostLabelText + `(\.` + hostLabelText + `)*(\.\*)?|\[[0-9A-Fa-f:.]+\])$`}
	SizeForm          = Form{Pattern: size.String()}
	PathPrefixForm    = Form{Pattern: pathPrefix.String(), Not: `/\.{1,2}(/|$)|^` + strings.ReplaceAll(acmePath, ".", `\.`) + `(/|$)`, Max: longestPrefix}
	ReleaseHeaderForm = Form{Pattern: headerName.String(), Not: anyCase(ownHeaders, nginxHeaders, "access-control-"), Max: maxNameLength}
	HeaderForm        = Form{Pattern: headerName.String(), Not: anyCase(fixedHeaders, nginxHeaders), Max: maxNameLength}
	HeaderValueForm   = Form{Pattern: `^[!-#%-~]([\t -#%-~]*[!-#%-~])?$`, Max: longestWord - len(`""`)}
	RealmForm         = Form{Pattern: `^[!#%-\[\]-~]([\t !#%-\[\]-~]*[!#%-\[\]-~])?$`, Not: `^off$`, Max: longestWord - len(`""`)}
	ErrorStatusForm   = Form{Pattern: `^\+?0*[45][0-9]{2}$`, Not: fmt.Sprintf(`(499|%d)$`, eventsStatus)}
)

var hostLabelText = strings.Trim(hostLabel.String(), "^$")

// anyCase is a pattern of words, and of what begins with one of the beginnings, in letters of either case.
func anyCase(words []string, beginnings ...string) string {
	var b strings.Builder
	for _, r := range "^(" + strings.Join(words, "$|") + "$|" + strings.Join(beginnings, "|") + ")" {
		if 'a' <= r && r <= 'z' {
			fmt.Fprintf(&b, "[%c%c]", r-'a'+'A', r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
