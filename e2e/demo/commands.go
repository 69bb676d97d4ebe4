package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	folder = "examples/hello"
	binary = "../../bin/bluegreen" // from there
)

// show prints a command and runs it. A tag, where there is one, names the image's version.
func show(tag string, args ...string) error {
	shown := "bluegreen " + strings.Join(args, " ")
	cmd := bluegreen(args...)
	if tag != "" {
		shown = "TAG=" + tag + " " + shown
		cmd.Env = append(cmd.Env, "TAG="+tag)
	}
	fmt.Println("$", shown)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout // one stream keeps the order, wherever it goes
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	return nil
}

// read runs a command with -o json, and decodes the one object or the several lines that it prints.
func read[T any](args ...string) ([]T, error) {
	text, err := bluegreen(append(args, "-o", "json")...).Output()
	if err != nil {
		return nil, err
	}
	var all []T
	for lines := json.NewDecoder(bytes.NewReader(text)); lines.More(); {
		var one T
		if err := lines.Decode(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// bluegreen is a command in examples/hello. It leaves an interrupt to bluegreen itself, which gets it from the terminal as well and undoes what it began.
func bluegreen(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = folder, os.Environ()
	return cmd
}

// live is the image that is live; "" when none is.
func live() string {
	type status struct {
		Profiles []struct {
			Image, Health string
			Live          bool
		}
	}
	all, err := read[status]("status")
	if err != nil || len(all) == 0 {
		return ""
	}
	for _, p := range all[0].Profiles {
		if p.Live && p.Health == "ok" {
			return p.Image
		}
	}
	return ""
}

// switches is how long the last n switches took, oldest first.
func switches(n int) []time.Duration {
	type record struct {
		SwitchMS int64 `json:"switch_ms"`
	}
	list, err := read[record]("history", "--last", strconv.Itoa(n))
	if err != nil {
		return nil
	}
	var took []time.Duration
	for _, r := range list {
		took = append(took, time.Duration(r.SwitchMS)*time.Millisecond)
	}
	return took
}
