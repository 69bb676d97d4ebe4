package nginx

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strconv"
)

//go:embed store.sh
var storeScript string

// Stored is a file of a site on its way into FilesDir. Its text goes there by another way than commands, whose arguments can
// be seen.
type Stored struct {
	Name           string
	Text           []byte
	Secret, Shared bool // for nginx's master alone; for its workers and nobody else
}

// Mode is what the file's permissions have to be. Workers run as a user of their own: what they read is their group's.
func (s Stored) Mode() int64 {
	switch {
	case s.Secret:
		return 0o600
	case s.Shared:
		return 0o640
	}
	return 0o644
}

// StoreTemp is where a file is to be laid before Store, relative to Root. A later run clears it away.
func StoreTemp(service, run, name string) string {
	return ServiceDir(service) + "/." + name + ".bg-tmp-" + run
}

// Store puts files that lie at their StoreTemp in their place, after their length and SHA-256 were checked there. The caller
// holds the host lock. A file of that name has that content, so one that is there already is no harm.
func Store(ctx context.Context, p Place, service, run string, files []Stored) error {
	return store(ctx, p, Root, service, run, files)
}

func store(ctx context.Context, p Place, root, service, run string, files []Stored) error {
	if !runName.MatchString(run) {
		return fmt.Errorf("%q is no name for a run", run)
	}
	args := []string{"sh", "-c", storeScript, "bluegreen", root + "/" + FilesDir(service), run}
	for _, f := range files {
		sum := sha256.Sum256(f.Text)
		args = append(args, f.Name, strconv.Itoa(len(f.Text)), hex.EncodeToString(sum[:]), strconv.FormatInt(f.Mode(), 8), yes(f.Shared))
	}
	r, err := p.Run(ctx, args)
	if err == nil {
		err = r.failure()
	}
	if err != nil {
		return fmt.Errorf("store files of the site of %s: %w", service, err)
	}
	return nil
}
