package config

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ExpiresSoon is how long before its end a certificate is warned of: what renews certificates does so earlier.
const ExpiresSoon = 14 * 24 * time.Hour

// Certificate is what a certificate says of itself.
type Certificate struct {
	NotBefore, NotAfter time.Time
	Names               []string // that it is for
	chain               []*x509.Certificate
}

// ParseCertificate reads a certificate with its chain from PEM, the server's own first.
func ParseCertificate(text []byte) (Certificate, error) {
	var c Certificate
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return c, fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
		c.chain = append(c.chain, parsed)
	}
	switch begun := bytes.Count(text, []byte("-----BEGIN CERTIFICATE-----")); {
	case begun > len(c.chain):
		return c, fmt.Errorf("holds a certificate that cannot be read: %d begin in it, and %d are whole", begun, len(c.chain))
	case len(c.chain) == 0:
		return c, errors.New("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
	}
	own := c.chain[0]
	c.NotBefore, c.NotAfter, c.Names = own.NotBefore, own.NotAfter, slices.Clone(own.DNSNames)
	for _, ip := range own.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	return c, nil
}

// Leaf is the server's own certificate, as it is sent.
func (c Certificate) Leaf() []byte { return c.chain[0].Raw }

// Time says what is wrong with a certificate at a time; "" when it counts.
func (c Certificate) Time(now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "expired on " + day(c.NotAfter)
	case now.Before(c.NotBefore):
		return "counts only from " + c.NotBefore.UTC().Format(time.RFC3339) + " on"
	}
	return ""
}

// Soon says that a certificate expires soon; "" when it does not.
func (c Certificate) Soon(now time.Time) string {
	left := c.NotAfter.Sub(now)
	if left > ExpiresSoon || left < 0 {
		return ""
	}
	return fmt.Sprintf("expires on %s, in %d days", day(c.NotAfter), int(left.Hours()/24))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Missing are those of a service's names that the certificate is not for.
func (c Certificate) Missing(serverNames []string) (missing []string) {
	for _, name := range serverNames {
		if !c.covers(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// covers says whether a certificate is for a server name of nginx's. One wildcard of a certificate stands for one label.
func (c Certificate) covers(name string) bool {
	if strings.Contains(name, "*") {
		return slices.ContainsFunc(c.chain[0].DNSNames, func(n string) bool { return strings.EqualFold(n, name) })
	}
	return c.chain[0].VerifyHostname(name) == nil
}

// checkTLS makes sure that clients will take the certificate, and nginx the key.
func checkTLS(s *Service, src source, now time.Time) error {
	t := s.Web.TLS
	refuse := func(key, path, what, do string) error {
		return src.error(&fault{at: sectionPath(s.Compose.Name, "tls", key), what: path + ": " + what, do: do})
	}
	text := s.Contents[t.Certificate.Name].Text
	c, err := ParseCertificate(text)
	if err != nil {
		return refuse("certificate", t.Certificate.Path, err.Error(), "Give the certificate with its chain, as PEM (certbot: fullchain.pem).")
	}
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		return refuse("certificate", t.Certificate.Path, "holds a private key too, and nginx's workers are to read this file",
			"Give certificate and key as two files; of this one, take the -----BEGIN … PRIVATE KEY----- part out.")
	}
	if what, do := checkKey(c, text, s.Contents[t.Key.Name].Text); what != "" {
		return refuse("key", t.Key.Path, what, do)
	}
	if what := c.Time(now); what != "" {
		do := "Renew it."
		if now.Before(c.NotBefore) {
			do = "Wait until then, or look at this machine's clock."
		}
		return refuse("certificate", t.Certificate.Path, what, do)
	}
	if what, do := c.checkChain(); what != "" {
		return refuse("certificate", t.Certificate.Path, what, do)
	}
	if missing := c.Missing(s.AllNames()); len(missing) > 0 {
		return refuse("certificate", t.Certificate.Path,
			fmt.Sprintf("is not for %s (it is for %s)", strings.Join(missing, ", "), cmp.Or(strings.Join(c.Names, ", "), "no name: it has no subjectAltName")),
			"Get one for all server_names, those of the preview too (a name with a * in it as it is), or take those out that it is not for.")
	}
	t.Stapling = c.staples()
	if w := c.Soon(now); w != "" {
		s.Warnings = append(s.Warnings, "the certificate "+t.Certificate.Path+" "+w)
	}
	if c.lacksIntermediate() {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s holds the certificate alone: clients that do not have the one of %q find no way to it; give the whole chain (certbot: fullchain.pem)",
			t.Certificate.Path, c.chain[0].Issuer.CommonName))
	}
	return nil
}

// leastRSA is the smallest RSA key that OpenSSL's default security level takes, in bits.
const leastRSA = 2048

// checkKey says what is wrong with a private key, and shows nothing of it.
func checkKey(c Certificate, certificate, key []byte) (what, do string) {
	if encrypted(key) {
		return "is encrypted: nobody is there to type its password when nginx starts", "Give it without (openssl pkey -in KEY -out PLAIN), readable by you alone."
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		for _, other := range c.chain[1:] {
			if _, e := tls.X509KeyPair(pemOf(other), key); e == nil {
				return fmt.Sprintf("belongs to %q, which is not the first in the certificate's file", other.Subject.CommonName), "Put the server's own certificate first, then each one's issuer."
			}
		}
		if !bytes.Contains(key, []byte("PRIVATE KEY-----")) {
			return "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", "Give the key of the certificate (certbot: privkey.pem)."
		}
		if strings.Contains(err.Error(), "does not match") {
			return "is not the key of the certificate", "Give the two that were made together."
		}
		return "holds a private key that cannot be read", "Give one of RSA, ECDSA or Ed25519, in PEM."
	}
	switch k := pair.PrivateKey.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < leastRSA {
			return fmt.Sprintf("is an RSA key of %d bits, and nginx takes none below %d", bits, leastRSA), "Make a new one, and a certificate for it."
		}
	case *ecdsa.PrivateKey, ed25519.PrivateKey:
	default:
		return "is of a kind that nginx does not take", "Give one of RSA, ECDSA or Ed25519."
	}
	return "", ""
}

