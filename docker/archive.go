package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// ReadTree reads the regular files below path in a container in any state (also one that was never
// started): names relative to path; of a path that is a file itself, its base name. ErrNotFound when path is absent.
func (c *Client) ReadTree(ctx context.Context, id, path string) (map[string][]byte, error) {
	stream, _, err := c.api.CopyFromContainer(ctx, id, path)
	if err != nil {
		return nil, c.explain(err, "read %s in container %s", path, id)
	}
	defer stream.Close()
	files, err := readTar(stream)
	return files, c.explain(err, "read %s in container %s", path, id)
}

// readTar reads an archive of the engine's, in which every name begins with the base name of what was asked for.
func readTar(stream io.Reader) (map[string][]byte, error) {
	files := make(map[string][]byte)
	for archive := tar.NewReader(stream); ; {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if entry.Typeflag != tar.TypeReg {
			continue
		}
		name := strings.TrimPrefix(entry.Name, "/")
		if _, below, ok := strings.Cut(name, "/"); ok {
			name = below
		}
		if files[name], err = io.ReadAll(archive); err != nil {
			return nil, err
		}
	}
}

// WriteFile puts one file into a container in any state; for the locks' lease. Not for volumes that others read:
// the engine removes an existing file before it writes the new one. The folder must exist.
func (c *Client) WriteFile(ctx context.Context, id, name string, text []byte) error {
	return c.WriteFiles(ctx, id, path.Dir(name), []ArchiveFile{{Name: path.Base(name), Text: text, Mode: 0o644}})
}

// ArchiveFile is a file to be written; its owner is root.
type ArchiveFile struct {
	Name string // may have folders before it, which are made when they are not there
	Text []byte
	Mode int64
}

// folderMode is that of the folders.
const folderMode = 0o755

// folders are those of the files, outer ones first.
func folders(files []ArchiveFile) (list []string) {
	for _, f := range files {
		for at, c := range f.Name {
			if c == '/' && !slices.Contains(list, f.Name[:at+1]) {
				list = append(list, f.Name[:at+1])
			}
		}
	}
	return list
}

// WriteFiles is WriteFile for several files below one folder. Their texts go through the engine's API alone: no command's
// arguments and no log have them.
func (c *Client) WriteFiles(ctx context.Context, id, folder string, files []ArchiveFile) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range folders(files) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: folderMode, ModTime: time.Now()}); err != nil {
			return err
		}
	}
	for _, f := range files {
		header := &tar.Header{Name: f.Name, Mode: f.Mode, Size: int64(len(f.Text)), ModTime: time.Now()}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(f.Text); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	err := c.api.CopyToContainer(ctx, id, folder, &archive, container.CopyToContainerOptions{})
	return c.explain(err, "write into %s in container %s", folder, id)
}
