package nginx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readDump reads what `nginx -T` of the image printed.
func readDump(t *testing.T, name string) Dump {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return parseDump(string(text))
}

// listing is every directive with its place, one a line.
func (d Dump) listing() string {
	var b strings.Builder
	for _, x := range d.Directives {
		fmt.Fprintf(&b, "%s %s> %s %q\n", x.Where(), strings.Join(x.In, " "), x.Name, x.Args)
	}
	return b.String()
}

func TestNginxsOwnDumpIsReadDirectiveByDirective(t *testing.T) {
	for _, name := range []string{"dump-managed", "dump-own"} {
		file, got := filepath.Join("testdata", name+".golden"), readDump(t, name).listing()
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs (go test ./nginx -update writes it anew):\n%s", file, got)
		}
	}
}

func TestADumpSaysWhichFilesNginxReads(t *testing.T) {
	d := readDump(t, "dump-managed")
	for file, want := range map[string]bool{
		"/etc/nginx/bluegreen/nginx.conf": true, "/etc/nginx/bluegreen/sites/shop.conf": true,
		"/etc/nginx/bluegreen/" + IncludePath("shop"): true, "/etc/nginx/bluegreen/" + IncludePath("blog"): false, "": false,
	} {
		if d.Reads(file) != want {
			t.Errorf("reads %s: want %v", file, want)
		}
	}
}

func TestADumpSaysWhetherEveryServerKeepsItsConnections(t *testing.T) {
	if set, zero := readDump(t, "dump-managed").KeepaliveMinTimeout(); !set || len(zero) > 0 {
		t.Errorf("managed: %v %v", set, zero)
	}
	set, zero := readDump(t, "dump-own").KeepaliveMinTimeout()
	if !set || len(zero) != 1 || zero[0].Where() != "/etc/nginx/own/nginx.conf:8" {
		t.Errorf("own: %v %v", set, zero)
	}
	for text, want := range map[string]string{
		"http { keepalive_min_timeout 13s; }":            "true 0",
		"http { keepalive_min_timeout 100; }":            "true 0",
		"http { keepalive_min_timeout 0s; }":             "true 1",
		"http { # keepalive_min_timeout 13s;\n}":         "false 0",
		"http { server { keepalive_min_timeout 13s; } }": "false 0",
	} {
		set, zero := parseDump(fileLine + "/a:\n" + text + "\n").KeepaliveMinTimeout()
		if got := fmt.Sprint(set, " ", len(zero)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestADumpIsAskedForWithTheMastersOwnFile(t *testing.T) {
	for title, want := range map[string][]string{
		"nginx: master process nginx -c /etc/nginx/own/nginx.conf -g daemon off;": {"nginx", "-T", "-c", "/etc/nginx/own/nginx.conf"},
		"nginx: master process nginx -g daemon off;":                              {"nginx", "-T"},
	} {
		var asked []string
		p := answering{Result{Stdout: fileLine + "/x:\nuser a;\n"}, &asked}
		d, err := ReadDump(t.Context(), p, ConfigFile(title))
		if err != nil || !d.Reads("/x") || !slices.Equal(asked, want) {
			t.Errorf("%s: asked %q, %v, %v", title, asked, d, err)
		}
	}
}

func TestAConfigurationThatNginxRefusesIsAnErrorInItsOwnWords(t *testing.T) {
	var refused *TestError
	_, err := ReadDump(t.Context(), answering{Result{ExitCode: 1, Stderr: "[emerg] unknown directive\n"}, new([]string)}, "")
	if !errors.As(err, &refused) || refused.Output != "[emerg] unknown directive" {
		t.Errorf("%v", err)
	}
	if _, err := ReadDump(t.Context(), answering{Result{ExitCode: 127}, new([]string)}, ""); err == nil || errors.As(err, &refused) {
		t.Errorf("no nginx there: %v", err)
	}
}

// answering is a place where every command ends in the same way.
type answering struct {
	result Result
	asked  *[]string
}

func (a answering) Run(_ context.Context, cmd []string) (Result, error) {
	*a.asked = cmd
	return a.result, nil
}

func (answering) Top(context.Context) ([]Process, error) { return nil, errors.New("not running") }
