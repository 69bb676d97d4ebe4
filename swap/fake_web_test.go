package swap

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/nginx"
)

// The files of the fake's sites are named by this many digits of nothing but their text.
var namedFile = regexp.MustCompile(`sites/[^"/]+/files/[^"]+`)

// lacking is the first file that a site names and that is not there: nginx would refuse it, or answer with an error.
func lacking(files map[string]string, service string) string {
	for name, text := range files {
		if name != nginx.SitePath(service) && path.Dir(name) != nginx.ServiceDir(service) || path.Ext(name) == ".json" {
			continue
		}
		for _, named := range namedFile.FindAllString(text, -1) {
			if _, ok := files[named]; !ok {
				return named
			}
		}
	}
	return ""
}

// writeFiles lays files into nginx's volume.
func (h *host) writeFiles(folder string, files []docker.ArchiveFile) error {
	defer h.lock()()
	for _, f := range files {
		if f.Mode&0o077 != 0 {
			h.wrong("%s lay there for everybody", f.Name)
		}
		h.volumes["bluegreen-nginx"][strings.TrimPrefix(folder+"/"+f.Name, nginx.Root+"/")] = string(f.Text)
	}
	return nil
}

// store puts them in their place, one after the other; the process may die between any two.
func (h *host) store(p *process, service, run string, files []nginx.Stored) error {
	defer h.lock()()
	if lock, err := h.find("bluegreen-host-lock"); err != nil || h.runs[lock.Labels[LabelRun]] != p {
		h.wrong("files were stored without the host's lock")
	}
	for _, f := range files {
		temp := nginx.StoreTemp(service, run, f.Name)
		if h.volumes["bluegreen-nginx"][temp] != string(f.Text) {
			return fmt.Errorf("%s did not arrive", f.Name)
		}
		if p.point("rename") {
			return errors.New("mv: Input/output error")
		}
		delete(h.volumes["bluegreen-nginx"], temp)
		h.volumes["bluegreen-nginx"][nginx.FilePath(service, f.Name)] = string(f.Text)
	}
	return nil
}

// leaf is the certificate that nginx shows: that of the site as the running workers loaded it.
func (h *host) leaf(name string) ([]byte, error) {
	defer h.lock()()
	for _, g := range h.nginxes {
		for _, r := range g.routes {
			if g.serves() && r.certificate != "" {
				block, _ := pem.Decode([]byte(r.certificate))
				if block == nil {
					return nil, errors.New("bad certificate")
				}
				return block.Bytes, nil
			}
		}
	}
	return nil, fmt.Errorf("unrecognized name %s", name)
}

var certificateLine = regexp.MustCompile(`ssl_certificate "([^"]+)"`)

// certificateOf is the certificate of a site, as nginx reads it when it loads the site.
func certificateOf(files map[string]string, service string) string {
	if m := certificateLine.FindStringSubmatch(files[nginx.SitePath(service)]); m != nil {
		return files[m[1]]
	}
	return ""
}

// madeCertificate is a certificate for shop.example.com with its key, as PEM. Its serial number tells it from others.
func madeCertificate(t testing.TB, serial int64, notAfter time.Time) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "shop.example.com"}, DNSNames: []string{"shop.example.com"},
		NotBefore: notAfter.Add(-90 * 24 * time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	var c, k bytes.Buffer
	_ = pem.Encode(&c, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	_ = pem.Encode(&k, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return c.Bytes(), k.Bytes()
}

// secured gives a service a certificate and all that goes with it, as the configuration would: the number is in its files.
func secured(number int) func(*config.Service) {
	return func(s *config.Service) {
		named(s)
		files := map[string]config.Content{}
		file := func(name string, c config.Content) config.File {
			c.Text = fmt.Appendf(nil, "%s %d", name, number)
			name = fmt.Sprintf("%02d%s", number, name)
			files[name] = c
			return config.File{Path: name, Name: name}
		}
		page := file("page.html", config.Content{})
		s.Settings.Web = config.Web{
			TLS:        &config.TLS{Certificate: file("a.crt", config.Content{}), Key: file("a.key", config.Content{Secret: true}), Redirect: true},
			BasicAuth:  &config.BasicAuth{File: file("a.htpasswd", config.Content{Shared: true}), Realm: "shop"},
			ErrorPages: map[int]*config.File{502: &page},
		}
		s.Contents = files
	}
}

func securely(image string, number int) Request {
	return Request{Command: Deploy, Service: shop(image, secured(number))}
}
