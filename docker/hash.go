package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ConfigHash is a hash of everything in the service that reaches the container's configuration
// (resolved env_files, contents of file-based secrets and configs included; not the image, and
// nothing of x-bluegreen): "sha256:" and 64 hex digits.
func ConfigHash(service types.ServiceConfig, project *types.Project) (string, error) {
	v, err := convert(service, project)
	if err != nil {
		return "", err
	}
	files, err := contentHashes(v.files)
	if err != nil {
		return "", fmt.Errorf("hash the configuration of %s: %w", service.Name, err)
	}
	text, err := json.Marshal(struct {
		Config   *container.Config
		Host     *container.HostConfig
		Platform *ocispec.Platform
		Networks []attachment
		Restart  string
		Files    map[string]string
	}{v.config, v.host, v.platform, v.networks, RestartPolicy(service), files})
	if err != nil {
		return "", fmt.Errorf("hash the configuration of %s: %w", service.Name, err)
	}
	return digest(text), nil
}

// contentHashes: a file that is not here may well be on the engine's host, where alone it is needed; its path must
// do then.
func contentHashes(files []string) (map[string]string, error) {
	hashes := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			hashes[file] = "absent"
		case err != nil:
			return nil, err
		default:
			hashes[file] = digest(text)
		}
	}
	return hashes, nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
