package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"pgregory.net/rapid"

	"bluegreen/nginx"
)

func TestLoad_RefusesKeysOfTheSite(t *testing.T) {
	const named = "server_names: [shop.example.com]\n"
	for _, b := range []bad{
		{name: "tls is a text", section: "tls: on", where: "compose.yaml:6: " + webSection + ".tls", what: "section"},
		{name: "no key", section: named + "tls: {certificate: a.pem}", where: "compose.yaml:7: " + webSection + ".tls", what: "needs both certificate and key"},
		{name: "no names", section: "tls: {certificate: a.pem, key: a.key}", where: "compose.yaml:6: " + webSection + ".tls", what: "needs server_names", do: "Add server_names"},
		{name: "an unknown key", section: named + "tls: {cert: a.pem}", where: "compose.yaml:7: " + webSection + ".tls.cert", what: "unknown key"},
		{name: "redirect is a port", section: named + "tls: {certificate: a.pem, key: a.key, redirect: 443}", where: "compose.yaml:7: " + webSection + ".tls.redirect", what: "true or false"},
		{name: "hsts without a unit", section: named + "tls: {certificate: a.pem, key: a.key, hsts: 31536000}", where: "compose.yaml:7: " + webSection + ".tls.hsts", what: "31536000"},
		{name: "hsts of a moment", section: named + "tls: {certificate: a.pem, key: a.key, hsts: 10ms}", where: "compose.yaml:7: " + webSection + ".tls.hsts", what: "not between 1s and"},
		{name: "hsts without an end", section: named + "tls: {certificate: a.pem, key: a.key, hsts: 99999h}", where: "compose.yaml:7: " + webSection + ".tls.hsts", what: "not between 1s and"},
		{name: "a path with a line in it", section: named + `tls: {certificate: "a\n.pem", key: a.key}`, where: "compose.yaml:7: " + webSection + ".tls.certificate", what: "not a file's name"},
		{name: "an empty path", section: named + `tls: {certificate: "", key: a.key}`, where: "compose.yaml:7: " + webSection + ".tls.certificate", what: "empty"},

		{name: "headers in a list", section: "headers: [X-A]", where: "compose.yaml:6: " + webSection + ".headers", what: "section of headers"},
		{name: "a header that ends a directive", section: `headers: {"X-A; return 500": x}`, where: "compose.yaml:6: " + webSection + ".headers.X-A; return 500", what: "not a header's name"},
		{name: "a header that is nginx's", section: "headers: {Connection: close}", where: "compose.yaml:6: " + webSection + ".headers.Connection", what: "to set"},
		{name: "a header that is another key's", section: "headers: {strict-transport-security: x}", where: "compose.yaml:6: " + webSection + ".headers.strict-transport-security", what: "tls.hsts"},
		{name: "a header of two cases", section: "headers: {X-A: a, x-a: b}", where: "compose.yaml:6: " + webSection + ".headers.x-a", what: "twice"},
		{name: "a value with a variable", section: `headers: {X-A: "$$host"}`, where: "compose.yaml:6: " + webSection + ".headers.X-A", what: "no $"},
		{name: "a value with a line in it", section: `headers: {X-A: "a\r\nX-B: c"}`, where: "compose.yaml:6: " + webSection + ".headers.X-A", what: "printable"},
		{name: "an empty value", section: `headers: {X-A: ""}`, where: "compose.yaml:6: " + webSection + ".headers.X-A", what: "must not be empty"},
		{name: "a value that nginx could not read", section: `headers: {X-A: "` + strings.Repeat("x", 3999) + `"}`, where: "compose.yaml:6: " + webSection + ".headers.X-A", what: "longer than 3998 characters"},
		{name: "a header that is the release's", section: "release_header: X-Release\nheaders: {x-release: a}", where: "compose.yaml:7: " + webSection + ".headers.x-release", what: "release_header"},

		{name: "no file of passwords", section: "basic_auth: {realm: a}", where: "compose.yaml:6: " + webSection + ".basic_auth", what: "needs a file", do: "htpasswd"},
		{name: "a realm that ends its quotes", section: `basic_auth: {file: a, realm: 'a"b'}`, where: "compose.yaml:6: " + webSection + ".basic_auth.realm", what: "no \""},
		{name: "a realm that turns it off", section: `basic_auth: {file: a, realm: "off"}`, where: "compose.yaml:6: " + webSection + ".basic_auth.realm", what: "not off"},
		{name: "nobody is allowed", section: "allow: []", where: "compose.yaml:6: " + webSection + ".allow"},
		{name: "a host's name", section: "allow: [office.example.com]", where: "compose.yaml:6: " + webSection + ".allow[0]", what: "not an address or a network"},
		{name: "a network with host bits", section: "allow: [10.1.2.3/8]", where: "compose.yaml:6: " + webSection + ".allow[0]", what: "10.0.0.0/8"},
		{name: "an address that ends a directive", section: `allow: ["10.0.0.1; return 500"]`, where: "compose.yaml:6: " + webSection + ".allow[0]", what: "not an address"},
		{name: "an address of an interface", section: `allow: ["fe80::1%eth0"]`, where: "compose.yaml:6: " + webSection + ".allow[0]", what: "not an address"},
		{name: "gzip is a level", section: "gzip: 6", where: "compose.yaml:6: " + webSection + ".gzip", what: "true or false"},
		{name: "buffering is a size", section: "buffering: 8k", where: "compose.yaml:6: " + webSection + ".buffering", what: "true or false"},
		{name: "pages in a list", section: "error_pages: [a.html]", where: "compose.yaml:6: " + webSection + ".error_pages", what: "section of pages"},
		{name: "a page for what is no error", section: `error_pages: {"200": a.html}`, where: "compose.yaml:6: " + webSection + ".error_pages[200]", what: "400 to 599"},
		{name: "a page for a status that is none", section: `error_pages: {"5xx": a.html}`, where: "compose.yaml:6: " + webSection + ".error_pages.5xx", what: "400 to 599"},
		{name: "grpc is a text", section: "grpc: /shop.Orders", where: "compose.yaml:6: " + webSection + ".grpc", what: "a list of paths"},
		{name: "grpc of nothing", section: "grpc: []", where: "compose.yaml:6: " + webSection + ".grpc", what: "no path", do: "grpc: true"},
		{name: "grpc of a path that ends a directive", section: `grpc: ["/a\" { }"]`, where: "compose.yaml:6: " + webSection + ".grpc[0]"},
		{name: "grpc beside the paths", section: "paths: [/api]\ngrpc: [/shop.Orders]", where: "compose.yaml:7: " + webSection + ".grpc[0]", what: "below none of the service's paths"},
		{name: "maintenance is on", section: "maintenance: true", where: "compose.yaml:6: " + webSection + ".maintenance", what: "section"},
		{name: "no time to come back", section: "maintenance: {retry_after: 0s}", where: "compose.yaml:6: " + webSection + ".maintenance.retry_after", what: "not between 1s and"},
		{name: "https is nginx's other port", text: "x-bluegreen: {nginx: {http: 8443, https: 8443}}\n" + minimal, where: "compose.yaml:1: x-bluegreen.nginx.https", what: "8443"},
		{name: "https is no port", text: "x-bluegreen: {nginx: {https: 70000}}\n" + minimal, where: "compose.yaml:1: x-bluegreen.nginx.https", what: "between 1 and 65535"},
		{name: "a relative webroot", text: "x-bluegreen: {nginx: {webroot: acme}}\n" + minimal, where: "compose.yaml:1: x-bluegreen.nginx.webroot", what: "acme"},
		{name: "a site on somebody else's nginx", text: "x-bluegreen: {nginx: {container: mine}}\n" + strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen: {gzip: true}", 1),
			where: "compose.yaml:1: x-bluegreen.nginx.container", what: "keys for a site of bluegreen's own", do: "server block"},
	} {
		t.Run(b.name, b.run)
	}
}

