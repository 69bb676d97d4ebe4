package rehearse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/examples/hello/app"
	"bluegreen/rehearse/load"
	"bluegreen/swap"
)

// ExampleName is the built-in example's name as a service.
const ExampleName = "example"

// ExampleCommand is the command of this program that is the example: its image is this program.
const ExampleCommand = "example"

// exampleVersions are deployed in turn.
var exampleVersions = []string{"v1", "v2"}

// exampleBody is what the example's POSTs carry.
const exampleBody = 512

// Example is the built-in example as a service.
func Example(ctx context.Context) (*config.Service, error) {
	return config.Load(ctx, config.Options{Name: ExampleName, Image: ExampleName})
}

// ExampleMix is half GETs of a page and half POSTs, whose answers say what arrived.
func ExampleMix() []load.Request {
	body := bytes.Repeat([]byte("0123456789abcdef"), exampleBody/16)
	return []load.Request{
		{Method: http.MethodGet, Path: "/", Share: 1},
		{Method: http.MethodPost, Path: "/", Body: body, Share: 1},
	}
}

// buildExample makes an image of each version from this very program.
func buildExample(ctx context.Context, c *docker.Client, engine docker.Engine, n names) (images []string, err error) {
	if runtime.GOOS != engine.OS || runtime.GOARCH != engine.Arch {
		return nil, wrong("the built-in example", fmt.Sprintf("is this program, which is made for %s/%s; the engine runs %s/%s", runtime.GOOS, runtime.GOARCH, engine.OS, engine.Arch),
			"Rehearse a service of your own: a compose file with -f, or --name and --image.")
	}
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if err := checkStatic(path); err != nil {
		return nil, err
	}
	for _, version := range exampleVersions {
		if err := importExample(ctx, c, n, path, version); err != nil {
			return nil, err
		}
		images = append(images, n.image(version))
	}
	return images, nil
}

// checkStatic makes sure that a program needs no libraries: there are none in its image.
func checkStatic(path string) error {
	program, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	defer program.Close()
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return wrong("the built-in example", "is this program, which was built to need the libraries of its machine",
			"Build it with CGO_ENABLED=0, as make build does, or name a compose file with a service of your own (-f).")
	}
	return nil
}

func importExample(ctx context.Context, c *docker.Client, n names, path, version string) error {
	program, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	defer program.Close()
	info, err := program.Stat()
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	_, err = c.ImportProgram(ctx, n.image(version), program, info.Size(), docker.ImportOptions{
		Labels:     map[string]string{swap.LabelNetwork: n.network},
		Env:        map[string]string{"VERSION": version},
		Entrypoint: []string{docker.ProgramPath, ExampleCommand},
	})
	return err
}

// checkExample checks an answer of the example against what was asked, and against what nginx says of it: the container
// of the profile that the release is in must have answered.
func checkExample(m *meter) func(load.Checked) error {
	return func(a load.Checked) error {
		if want := m.profileOf(a.Version); want != "" && a.Profile != want {
			return fmt.Errorf("release %s, in %s, was answered by %s", a.Version, want, a.Profile)
		}
		sum := sha256.Sum256(a.Request.Body)
		if got := a.Header.Get(app.BodySumHeader); got != "" && got != hex.EncodeToString(sum[:]) {
			return fmt.Errorf("the app got a body with SHA-256 %s, other than what was sent", got)
		}
		return nil
	}
}
