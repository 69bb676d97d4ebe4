package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// platform is what a binary is made for, in Go's words.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

func (p platform) program() string {
	if p.os == "windows" {
		return "bluegreen.exe"
	}
	return "bluegreen"
}

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// pinned is what would change a binary's bytes, or which processors it runs on, from one machine to the next.
var pinned = []string{
	"CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off",
}

// build builds the binary for a platform and returns its content.
func (r *release) build(ctx context.Context, p platform) ([]byte, error) {
	file := filepath.Join(r.temp, p.os+"-"+p.arch)
	if err := r.goBuild(ctx, file, []string{"GOOS=" + p.os, "GOARCH=" + p.arch}); err != nil {
		return nil, fmt.Errorf("build for %s: %w", p, err)
	}
	return os.ReadFile(file)
}

func (r *release) goBuild(ctx context.Context, file string, env []string, flags ...string) error {
	args := append([]string{"build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w -buildid= -X main.version=" + r.version}, flags...)
	_, err := output(ctx, r.root, append(env, pinned...), "go", append(args, "-o", file, "./cmd/bluegreen")...)
	return err
}
