package config

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLoad_RefusesAPasswordHashOfTheWrongLengthByItsLine(t *testing.T) {
	hash := func(n int) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n))) }
	for line, good := range map[string]bool{
		"{SHA}" + hash(20): true, "{SSHA}" + hash(24): true, "{SSHA}" + hash(28): true,
		"{SHA}xx": false, "{SHA}" + hash(19): false, "{SHA}" + hash(21): false, "{SHA}" + strings.TrimSuffix(hash(20), "="): false,
		"{SHA}" + strings.Repeat("#", 28): false, "{SSHA}" + hash(20): false, "{SSHA}xx": false,
	} {
		text := "# staff\nann:{SHA}" + hash(20) + "\nbob:" + line + "\n"
		_, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", one("basic_auth: {file: staff}"), "staff", text)})
		if (err == nil) != good {
			t.Errorf("%s: %v", line, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "staff: line 3 ") || strings.Contains(err.Error(), "bob") || strings.Contains(err.Error(), "xx") || strings.Contains(err.Error(), hash(19))) {
			t.Errorf("%s: says %v", line, err)
		}
	}
}

func TestLoad_WarnsOfAPrivateKeyThatEverybodyMayRead(t *testing.T) {
	key := ecKey(t)
	dir := withFiles(t, secure, issued(t, nil, key, nil).text, pemKey(t, key))
	for mode, open := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		if err := os.Chmod(filepath.Join(dir, "tls/a.key"), mode); err != nil {
			t.Fatal(err)
		}
		s := load(t, Options{Dir: dir})
		want := fmt.Sprintf("the private key tls/a.key may be read by every user of this machine (mode %04o): chmod 600 tls/a.key", mode)
		if slices.Contains(s.Warnings, want) != open || (s.Exposed == "tls/a.key") != open {
			t.Errorf("mode %o: exposed %q, warnings %q", mode, s.Exposed, s.Warnings)
		}
	}
}
