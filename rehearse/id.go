package rehearse

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

var id = regexp.MustCompile(`^[0-9a-f]{6}$`)

func validID(s string) bool { return id.MatchString(s) }

// newID tells one rehearsal from the others of the host.
func newID() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
