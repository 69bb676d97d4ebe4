package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/swap"
)

// secureFile is a compose file whose certificate is not there.
const secureFile = `
name: shop
services:
  shop:
    image: shop:v1
    x-bluegreen:
      server_names: [shop.example.com]
      tls: {certificate: gone.crt, key: gone.key}
`

// TestWhereThereIsAComposeFileItCounts for what brings the site into nginx, and for nothing else: a certificate that cannot be
// read is no reason against a rollback.
func TestWhereThereIsAComposeFileItCounts(t *testing.T) {
	dockerFolder(t)
	server, _ := engineThere(t, false)
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(secureFile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for args, refused := range map[string]bool{
		"reload": true, "reload shop": true, "reload --force": true, "switch": true, "switch shop": true, "health --switch": true, "nginx recreate --yes": true,
		"rollback": false, "health": false, "status": false, "maintenance off": false, "maintenance on": false, "down": false, "stop": false,
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.Fields(args), &out, &errs)
		said := strings.Contains(errs.String(), "x-bluegreen.tls.certificate: cannot read") && strings.Contains(errs.String(), "gone.crt")
		if refused && (code != swap.ExitUsage || !said) || !refused && (code == swap.ExitUsage || said) {
			t.Errorf("%s: exit code %d\n%s", args, code, errs.String())
		}
	}
}

func TestTheNextCommandIsWholeAndNamesTheRightKey(t *testing.T) {
	secure := &config.Service{}
	secure.Settings.Profiles = [2]config.Profile{{Name: "real1", Port: 8081}, {Name: "real2", Port: 8082}}
	secure.Settings.Web.TLS = &config.TLS{}
	own := *secure
	own.Host.HTTPS = 8443
	taken := func(port int) error { return &docker.PortTakenError{Port: port, Err: errors.New("taken")} }
	for _, c := range []struct {
		r    swap.Request
		err  error
		want string
	}{
		{swap.Request{Command: swap.Recreate, Service: secure}, taken(443), "free port 443, or give another one (x-bluegreen.nginx.https)"},
		{swap.Request{Command: swap.Recreate, Service: &own}, taken(8443), "free port 8443, or give another one (x-bluegreen.nginx.https)"},
		{swap.Request{Command: swap.Recreate, Service: &own}, taken(80), "free port 80, or give another one (x-bluegreen.nginx.http)"},
		{swap.Request{Command: swap.Deploy, Service: secure}, taken(8082), "free port 8082, or give another one (x-bluegreen.profiles.real2)"},
		{swap.Request{Command: swap.Deploy, Service: secure}, taken(8079), "free port 8079, or give another one (x-bluegreen.nginx.status)"},
		{swap.Request{Command: swap.MaintenanceOn}, &swap.StepError{Err: errors.New("x")}, "mend the cause and run `bluegreen maintenance on` again; bluegreen status shows what is"},
		{swap.Request{Command: swap.MaintenanceOff}, swap.ErrLockLost, "run `bluegreen maintenance off` again: it settles what this run began; bluegreen status shows what is"},
		{swap.Request{Command: swap.Reload}, &swap.NotLiveError{Service: "shop"}, ""},
		{swap.Request{Command: swap.Recreate}, &swap.DeclinedError{Err: errors.New("no")}, ""},
	} {
		if got := nextCommand(swap.Result{Service: "shop"}, c.r, c.err); got != c.want {
			t.Errorf("%s, %v:\ngot  %s\nwant %s", c.r.Command, c.err, got, c.want)
		}
	}
}

// TestEveryCommandIsInTheTableOfTheREADME, and the table has no others.
func TestEveryCommandIsInTheTableOfTheREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Commands\n")
	table, _, _ = strings.Cut(table, "\nA host with a network of another name")
	said := map[string]bool{}
	for line := range strings.Lines(table) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		above := ""
		for i, code := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			code[1] = strings.ReplaceAll(code[1], `on\|off`, "on") // off is looked for below
			words := slices.DeleteFunc(strings.Fields(code[1]), func(w string) bool { return strings.ContainsAny(w, "[]-") || w == "IMAGE]" || w == "P]" })
			switch {
			case len(words) == 0: // arguments
			case i == 0:
				name := words[1:]
				said[strings.Join(name, " ")] = true
				above = strings.Join(name[:len(name)-1], " ")
			default:
				said[strings.TrimSpace(above+" "+words[0])] = true
			}
		}
	}
	said["maintenance off"] = strings.Contains(table, `maintenance on\|off`)
	there := map[string]bool{}
	dockerFolder(t)
	for name, help := range helpOf(t, run) {
		if name != "" && name != "help" && !strings.Contains(help, "Available Commands:") {
			there[name] = true
		}
	}
	for name := range there {
		if !said[name] && !strings.HasPrefix(name, "completion") {
			t.Errorf("`bluegreen %s` is not in the table", name)
		}
	}
	for name := range said {
		if !there[name] && name != "completion" {
			t.Errorf("`bluegreen %s` is in the table, and no command", name)
		}
	}
}
