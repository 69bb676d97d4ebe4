package main

import (
	"bytes"
	"strings"
	"testing"

	"bluegreen/swap"
)

// TestTheVersionIsTheSameByCommandAndByFlag also as JSON, and whatever BLUEGREEN_VERSION says: a job may have it for itself.
func TestTheVersionIsTheSameByCommandAndByFlag(t *testing.T) {
	for _, setting := range []string{"", "v1.2.3", "true"} {
		t.Setenv("BLUEGREEN_VERSION", setting)
		for _, more := range []string{"", " -o json", " -q"} {
			var byCommand, byFlag, errs bytes.Buffer
			one := run(t.Context(), strings.Fields("version"+more), &byCommand, &errs)
			other := run(t.Context(), strings.Fields("--version"+more), &byFlag, &errs)
			if one != swap.ExitDone || other != swap.ExitDone || byCommand.String() != byFlag.String() || !strings.Contains(byFlag.String(), version) {
				t.Errorf("%s, BLUEGREEN_VERSION=%s: exit codes %d and %d, %q and %q, %s", more, setting, one, other, &byCommand, &byFlag, &errs)
			}
		}
		var help, errs bytes.Buffer
		if code := run(t.Context(), nil, &help, &errs); code != swap.ExitDone || !strings.Contains(help.String(), "Usage:") {
			t.Errorf("without a command, BLUEGREEN_VERSION=%s: exit code %d, %s%s", setting, code, &help, &errs)
		}
	}
}

// TestTheVersionIsNotAskedForBesideACommand: neither is a deploy to begin, nor is one to seem done.
func TestTheVersionIsNotAskedForBesideACommand(t *testing.T) {
	dockerFolder(t)
	server, greeted := engineThere(t, false)
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	for args, says := range map[string]string{
		"--version deploy --name x --image x": "--version goes without a command", "--version status": "--version goes without a command",
		"deploy --version": "unknown flag", "--version depoy": "unknown command",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.Fields(args), &out, &errs)
		if code != swap.ExitUsage || out.Len() > 0 || !strings.Contains(errs.String(), says) {
			t.Errorf("%s: exit code %d, %q, %q", args, code, &out, &errs)
		}
	}
	if n := greeted.Load(); n > 0 {
		t.Errorf("the engine was asked %d times", n)
	}
}
