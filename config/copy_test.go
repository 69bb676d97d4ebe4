package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoad_ACopyNeedsNeitherCertificateNorPasswords: where a rehearsal runs, they may not be. All else is read, and checked.
func TestLoad_ACopyNeedsNeitherCertificateNorPasswords(t *testing.T) {
	dir := files(t, "compose.yaml", one("server_names: [a.example]\ntls: {certificate: gone.crt, key: gone.key}\nbasic_auth: {file: gone.htpasswd}\nmaintenance: {page: down.html}"))
	load := func(o Options) (*Service, error) {
		o.Dir = dir
		return Load(t.Context(), o)
	}
	refused := func(o Options, what string) {
		t.Helper()
		var e *Error
		if _, err := load(o); !errors.As(err, &e) || !strings.Contains(e.What, what) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	refused(Options{Copy: true}, "down.html")
	if err := os.WriteFile(filepath.Join(dir, "down.html"), []byte("away"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := load(Options{Copy: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Contents) != 1 || s.Web.Maintenance.Page.Name == "" || s.Web.TLS == nil || s.Web.BasicAuth == nil {
		t.Errorf("%v, %+v", s.Contents, s.Web)
	}
	refused(Options{}, "gone.crt")
}
