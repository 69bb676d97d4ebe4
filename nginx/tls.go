package nginx

import (
	"fmt"
	"strings"
)

// TLS is a certificate and what goes with it. Its files are named as they lie in FilesDir.
type TLS struct {
	Certificate, Key string
	Redirect         bool // plain HTTP is answered with a redirect
	HSTS             int  // seconds; 0: none
	Stapling         bool // nginx asks for the certificate's revocation and sends the word along
}

// dockerResolver is Docker's own DNS, in every container of a network that somebody made.
const dockerResolver = "127.0.0.11"

// ciphers of TLS 1.2 with forward secrecy, as Mozilla's "intermediate" advice has them (version 5.7; without DHE, for which
// nginx would need parameters). Those of TLS 1.3 are all good.
var ciphers = strings.Join([]string{
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
	"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
}, ":")

// rejectSince is when nginx could first refuse a handshake (CHANGES).
var rejectSince = []int{1, 19, 4}

// mainTLS is what nginx.conf has of TLS; none when no port is published for it.
func mainTLS(c MainConfig) string {
	if c.HTTPS == 0 {
		return ""
	}
	port := ""
	if c.HTTPS != HTTPSPort {
		port = fmt.Sprintf(":%d", c.HTTPS)
	}
	text := fmt.Sprintf(`
    # TLS as Mozilla's "intermediate" advice has it: all clients of the last ten years, and forward secrecy.
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers %s;
    ssl_prefer_server_ciphers off;
    # Sessions are kept here, not in tickets, whose key would be the same as long as nginx runs.
    ssl_session_cache shared:bluegreen:10m;
    ssl_session_timeout 1d;
    ssl_session_tickets off;
    # Where a redirect leads.
    map '' $bluegreen_https_port {
        default '%s';
    }
`, ciphers, port)
	if !atLeast(c.Version, rejectSince) {
		return text
	}
	return text + fmt.Sprintf(`    # A handshake for a name that no site has is refused: it is shown no other one's certificate.
    server {
        listen %d ssl default_server;
        server_name _;
        ssl_reject_handshake on;
        # A handshake for one name may be followed by a request for another.
        default_type text/plain;
        return 404 "no such service\n";
    }
`, HTTPSPort)
}

// listen are the directives of a server that serves the certificate beside plain HTTP.
func (t *TLS) listen(service string) string {
	if t == nil {
		return ""
	}
	text := fmt.Sprintf("\n    listen %d ssl;\n    ssl_certificate %s;\n    ssl_certificate_key %s;",
		HTTPSPort, quote(FilePath(service, t.Certificate)), quote(FilePath(service, t.Key)))
	if t.Stapling {
		text += "\n    ssl_stapling on;\n    resolver " + dockerResolver + ";"
	}
	return text
}

// CertificateOf is the file of FilesDir that the site of a service shows as its certificate; "" when it has none.
func CertificateOf(have map[string][]byte, service string) string {
	_, rest, ok := strings.Cut(string(have[SitePath(service)]), "\n    ssl_certificate \"")
	if !ok {
		return ""
	}
	file, _, _ := strings.Cut(rest, `"`)
	return strings.TrimPrefix(file, FilesDir(service)+"/")
}

// hstsVariable is empty on plain HTTP, where the header must not be (RFC 6797, 7.2), and nginx sends none that is empty.
func hstsVariable(seconds int) string { return fmt.Sprintf("bluegreen_hsts_%d", seconds) }

// hstsMap may stand in several sites: nginx takes the same map twice.
func hstsMap(seconds int) string {
	return fmt.Sprintf(`
map $https $%s {
    default '';
    on max-age=%d;
}
`, hstsVariable(seconds), seconds)
}

const (
	// WebrootAt is where the folder of the Docker host is in the nginx container, in which an ACME client leaves its answers.
	WebrootAt = "/var/lib/bluegreen/webroot"
	// AcmePath is the file that serves them, relative to Root. A service's name has no + in it.
	AcmePath = "sites/+acme.inc"
	// acmeInclude takes it where it is there.
	acmeInclude = "include sites/+acme*.inc;"
)

// Acme is the text of AcmePath: answers for a certificate authority are for all, also by plain HTTP.
func Acme() string {
	return `# Written by bluegreen. A change made here is lost when nginx is made anew.
location ^~ /.well-known/acme-challenge/ {
    root ` + WebrootAt + `;
    disable_symlinks on from=` + WebrootAt + `; # a link would lead to other files of this container
    types { }
    default_type text/plain;
    auth_basic off;
    allow all;
}
`
}