func TestLoad_EveryKeyOfTheSite(t *testing.T) {
	section := `server_names: [shop.example.com]
tls: {certificate: a.pem, key: a.key, redirect: false, hsts: 4320h}
headers: {X-A: "a b"}
basic_auth: {file: users, realm: office}
allow: [10.0.0.0/8]
gzip: true
snippet: extra.inc
error_pages: {"502": a.html}
grpc: [/shop.Orders]
buffering: false
maintenance: {page: b.html, retry_after: 10m}`
	equal(t, "site", load(t, Options{Dir: files(t, "compose.yaml", one(section)), NoDeploy: true}).Web, Web{
		TLS:     &TLS{Certificate: File{Path: "a.pem"}, Key: File{Path: "a.key"}, HSTS: 4320 * 3600},
		Headers: map[string]string{"X-A": "a b"}, BasicAuth: &BasicAuth{File: File{Path: "users"}, Realm: "office"},
		Allow: []string{"10.0.0.0/8"}, Gzip: true, Snippet: &File{Path: "extra.inc"}, ErrorPages: map[int]*File{502: {Path: "a.html"}},
		GRPC: &GRPC{Paths: []string{"/shop.Orders"}}, Unbuffered: true, Maintenance: &Maintenance{Page: &File{Path: "b.html"}, RetryAfter: 600},
	})
	bare := "server_names: [shop.example.com]\ntls: {certificate: a, key: b}\nbasic_auth: {file: c}\ngrpc: true\nbuffering: true\nmaintenance: {}"
	equal(t, "defaults", load(t, Options{Dir: files(t, "compose.yaml", one(bare)), NoDeploy: true}).Web, Web{
		TLS:       &TLS{Certificate: File{Path: "a"}, Key: File{Path: "b"}, Redirect: true},
		BasicAuth: &BasicAuth{File: File{Path: "c"}, Realm: DefaultRealm}, GRPC: &GRPC{}, Maintenance: &Maintenance{},
	})
	equal(t, "no gRPC", load(t, Options{Dir: files(t, "compose.yaml", one("grpc: false")), NoDeploy: true}).Web.GRPC, (*GRPC)(nil))
}