// encrypted says whether a PEM text holds a key that needs a password (RFC 5958; RFC 1421, 4.6.1.1).
func encrypted(key []byte) bool {
	for rest := key; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return false
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// checkChain says what is wrong with the order of a chain: each certificate's issuer comes after it.
func (c Certificate) checkChain() (what, do string) {
	if own := c.chain[0]; len(own.ExtKeyUsage) > 0 && !slices.Contains(own.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(own.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return "is not for servers (its extended key usage)", "Get one for servers."
	}
	for i := 1; i < len(c.chain); i++ {
		if err := c.chain[i-1].CheckSignatureFrom(c.chain[i]); err != nil {
			return fmt.Sprintf("number %d in the file (%q) did not sign number %d (%q)", i+1, c.chain[i].Subject.CommonName, i, c.chain[i-1].Subject.CommonName),
				"Put the server's own certificate first, then each one's issuer, and nothing else."
		}
	}
	return "", ""
}

// lacksIntermediate: an authority that says where its certificate can be had is not one that clients have.
func (c Certificate) lacksIntermediate() bool {
	own := c.chain[0]
	return len(c.chain) == 1 && len(own.IssuingCertificateURL) > 0 && !bytes.Equal(own.RawIssuer, own.RawSubject)
}

// staples says whether nginx can ask for a word on the certificate's revocation: it names whom to ask by plain HTTP, which is
// all that nginx speaks there, and the issuer is in the file. Several authorities have no such responder any more.
func (c Certificate) staples() bool {
	return len(c.chain) > 1 && slices.ContainsFunc(c.chain[0].OCSPServer, func(url string) bool { return strings.HasPrefix(url, "http://") })
}
