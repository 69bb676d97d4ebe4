package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli-plugins/metadata"
)

// pluginVendor in a plugin's metadata says that it is ours.
const pluginVendor = "bluegreen"

// askPlugin is how long a file is given to say what kind of plugin it is.
const askPlugin = 5 * time.Second

// pluginFile is the file under which docker finds the plugin.
type pluginFile struct {
	path   string // .../cli-plugins/docker-bluegreen
	self   string // this binary
	copies bool   // a copy of this binary; else a link to it
}

// pluginChange is what was done about a plugin's file.
type pluginChange string

const (
	pluginInstalled pluginChange = "installed"
	pluginUpdated   pluginChange = "updated"
	pluginRemoved   pluginChange = "removed"
	pluginUnchanged pluginChange = "unchanged"
	pluginAbsent    pluginChange = "absent" // there was nothing to remove
)

// said is what was done, for a person.
func (p pluginFile) said(did pluginChange) string {
	switch did {
	case pluginRemoved:
		return p.path + " is removed"
	case pluginAbsent:
		return p.path + " is not there: nothing to do"
	case pluginUnchanged:
		return "docker bluegreen is installed already: " + p.path
	}
	if p.copies {
		return fmt.Sprintf("docker bluegreen is %s: %s, a copy of %s", did, p.path, p.self)
	}
	return fmt.Sprintf("docker bluegreen is %s: %s, a link to %s", did, p.path, p.self)
}

// install makes the file lead to this binary. What is not ours is not touched: an error says so.
func (p pluginFile) install() (pluginChange, error) {
	did := pluginInstalled
	switch is, err := p.look(); {
	case err != nil:
		return "", err
	case is == fileThis:
		return pluginUnchanged, nil
	case is == fileOurs:
		did = pluginUpdated
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o755); err != nil {
		return "", p.failed("make the folder of", err)
	}
	if err := p.write(); err != nil {
		return "", p.failed("install", err)
	}
	return did, nil
}

// uninstall removes the file if it is ours.
func (p pluginFile) uninstall() (pluginChange, error) {
	switch is, err := p.look(); {
	case err != nil:
		return "", err
	case is == fileAbsent:
		return pluginAbsent, nil
	}
	if err := os.Remove(p.path); err != nil {
		return "", p.failed("remove", err)
	}
	return pluginRemoved, nil
}

func (p pluginFile) failed(what string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s the plugin: %w\nRun it as a user who may write there, or leave out --global", what, err)
	}
	return fmt.Errorf("%s the plugin: %w", what, err)
}

// fileKind says what is at the plugin's path.
type fileKind int

const (
	fileAbsent fileKind = iota
	fileThis            // this binary, or a copy that is the same
	fileOurs            // another bluegreen
)

// look says what is at the path; an error is something that is not ours.
func (p pluginFile) look() (fileKind, error) {
	at, err := os.Lstat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fileAbsent, nil
	}
	if err != nil {
		return 0, err
	}
	there, err := os.Stat(p.path)
	if err != nil && at.Mode()&fs.ModeSymlink != 0 && p.oursByName() {
		return fileOurs, nil // its binary is gone
	}
	switch {
	case err == nil && p.same(there):
		return fileThis, nil
	case err == nil && there.Mode().IsRegular() && oursByMetadata(p.path):
		return fileOurs, nil
	}
	return 0, fmt.Errorf("%s is there already, and is not bluegreen's: it is left alone\nLook at it, and remove it yourself if you do not need it", p.path)
}

// same says whether the file at the path is this binary or has the same content.
func (p pluginFile) same(there fs.FileInfo) bool {
	self, err := os.Stat(p.self)
	if err != nil {
		return false
	}
	if os.SameFile(self, there) {
		return true
	}
	if !p.copies || self.Size() != there.Size() {
		return false
	}
	one, err1 := os.ReadFile(p.self)
	other, err2 := os.ReadFile(p.path)
	return err1 == nil && err2 == nil && bytes.Equal(one, other)
}

// oursByName says whether a link leads to where a bluegreen was.
func (p pluginFile) oursByName() bool {
	to, err := os.Readlink(p.path)
	return err == nil && slices.Contains([]string{pluginName, metadata.NamePrefix + pluginName}, strings.TrimSuffix(filepath.Base(to), ".exe"))
}

// oursByMetadata asks a plugin what it is, as docker does each time before it runs one.
func oursByMetadata(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), askPlugin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, metadata.MetadataSubcommandName)
	cmd.WaitDelay = time.Second // what it started may hold its output open
	text, err := cmd.Output()
	var said metadata.Metadata
	return err == nil && json.Unmarshal(text, &said) == nil && said.Vendor == pluginVendor
}

// write puts a link or a copy at the path, whole or not at all. Docker takes no plugin of the name it has meanwhile.
func (p pluginFile) write() error {
	folder, err := os.MkdirTemp(filepath.Dir(p.path), ".bluegreen-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	temporary := filepath.Join(folder, filepath.Base(p.path))
	if p.copies {
		err = copyProgram(p.self, temporary)
	} else {
		err = os.Symlink(p.self, temporary)
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, p.path)
}

// copyProgram makes a copy that everybody may run, whatever the umask is.
func copyProgram(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, content, 0o755); err != nil {
		return err
	}
	return os.Chmod(to, 0o755)
}
