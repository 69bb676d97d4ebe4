package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
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
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	header := &tar.Header{Name: path.Base(name), Mode: 0o644, Size: int64(len(text)), ModTime: time.Now()}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	err := c.api.CopyToContainer(ctx, id, path.Dir(name), &archive, container.CopyToContainerOptions{})
	return c.explain(err, "write %s in container %s", name, id)
}
