package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/errdefs"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// readProject finds and loads the compose files as compose does. Services that compose's own profiles
// keep out of `up` are loaded too: that is how a blue/green service is kept out of it.
//
// Environments are not resolved yet: a missing env_file of another service is no business of ours.
func readProject(ctx context.Context, o Options) (*types.Project, source, error) {
	src := source{dir: o.Dir}
	files, err := existing(o.Dir, o.Files, "--file")
	if err != nil {
		return nil, src, err
	}
	options, err := cli.NewProjectOptions(files,
		workingDir(o),
		cli.WithOsEnv, cli.WithEnvFiles(), cli.WithDotEnv,
		composeFileVariable(o.Dir), cli.WithDefaultConfigPath,
		// The project's folder is where its first file is; that folder's .env counts too.
		func(p *cli.ProjectOptions) error { p.WorkingDir = ""; return nil },
		cli.WithEnvFiles(), cli.WithDotEnv,
		cli.WithProfiles([]string{"*"}),
		cli.WithoutEnvironmentResolution, cli.WithoutLabelsResolution,
	)
	if err != nil {
		return nil, src, loadError(err, src)
	}
	if src.files = options.ConfigPaths; len(src.files) == 0 {
		return nil, src, noFile(o.Dir)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, src, loadError(err, src)
	}
	return project, src, nil
}

// workingDir is where compose's search starts, unless files were named.
func workingDir(o Options) cli.ProjectOptionsFn {
	if len(o.Files) > 0 {
		return cli.WithWorkingDirectory("")
	}
	return cli.WithWorkingDirectory(o.Dir)
}

// composeFileVariable honours COMPOSE_FILE, from the environment or .env, relative to dir.
func composeFileVariable(dir string) cli.ProjectOptionsFn {
	return func(p *cli.ProjectOptions) error {
		value := p.Environment[consts.ComposeFilePath]
		if len(p.ConfigPaths) > 0 || value == "" {
			return nil
		}
		separator := p.Environment[consts.ComposePathSeparator]
		if separator == "" {
			separator = string(os.PathListSeparator)
		}
		var err error
		p.ConfigPaths, err = existing(dir, strings.Split(value, separator), consts.ComposeFilePath)
		return err
	}
}

// existing makes names absolute and refuses those that are not there; "-" is standard input.
func existing(dir string, names []string, from string) ([]string, error) {
	var files []string
	for _, name := range names {
		if name != "-" && !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if _, err := os.Stat(name); name != "-" && err != nil {
			return nil, &Error{
				Where: from, What: fmt.Sprintf("cannot read the compose file %s", name),
				Do: "Check the path, relative ones start at " + dir + ".", err: err,
			}
		}
		files = append(files, name)
	}
	return files, nil
}

func noFile(dir string) *Error {
	return &Error{
		Where: dir, What: "no compose file here or in a folder above",
		Do: "Go to the folder of compose.yaml or name the file with --file, " +
			"or start without one: --name NAME --image IMAGE.",
		err: ErrNoFile,
	}
}

// loadError words what compose-go refuses.
func loadError(err error, src source) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{
		Where: src.dir, What: strings.TrimSuffix(err.Error(), ": "+errdefs.ErrInvalid.Error()), err: err,
		Do: "This part is compose's own: `docker compose config` checks it too.",
	}
	if bad, ok := errors.AsType[*template.InvalidTemplateError](err); ok { // the value that it quotes may be a secret
		e.What = strings.TrimSpace(strings.TrimSuffix(e.What, bad.Template))
	}
	if len(src.files) > 0 {
		e.Where = src.show(src.files[0])
	}
	for _, file := range src.files {
		for _, verb := range []string{"validating ", "failed to parse "} {
			if rest, ok := strings.CutPrefix(e.What, verb+file+": "); ok {
				e.Where, e.What = src.show(file), rest
			}
		}
	}
	if place, key, ok := strings.Cut(strings.TrimPrefix(e.What, "non-string key in "), ": "); ok && strings.HasPrefix(e.What, "non-string key in ") {
		e.What, e.Do = fmt.Sprintf("%s: the key %s is not a text", place, key), fmt.Sprintf("Write it in quotes: %q", key)
	}
	if key, ok := strings.CutSuffix(e.What, " false schema"); ok { // its schema's words for a key it does not know
		e.What = key + ": compose knows no such key"
	}
	return e
}
