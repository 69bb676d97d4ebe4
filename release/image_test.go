package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func imageName(arch string) string {
	return "bluegreen-" + testVersion + "-image-linux-" + arch + ".tar"
}

// TestTheImagesAreForTheirPlatformAndHoldItsBinary and nothing else.
func TestTheImagesAreForTheirPlatformAndHoldItsBinary(t *testing.T) {
	folder := dist(t)
	c, err := readCommit(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		image, err := tarball.ImageFromPath(filepath.Join(folder, imageName(arch)), nil)
		if err != nil {
			t.Fatal(err)
		}
		file, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if file.OS != "linux" || file.Architecture != arch || !file.Created.Equal(c.date) || !slices.Equal(file.Config.Entrypoint, []string{"/bluegreen"}) {
			t.Errorf("%s: %+v", arch, file)
		}
		if l := file.Config.Labels; l["org.opencontainers.image.version"] != testVersion || l["org.opencontainers.image.revision"] != c.hash {
			t.Errorf("%s: labels %v", arch, l)
		}
		layers, err := image.Layers()
		if err != nil || len(layers) != 1 {
			t.Fatalf("%s: %d layers, %v", arch, len(layers), err)
		}
		layer, err := layers[0].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		archive := tar.NewReader(layer)
		h, err := archive.Next()
		if err != nil || h.Name != "bluegreen" || h.Mode != 0o755 || !h.ModTime.Equal(c.date) {
			t.Fatalf("%s: %+v, %v", arch, h, err)
		}
		content, err := io.ReadAll(archive)
		if _, more := archive.Next(); err != nil || more != io.EOF || !bytes.Equal(content, binaryFor(t, platform{"linux", arch})) {
			t.Errorf("%s: the layer is not the binary alone: %v, %v", arch, err, more)
		}
	}
}

// TestTheImagesAreLabelledAsTheDockerfileLabelsThem so that whoever looks for one finds both.
func TestTheImagesAreLabelledAsTheDockerfileLabelsThem(t *testing.T) {
	ours := slices.Collect(maps.Keys((&release{}).labels()))
	said := regexp.MustCompile(`([a-z.]+)=`).FindAllSubmatch(regexp.MustCompile(`(?m)^LABEL .*$`).Find(read(t, root, "Dockerfile")), -1)
	if len(said) == 0 {
		t.Fatal("no label in the Dockerfile")
	}
	for _, label := range said {
		if !slices.Contains(ours, string(label[1])) {
			t.Errorf("%s is not a label of a release's images", label[1])
		}
	}
}

// TestEngineLoadsAndRunsTheImage whose platform it has.
func TestEngineLoadsAndRunsTheImage(t *testing.T) {
	if os.Getenv("BLUEGREEN_TEST_ENGINE") != "1" {
		t.Skip("SKIPPED, NOT TESTED: needs a Docker engine; set BLUEGREEN_TEST_ENGINE=1 (make test does)")
	}
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("SKIPPED: there is no docker command here to load an image with")
	}
	docker := func(args ...string) string {
		t.Helper()
		out, err := output(t.Context(), dist(t), nil, "docker", args...)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	here := docker("version", "--format", "{{.Server.Arch}}")
	here = here[:len(here)-1]
	tag := "bluegreen:" + testVersion
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", tag).Run() })
	for _, arch := range []string{"arm64", "amd64"} {
		if said := docker("load", "-i", imageName(arch)); said != "Loaded image: "+tag+"\n" {
			t.Errorf("docker load said %q", said)
		}
		var seen []struct{ Os, Architecture string }
		if err := json.Unmarshal([]byte(docker("image", "inspect", tag)), &seen); err != nil || len(seen) != 1 || seen[0].Os != "linux" || seen[0].Architecture != arch {
			t.Errorf("%s was loaded as %+v, %v", arch, seen, err)
		}
		if arch == here {
			if got, want := docker("run", "--rm", "--network", "none", tag, "version"), fmt.Sprintf("bluegreen %s (", testVersion); !bytes.HasPrefix([]byte(got), []byte(want)) {
				t.Errorf("the image said %q", got)
			}
		}
		docker("rmi", tag)
	}
}
