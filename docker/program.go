package docker

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/docker/docker/api/types/image"
)

// ProgramPath is where an imported program is in its image.
const ProgramPath = "/bluegreen"

// ImportOptions are what an image of a program says besides the program.
type ImportOptions struct {
	Labels     map[string]string
	Env        map[string]string
	Entrypoint []string // nil: the program alone
}

// ImportProgram makes an image of one static executable, at ProgramPath with mode 0755, and gives it the name ref.
// It is streamed: size, in bytes, must be exactly what program holds. Names and values of labels and variables with
// control characters are refused.
func (c *Client) ImportProgram(ctx context.Context, ref string, program io.Reader, size int64, o ImportOptions) (Image, error) {
	changes, err := o.changes()
	if err != nil {
		return Image{}, fmt.Errorf("import image %s: %w", ref, err)
	}
	archive, w := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		w.CloseWithError(writeProgram(w, program, size))
	}()
	id, err := c.importArchive(ctx, archive, ref, changes)
	archive.CloseWithError(io.ErrClosedPipe) // the engine may have left off early
	<-written                                // from here on program is the caller's again
	if err != nil {
		return Image{}, c.explain(err, "import image %s", ref)
	}
	made, err := c.Image(ctx, id)
	made.Ref = ref
	return made, err
}

func (c *Client) importArchive(ctx context.Context, archive io.Reader, ref string, changes []string) (id string, err error) {
	stream, err := c.api.ImageImport(ctx, image.ImportSource{Source: archive, SourceName: "-"}, ref, image.ImportOptions{Changes: changes})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	if err := readProgress(stream, func(p PullProgress) { id = p.Status }); err != nil { // the last line is the id
		return "", err
	}
	return id, nil
}

// writeProgram writes an archive of one file. A program that changed its length meanwhile is an error.
func writeProgram(w io.Writer, program io.Reader, size int64) error {
	archive := tar.NewWriter(w)
	head := &tar.Header{Name: strings.TrimPrefix(ProgramPath, "/"), Mode: 0o755, Size: size, Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(head); err != nil {
		return err
	}
	n, err := io.CopyN(archive, program, size)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the program has %d bytes, not %d", n, size)
	}
	if err != nil {
		return err
	}
	if n, _ := io.ReadFull(program, make([]byte, 1)); n > 0 {
		return fmt.Errorf("the program has more than %d bytes", size)
	}
	return archive.Close()
}

// changes are the options as Dockerfile instructions, the only way that the engine takes them.
func (o ImportOptions) changes() ([]string, error) {
	entrypoint := o.Entrypoint
	if entrypoint == nil {
		entrypoint = []string{ProgramPath}
	}
	words, err := json.Marshal(entrypoint)
	if err != nil {
		return nil, err
	}
	list := []string{"ENTRYPOINT " + string(words)}
	for _, name := range slices.Sorted(maps.Keys(o.Env)) {
		if !variableName.MatchString(name) {
			return nil, fmt.Errorf("%q is not a variable's name", name)
		}
		value, err := dockerfileWord(o.Env[name])
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", name, err)
		}
		list = append(list, "ENV "+name+"="+value)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Labels)) {
		key, err := dockerfileWord(name)
		if err != nil {
			return nil, fmt.Errorf("label %q: %w", name, err)
		}
		value, err := dockerfileWord(o.Labels[name])
		if err != nil {
			return nil, fmt.Errorf("label %s: %w", name, err)
		}
		list = append(list, "LABEL "+key+"="+value)
	}
	return list, nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// dockerfileWord makes one word of a text. Inside double quotes a backslash keeps ", $ and itself from meaning
// anything; nothing does so for the end of a line.
func dockerfileWord(s string) (string, error) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("control characters cannot stand in it")
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(s) + `"`, nil
}

// RemoveImage removes an image by id or name; one that is absent is fine. One that a container is made of stays, and is
// an error.
func (c *Client) RemoveImage(ctx context.Context, id string) error {
	_, err := c.api.ImageRemove(ctx, id, image.RemoveOptions{})
	return c.explain(absentIsFine(err), "remove image %s", id)
}
