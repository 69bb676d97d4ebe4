package config

import (
	"strings"

	"github.com/distribution/reference"

	"bluegreen/nginx"
)

// What patterns can say of the texts that the functions in valid.go take.
var (
	notEmptyForm   = nginx.Form{Pattern: `[\s\S]`}
	variableForm   = nginx.Form{Pattern: variable.String()}
	dockerNameForm = nginx.Form{Pattern: dockerName.String()}
	folderForm     = nginx.Form{Pattern: folder.String(), Not: `/\.{1,2}(/|$)`}
	hostHeaderForm = nginx.Form{Pattern: hostHeader.String()}
	fileForm       = nginx.Form{Pattern: `^[^\x00-\x1f\x7f]+$`}
	pathForm       = nginx.Form{Pattern: `^/(` + pathCharacter + `|%[0-9A-Fa-f]{2})*(\?(` + pathCharacter + `|[%?])*)?$`}
	imageForm      = nginx.Form{Pattern: strings.ReplaceAll(reference.ReferenceRegexp.String(), "[[:xdigit:]]", "[0-9A-Fa-f]")}
	addressForm    = nginx.Form{Pattern: `^(` + ipv4 + `|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*)$`, Not: `^(2(2[4-9]|3[0-9])\.|255\.255\.255\.255$|ff[0-9a-f]{2}:)`}
	subnetForm     = nginx.Form{Pattern: `^` + ipv4 + `/([0-9]|1[0-9]|2[0-8])$`}
	allowedForm    = nginx.Form{Pattern: `^(` + ipv4 + `(/([0-9]|[12][0-9]|3[0-2]))?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?)$`}
)

const (
	pathCharacter = `[!$&(-:<->@-[\]^_a-z|~]` // printable ASCII but for # ; { } \ quotes, % and ?
	ipv4          = `(` + octet + `\.){3}` + octet
	octet         = `(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
)
