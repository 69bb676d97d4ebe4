// Package internaltmp pins modules until the code that uses them is written.
package internaltmp

import (
	_ "github.com/HdrHistogram/hdrhistogram-go"
	_ "github.com/coder/websocket"
	_ "github.com/compose-spec/compose-go/v2/cli"
	_ "github.com/compose-spec/compose-go/v2/loader"
	_ "github.com/containerd/errdefs"
	_ "github.com/distribution/reference"
	_ "github.com/docker/cli/cli/config"
	_ "github.com/docker/docker/client"
	_ "github.com/docker/docker/pkg/jsonmessage"
	_ "github.com/docker/docker/pkg/stdcopy"
	_ "github.com/docker/go-connections/nat"
	_ "github.com/docker/go-units"
	_ "github.com/moby/docker-image-spec/specs-go/v1"
	_ "github.com/opencontainers/image-spec/specs-go/v1"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/pflag"
	_ "github.com/testcontainers/testcontainers-go"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/term"
	_ "gopkg.in/yaml.v3"
	_ "pgregory.net/rapid"
)
