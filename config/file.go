package config

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// File is a file that a site needs.
type File struct {
	Path string `json:"path"`           // as the compose file says it, relative to its folder
	Name string `json:"name,omitempty"` // in nginx's volume, made of the content; "" not read
}

func (f *File) name() string {
	if f == nil {
		return ""
	}
	return f.Name
}

// Content is what a file holds. It shows itself to nobody: it may be a private key.
type Content struct {
	Text   []byte
	Secret bool // for nginx's master alone
	Shared bool // for nginx's workers, and nobody else
}

// String hides the content.
func (c Content) String() string { return fmt.Sprintf("(%d bytes)", len(c.Text)) }

// GoString hides the content.
func (c Content) GoString() string { return c.String() }

// MarshalText hides the content.
func (c Content) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// fileKind is what a file is for.
type fileKind struct {
	extension      string
	secret, shared bool
	check          func([]byte) error // what it says is for a person, and holds nothing of the content
}

var (
	certificateFile = fileKind{extension: ".crt", check: func([]byte) error { return nil }} // with its key, below
	keyFile         = fileKind{extension: ".key", secret: true, check: func([]byte) error { return nil }}
	passwordFile    = fileKind{extension: ".htpasswd", shared: true, check: checkPasswords}
	snippetFile     = fileKind{extension: ".inc", check: checkText}
	pageFile        = fileKind{extension: ".html", check: checkText}
)

// webFile is a file of a site, with the keys that name it.
type webFile struct {
	file *File
	kind fileKind
	keys []string
}

// largestFile is far above any certificate or page, and far below what would fill the volume.
const largestFile = 4 << 20

// readWebFiles reads the files of the chosen service's site, checks them, and names them by their contents.
func readWebFiles(s *Service, src source, forCopy bool) error {
	s.Contents = map[string]Content{}
	for _, f := range s.Web.files() {
		if forCopy && (f.keys[0] == "tls" || f.keys[0] == "basic_auth" || f.keys[0] == "preview") {
			continue
		}
		at := sectionPath(s.Compose.Name, f.keys...)
		text, mode, err := readFile(s, f.file.Path)
		if err == nil {
			err = f.kind.check(text)
		}
		if err != nil {
			fault := &fault{at: at, what: f.file.Path + ": " + err.Error(), err: err}
			if path, ok := errors.AsType[*fs.PathError](err); ok {
				fault.what = fmt.Sprintf("cannot read %s: %v", path.Path, path.Err)
				fault.do = "Check the path, relative ones start at the compose file's folder, and that you may read the file."
			}
			return src.error(fault)
		}
		if f.kind.secret {
			s.warnExposed(f.file.Path, mode)
		}
		f.file.Name = contentName(text, f.kind.extension)
		s.Contents[f.file.Name] = Content{Text: text, Secret: f.kind.secret, Shared: f.kind.shared}
	}
	if s.Web.TLS != nil && !forCopy {
		return checkTLS(s, src, time.Now())
	}
	return nil
}

// warnExposed says so when a secret file may be read by every user of this machine. (Windows has other rules than a mode.)
func (s *Service) warnExposed(path string, mode fs.FileMode) {
	if mode.Perm()&0o004 == 0 || runtime.GOOS == "windows" {
		return
	}
	s.Exposed = path
	s.Warnings = append(s.Warnings, fmt.Sprintf("the private key %s may be read by every user of this machine (mode %04o): chmod 600 %[1]s", path, mode.Perm()))
}

func readFile(s *Service, name string) ([]byte, fs.FileMode, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.ProjectDef.WorkingDir, name)
	}
	info, err := os.Stat(name) // before it is opened: a pipe would be waited for
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("is not a file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	switch {
	case err != nil:
		return nil, 0, err
	case len(text) > largestFile:
		return nil, 0, fmt.Errorf("is larger than %d MB", largestFile>>20)
	case len(text) == 0:
		return nil, 0, errors.New("is empty")
	}
	return text, info.Mode(), nil
}

// nameDigits is how many hexadecimal digits of a content's SHA-256 name it.
const nameDigits = 16

// contentName is the name of a content in nginx's volume.
func contentName(text []byte, extension string) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:nameDigits] + extension
}

func checkText(text []byte) error {
	if !utf8.Valid(text) || strings.ContainsRune(string(text), 0) {
		return errors.New("is not a text in UTF-8")
	}
	return nil
}

// password is a line of htpasswd's: the hash is one that nginx or the C library of its container knows.
var password = regexp.MustCompile(`^[^:\s#][^:]*:(\$[^:]+|\{(SHA|SSHA)\}[^:]+|[./0-9A-Za-z]{13})(:.*)?$`)

// wholeSHA says whether a line's hash, where it is one of SHA-1, is as long as one is (RFC 2307): nginx takes a shorter one,
// and lets nobody in by it. A salted one has its salt after it.
func wholeSHA(line string) bool {
	_, rest, _ := strings.Cut(line, ":")
	hash, _, _ := strings.Cut(rest, ":")
	kind, text, ok := strings.Cut(hash, "}")
	if !ok || kind != "{SHA" && kind != "{SSHA" {
		return true
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(text)
	if kind == "{SHA" {
		return err == nil && len(sum) == sha1.Size
	}
	return err == nil && len(sum) > sha1.Size
}

// checkPasswords looks for hashes, and shows none.
func checkPasswords(text []byte) error {
	users, n := 0, 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !password.MatchString(line) || !wholeSHA(line) {
			return fmt.Errorf("line %d is not NAME:HASH, as `htpasswd -B` writes it", n)
		}
		users++
	}
	if users == 0 {
		return errors.New("has no user in it: nobody could come in")
	}
	return nil
}
