package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// image writes the image for a platform as a file that docker load takes. It is what the Dockerfile says; docker's own
// builder needs an engine and dates an image by the clock.
func (r *release) image(p platform, binary []byte) error {
	tag, err := name.NewTag("bluegreen:" + r.version)
	if err != nil {
		return err
	}
	image, err := r.imageOf(p, binary)
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(r.out, r.name("image-"+p.os+"-"+p.arch+".tar")))
	if err != nil {
		return err
	}
	return errors.Join(tarball.Write(tag, image, file), file.Close())
}

func (r *release) imageOf(p platform, binary []byte) (v1.Image, error) {
	layer, err := layerOf(binary, r.commit.date)
	if err != nil {
		return nil, err
	}
	created := v1.Time{Time: r.commit.date}
	image, err := mutate.Append(empty.Image, mutate.Addendum{Layer: layer, History: v1.History{Created: created, CreatedBy: "COPY bluegreen /bluegreen"}})
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = p.os, p.arch, created
	file.Config = v1.Config{Entrypoint: []string{"/bluegreen"}, Labels: r.labels()}
	return mutate.ConfigFile(image, file)
}

func (r *release) labels() map[string]string {
	return map[string]string{
		"bluegreen.image":                   "bluegreen",
		"org.opencontainers.image.title":    "bluegreen",
		"org.opencontainers.image.version":  r.version,
		"org.opencontainers.image.revision": r.commit.hash,
		"org.opencontainers.image.created":  r.commit.date.Format(time.RFC3339),
	}
}

func layerOf(binary []byte, date time.Time) (v1.Layer, error) {
	var archive bytes.Buffer
	if err := tarred(&archive, []entry{{name: "bluegreen", program: true, content: binary}}, date); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil },
		tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithCompressedCaching)
}
