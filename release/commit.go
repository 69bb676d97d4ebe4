package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// commit is what a release is made of.
type commit struct {
	hash  string
	date  time.Time
	dirty []string // lines of git status
}

func readCommit(ctx context.Context, root string) (commit, error) {
	text, err := output(ctx, root, nil, "git", "-c", "log.showSignature=false", "log", "-1", "--format=%H %ct")
	if err != nil {
		return commit{}, fmt.Errorf("a release is made of a commit: %w", err)
	}
	hash, seconds, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return commit{}, fmt.Errorf("date of commit %s: %w", hash, err)
	}
	status, err := output(ctx, root, nil, "git", "status", "--porcelain", "--untracked-files=normal")
	if err != nil {
		return commit{}, err
	}
	c := commit{hash: hash, date: time.Unix(at, 0).UTC()}
	if text := strings.TrimRight(string(status), "\n"); text != "" {
		c.dirty = strings.Split(text, "\n")
	}
	return c, nil
}

// dirtySuffix ends the version of what is not a commit alone; git describe --dirty writes it, too.
const dirtySuffix = "-dirty"

// checkClean refuses to give a version to files that no commit has.
func (c commit) checkClean(version string) error {
	if len(c.dirty) == 0 || strings.HasSuffix(version, dirtySuffix) {
		return nil
	}
	return fmt.Errorf("version %s would have files that no commit has:\n%s\nCommit them or put them away; to try a release out: VERSION=%s%s",
		version, strings.Join(c.dirty, "\n"), version, dirtySuffix)
}

// output runs a program in a folder, with more environment (K=V), and returns what it wrote to stdout. An error has what it
// wrote to stderr.
func output(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &said, append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err), errors.New(strings.TrimSpace(said.String())))
	}
	return out, nil
}