// signer is a key with what is signed by it.
type signer struct {
	key         crypto.Signer
	certificate *x509.Certificate
	text        string // PEM
}

// issued is a certificate by an issuer; nil: by itself.
func issued(t *testing.T, by *signer, key crypto.Signer, edit func(*x509.Certificate)) *signer {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "shop.example.com"}, DNSNames: []string{"shop.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(c)
	}
	s := &signer{key: key}
	if by == nil {
		by = &signer{key: key, certificate: c}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	s.text = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return s
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemKey(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage, c.Subject.CommonName, c.DNSNames = true, x509.KeyUsageCertSign, "An Authority", nil
}

const secure = "server_names: [shop.example.com]\ntls: {certificate: tls/a.pem, key: tls/a.key}"

// withFiles writes a compose file and the files of its site.
func withFiles(t *testing.T, section, certificate, key string) string {
	t.Helper()
	return files(t, "compose.yaml", one(section), "tls/a.pem", certificate, "tls/a.key", key)
}

func TestLoad_RefusesACertificateThatClientsOrNginxWouldRefuse(t *testing.T) {
	key, other := ecKey(t), ecKey(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	root := issued(t, nil, other, authority)
	own := issued(t, root, key, nil)
	with := func(edit func(*x509.Certificate)) string { return issued(t, root, key, edit).text }
	good := pemKey(t, key)
	for name, c := range map[string]struct{ certificate, key, section, where, what string }{
		"expired":               {certificate: with(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), where: "certificate", what: "expired on"},
		"not yet":               {certificate: with(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), where: "certificate", what: "counts only from"},
		"another name":          {certificate: with(func(c *x509.Certificate) { c.DNSNames = []string{"www.example.com"} }), where: "certificate", what: "is not for shop.example.com (it is for www.example.com)"},
		"a name in the subject": {certificate: with(func(c *x509.Certificate) { c.DNSNames = nil }), where: "certificate", what: "is not for shop.example.com"},
		"a wildcard above":      {certificate: with(func(c *x509.Certificate) { c.DNSNames = []string{"*.com"} }), where: "certificate", what: "is not for"},
		"a wildcard's server": {certificate: with(nil), section: strings.Replace(secure, "[shop.example.com]", `["*.example.com"]`, 1),
			where: "certificate", what: "is not for *.example.com"},
		"not for servers":   {certificate: with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), where: "certificate", what: "not for servers"},
		"issuer first":      {certificate: root.text + own.text, where: "key", what: "is not the first"},
		"somebody's issuer": {certificate: own.text + issued(t, nil, ecKey(t), authority).text, where: "certificate", what: "did not sign"},
		"a damaged issuer":  {certificate: own.text + strings.Replace(root.text, "\n", "\n!", 5), where: "certificate", what: "2 begin in it, and 1 are whole"},
		"cut in the middle": {certificate: own.text + root.text[:len(root.text)/2], where: "certificate", what: "2 begin in it, and 1 are whole"},
		"with its key":      {certificate: own.text + good, where: "certificate", what: "holds a private key too"},
		"no PEM":            {certificate: "hello", where: "certificate", what: "no certificate in PEM"},
		"damaged":           {certificate: strings.Replace(own.text, "M", "N", 3), where: "certificate"},
		"the key":           {certificate: good, where: "certificate", what: "no certificate in PEM"},
		"empty":             {certificate: "", where: "certificate", what: "is empty"},
		"too large":         {certificate: own.text + strings.Repeat("#", largestFile), where: "certificate", what: "larger than"},

		"another key":      {certificate: own.text, key: pemKey(t, ecKey(t)), where: "key", what: "not the key of the certificate"},
		"no key":           {certificate: own.text, key: own.text, where: "key", what: "no private key in PEM"},
		"a damaged key":    {certificate: own.text, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", where: "key", what: "cannot be read"},
		"an encrypted":     {certificate: own.text, key: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", where: "key", what: "is encrypted"},
		"encrypted of old": {certificate: own.text, key: "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n", where: "key", what: "is encrypted"},
		"a weak one":       {certificate: issued(t, nil, weak, nil).text, key: pemKey(t, weak), where: "key", what: "1024 bits"},
	} {
		t.Run(name, func(t *testing.T) {
			b := c
			if b.key == "" {
				b.key = good
			}
			if b.section == "" {
				b.section = secure
			}
			for _, o := range []Options{{}, {NoDeploy: true, SiteFiles: true}} {
				o.Dir = withFiles(t, b.section, b.certificate, b.key)
				_, err := Load(t.Context(), o)
				if err == nil || !strings.HasPrefix(err.Error(), "compose.yaml:7: "+webSection+".tls."+b.where+": tls/a.") || !strings.Contains(err.Error(), b.what) {
					t.Errorf("%v", err)
				}
				for line := range strings.Lines(b.key) {
					if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") && err != nil && strings.Contains(err.Error(), line) {
						t.Errorf("the key is told: %v", err)
					}
				}
			}
			if _, err := Load(t.Context(), Options{Dir: withFiles(t, b.section, b.certificate, b.key), NoDeploy: true}); err != nil {
				t.Errorf("a command that needs no files: %v", err)
			}
		})
	}
}

func TestLoad_RefusesFilesThatCannotBeRead(t *testing.T) {
	own := issued(t, nil, ecKey(t), nil)
	dir := withFiles(t, secure, own.text, "")
	if err := os.Remove(filepath.Join(dir, "tls/a.key")); err != nil {
		t.Fatal(err)
	}
	check := func(what string) {
		t.Helper()
		if _, err := Load(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), webSection+".tls.key: ") || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q: %v", what, err)
		}
	}
	check("cannot read " + filepath.Join(dir, "tls/a.key") + ": no such file")
	if err := os.Mkdir(filepath.Join(dir, "tls/a.key"), 0o700); err != nil {
		t.Fatal(err)
	}
	check("is not a file")
	if err := errors.Join(os.Remove(filepath.Join(dir, "tls/a.key")), syscall.Mkfifo(filepath.Join(dir, "tls/a.key"), 0o600)); err != nil {
		t.Fatal(err)
	}
	check("is not a file") // and is not waited for
	for name, text := range map[string]string{
		"a password as it is typed": "ann:secret\n", "no hash": "ann:\n", "no name": ":$2y$05$abcdefghijklmnopqrstuu4h2R.N3/mVBA7Xh7aLzKSJDAsK61n52\n", "comments alone": "# ann\n\n",
	} {
		_, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", one("basic_auth: {file: staff}"), "staff", text)})
		if err == nil || !strings.Contains(err.Error(), webSection+".basic_auth.file: staff: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, key := range []string{"snippet: extra", `error_pages: {"502": extra}`, "maintenance: {page: extra}"} {
		if _, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", one(key), "extra", "\xff\xfe\x00")}); err == nil || !strings.Contains(err.Error(), "not a text in UTF-8") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// What an ACME client keeps is links to the newest files; a chain, a wildcard and names in capitals are as good as any.
func TestLoad_TakesCertificates(t *testing.T) {
	root, key := issued(t, nil, ecKey(t), authority), ecKey(t)
	middle := issued(t, root, ecKey(t), authority)
	for name, names := range map[string][]string{
		"the name": {"shop.example.com"}, "a wildcard": {"*.example.com"}, "several": {"example.com", "SHOP.example.com"},
	} {
		own := issued(t, middle, key, func(c *x509.Certificate) { c.DNSNames, c.OCSPServer = names, []string{"http://ocsp.example.com"} })
		dir := withFiles(t, strings.Replace(secure, "tls/a", "live/a", 2), "", "")
		if err := os.Mkdir(filepath.Join(dir, "live"), 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"a.pem": own.text + middle.text, "a.key": pemKey(t, key)} {
			err := os.WriteFile(filepath.Join(dir, "tls", file), []byte(text), 0o600)
			if err == nil {
				err = os.Symlink("../tls/"+file, filepath.Join(dir, "live", file))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s, err := Load(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !s.Web.TLS.Stapling || !s.Web.TLS.Redirect || len(s.Contents) != 2 || len(s.Warnings) != 0 {
			t.Errorf("%s: %+v, %d files, %q", name, s.Web.TLS, len(s.Contents), s.Warnings)
		}
		for _, c := range s.Contents {
			if text := c.String() + c.GoString(); strings.Contains(text, "BEGIN") {
				t.Errorf("shown as %s", text)
			}
		}
	}
}

func TestLoad_WarnsOfACertificateThatExpiresSoonOrComesAlone(t *testing.T) {
	root, key := issued(t, nil, ecKey(t), authority), ecKey(t)
	for want, edit := range map[string]func(*x509.Certificate){
		"expires on ":                 func(c *x509.Certificate) { c.NotAfter = time.Now().Add(13 * 24 * time.Hour) },
		"holds the certificate alone": func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.example.com/ca.der"} },
	} {
		s, err := Load(t.Context(), Options{Dir: withFiles(t, secure, issued(t, root, key, edit).text, pemKey(t, key))})
		if err != nil || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], want) {
			t.Errorf("want %q: %+v, %v", want, s, err)
		}
	}
}

// Whatever stands in the keys of a site, nothing comes out of them that could end or bend a directive.
func TestDecode_NothingOfTheSiteEndsADirective(t *testing.T) {
	nasty := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`/?[a-zA-Z.0-9:-]{0,8}[;{}"'\n\r\x00 $#\\/%]?[a-z0-9]{0,4}`),
		rapid.SampledFrom([]string{"X-Frame-Options", "DENY", "10.0.0.0/8", "::1", "/shop.Orders", "502"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		header, value, realm, allowed, path, status := nasty.Draw(t, "header"), nasty.Draw(t, "value"), nasty.Draw(t, "realm"), nasty.Draw(t, "allow"), nasty.Draw(t, "grpc"), nasty.Draw(t, "status")
		section := map[string]any{
			"headers": map[string]any{header: value}, "basic_auth": map[string]any{"file": "a", "realm": realm}, "allow": []any{allowed},
			"grpc": []any{path}, "error_pages": map[string]any{status: "a.html"},
		}
		for _, key := range []string{"headers", "basic_auth", "allow", "grpc", "error_pages"} {
			if rapid.Bool().Draw(t, "without "+key) {
				delete(section, key)
			}
		}
		services, f := decodeServices(&types.Project{Services: types.Services{"web": {Name: "web", Extensions: types.Extensions{extension: section}}}})
		if f != nil {
			return
		}
		schemaTakes(t, serviceFile(section))
		w := services[0].Web
		free := func(text, but string) {
			for _, r := range text {
				if r < ' ' || r > '~' || strings.ContainsRune(`;{}"'\$ `, r) && !strings.ContainsRune(but, r) {
					t.Fatalf("%q came through", text)
				}
			}
		}
		for name, value := range w.Headers {
			free(name, "")
			free(value, `;{}"'\ `) // it stands in quotes, which nginx's words end
		}
		if w.BasicAuth != nil {
			free(w.BasicAuth.Realm, `;{}' `)
		}
		for _, text := range w.Allow {
			free(text, "")
		}
		if w.GRPC != nil {
			for _, text := range w.GRPC.Paths {
				free(text, "")
			}
		}
		for status := range w.ErrorPages {
			if status < 400 || status > 599 {
				t.Fatalf("status %d came through", status)
			}
		}
	})
}

// TestCertificate_Missing: a wildcard stands for one whole label, as clients have it, and for a server name with a star only where
// it is the very same.
func TestCertificate_Missing(t *testing.T) {
	key := ecKey(t)
	for _, c := range []struct {
		name, server string
		missing      bool
	}{
		{"shop.example.com", "shop.example.com", false},
		{"shop.example.com", "SHOP.Example.Com", false},
		{"shop.example.com", "a.shop.example.com", true},
		{"shop.example.com", "example.com", true},
		{"*.example.com", "shop.example.com", false},
		{"*.example.com", "example.com", true},
		{"*.example.com", "a.shop.example.com", true},
		{"*.example.com", "*.example.com", false},
		{"*.Example.com", "*.example.COM", false},
		{"*.example.com", "*.shop.example.com", true},
		{"s*.example.com", "shop.example.com", true},
		{"*", "localhost", true},
		{"shop.example.com", "shop.*", true}, // a star at the end: no certificate is for that
		{"xn--gre-8ka.example", "xn--gre-8ka.example", false},
		{"*.xn--gre-8ka.example", "shop.xn--gre-8ka.example", false},
		{"_internal.example.com", "_internal.example.com", false},
		{"192.0.2.7", "192.0.2.7", false},
		{"192.0.2.7", "192.0.2.8", true},
		{"2001:db8::1", "[2001:db8:0::1]", false},
		{"2001:db8::1", "[2001:db8::2]", true},
	} {
		own := issued(t, nil, key, func(x *x509.Certificate) {
			if x.DNSNames = []string{c.name}; net.ParseIP(c.name) != nil {
				x.DNSNames, x.IPAddresses = nil, []net.IP{net.ParseIP(c.name)}
			}
		})
		got, err := ParseCertificate([]byte(own.text))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Names, []string{c.name}) {
			t.Errorf("%s: it is for %q", c.name, got.Names)
		}
		if missing := got.Missing([]string{c.server}); (len(missing) > 0) != c.missing {
			t.Errorf("a certificate for %s, and the server name %s: missing %q", c.name, c.server, missing)
		}
		if err := nginx.ValidServerName(c.server); err != nil {
			t.Errorf("not a server name at all: %v", err)
		}
	}
}

// TestLoad_ReadsEachFileOnce: what was checked is what is sent, whatever becomes of the file meanwhile, and its name says so.
func TestLoad_ReadsEachFileOnce(t *testing.T) {
	key := ecKey(t)
	own := issued(t, nil, key, nil)
	dir := withFiles(t, secure, own.text, pemKey(t, key))
	first, err := Load(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tls/a.pem"), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := first.Web.TLS.Certificate
	if got := first.Contents[f.Name]; string(got.Text) != own.text || got.Secret || f.Name != contentName(got.Text, ".crt") {
		t.Errorf("%s: %v", f.Name, got)
	}
	if got := first.Contents[first.Web.TLS.Key.Name]; !got.Secret || got.Shared {
		t.Error("the key is not for nginx's master alone")
	}
	if _, err := Load(t.Context(), Options{Dir: dir}); err == nil {
		t.Error("the changed file is not looked at")
	}
	renewed := issued(t, nil, key, nil)
	if err := os.WriteFile(filepath.Join(dir, "tls/a.pem"), []byte(renewed.text), 0o600); err != nil {
		t.Fatal(err)
	}
	if second, err := Load(t.Context(), Options{Dir: dir}); err != nil || second.Web.TLS.Certificate.Name == f.Name || second.Web.TLS.Key.Name != first.Web.TLS.Key.Name {
		t.Errorf("a renewed certificate has the old one's name, or the same key another: %v", err)
	}
}

// TestLoad_KeysAndPasswordsAreNotShown, however somebody prints or encodes what was loaded.
func TestLoad_KeysAndPasswordsAreNotShown(t *testing.T) {
	key := ecKey(t)
	text := pemKey(t, key)
	const hash = "$2y$05$abcdefghijklmnopqrstuu4h2R.N3/mVBA7Xh7aLzKSJDAsK61n52"
	dir := withFiles(t, secure+"\nbasic_auth: {file: staff}", issued(t, nil, key, nil).text, text)
	if err := os.WriteFile(filepath.Join(dir, "staff"), []byte("ann:"+hash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Contents[s.Web.BasicAuth.File.Name]; !c.Shared || c.Secret || !strings.Contains(string(c.Text), hash) {
		t.Errorf("the passwords are %v", c)
	}
	encoded, err := json.Marshal(s.Settings)
	if err != nil {
		t.Fatal(err)
	}
	contents, err := json.Marshal(s.Contents)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%s %s %v %+v %#v %s", encoded, contents, s.Contents, s.Contents, s.Contents, s.Contents)
	for _, secret := range []string{strings.Split(text, "\n")[1], hash, fmt.Sprint([]byte(hash)), fmt.Sprintf("%#v", []byte(hash)), base64.StdEncoding.EncodeToString([]byte(hash))} {
		if strings.Contains(shown, strings.Trim(secret, "[]=")) {
			t.Errorf("%s is shown", secret)
		}
	}
}
