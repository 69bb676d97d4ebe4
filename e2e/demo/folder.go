package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

const (
	composeImage = "nginx:1.30-alpine" // the compose file's own, where the environment names no other
	mark         = "# Written by make demo."
)

// checkFolder says what to do when the demo was not started as it should be.
func checkFolder() error {
	if _, err := os.Stat(filepath.Join(folder, binary)); err != nil {
		return fmt.Errorf("run `make demo`, which builds what is needed: %w", err)
	}
	return nil
}

// writeEnv lets bluegreen be run in examples/hello by hand, without any environment, while this nginx image and this
// version are live. A file that somebody else wrote stays as it is.
func writeEnv(version string) error {
	image := os.Getenv("BLUEGREEN_NGINX_IMAGE")
	if image == "" || image == composeImage {
		return nil
	}
	file := filepath.Join(folder, ".env")
	if old, err := os.ReadFile(file); err == nil && !bytes.HasPrefix(old, []byte(mark)) {
		return nil
	}
	text := fmt.Sprintf("%s\nBLUEGREEN_NGINX_IMAGE=%s\nTAG=%s\n", mark, image, version)
	return os.WriteFile(file, []byte(text), 0o644)
}
