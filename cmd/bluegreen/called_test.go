package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/cli/cli-plugins/socket"
	"github.com/docker/cli/cli/config"
	"github.com/spf13/cobra"

	"bluegreen/swap"
)

// dockerFolder gives docker an empty configuration folder of its own.
func dockerFolder(t *testing.T) string {
	t.Helper()
	old, dir := config.Dir(), t.TempDir()
	config.SetDir(dir)
	t.Cleanup(func() { config.SetDir(old) })
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	return dir
}

func TestItIsAPluginOnlyWhenDockerCallsIt(t *testing.T) {
	for _, c := range []struct {
		argv0, docker string
		want          bool
	}{
		{"/root/.docker/cli-plugins/docker-bluegreen", "docker", true},
		{`docker-bluegreen.exe`, "docker", true},
		{"/root/.docker/cli-plugins/docker-bluegreen", "", false},
		{"/usr/local/bin/bluegreen", "docker", false},
	} {
		t.Setenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", c.docker)
		if got := calledByDocker(c.argv0); got != c.want {
			t.Errorf("%q from %q: %v", c.argv0, c.docker, got)
		}
	}
}

// The arguments are what docker 28.2 hands over.
func TestDockersOwnFlagsAreTakenOutOfTheArguments(t *testing.T) {
	dockerFolder(t)
	for _, c := range []struct{ args, own, host, context string }{
		{"bluegreen", "", "", ""},
		{"bluegreen status -o json", "status -o json", "", ""},
		{"--context far bluegreen status bluegreen", "status bluegreen", "", "far"},
		{"-c far -D bluegreen status", "status", "", "far"},
		{"--log-level debug -H tcp://far:2375 bluegreen -H unix:///x status", "-H unix:///x status", "tcp://far:2375", ""},
		{"-H 10.0.0.1 bluegreen status", "status", "tcp://10.0.0.1:2375", ""},
		{"--tls=false bluegreen bluegreen", "bluegreen", "", ""},
		{"bluegreen deploy --help", "deploy --help", "", ""},
		{"help bluegreen deploy", "help deploy", "", ""},
		{"--help bluegreen deploy", "help deploy", "", ""},
		{"-v bluegreen deploy", "version", "", ""},
		{"__complete bluegreen status sh", "__complete status sh", "", ""},
		{"docker-cli-plugin-metadata", "docker-cli-plugin-metadata", "", ""},
	} {
		a := &app{}
		own, err := a.fromDocker(strings.Fields(c.args))
		if err != nil || strings.Join(own, " ") != c.own || a.engine.Host != c.host || a.engine.Context != c.context {
			t.Errorf("%s: %q, host %q, context %q, %v", c.args, own, a.engine.Host, a.engine.Context, err)
		}
	}
	for _, wrong := range []string{"--nosuch bluegreen", "-H a -H b bluegreen", "-H http://x bluegreen status"} {
		var out, errs bytes.Buffer
		if code := runPlugin(t.Context(), strings.Fields(wrong), &out, &errs); code != swap.ExitUsage || errs.Len() == 0 {
			t.Errorf("%s: exit code %d, %s", wrong, code, errs.String())
		}
	}
}

// engineThere is a Docker engine that greets, and counts how often; it knows nothing else.
func engineThere(t *testing.T, tls bool) (server *httptest.Server, greeted *atomic.Int64) {
	t.Helper()
	greeted = new(atomic.Int64)
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_ping") {
			greeted.Add(1)
			w.Header().Set("Api-Version", "1.41")
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused certificate is one of the cases
	if tls {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, greeted
}

func TestDockersOwnFlagsChooseTheEngine(t *testing.T) {
	dir := dockerFolder(t)
	one, oneGreeted := engineThere(t, false)
	two, twoGreeted := engineThere(t, false)
	over, overGreeted := engineThere(t, true)
	ca := filepath.Join(dir, "own-ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: over.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(s *httptest.Server) string { return "tcp://" + s.Listener.Addr().String() }
	for _, c := range []struct {
		name, env string
		args      []string
		want      *atomic.Int64 // nil: none can be reached
	}{
		{"-H", "", []string{"-H", at(one), "bluegreen"}, oneGreeted},
		{"-H before BLUEGREEN_HOST", at(two), []string{"-H", at(one), "bluegreen"}, oneGreeted},
		{"bluegreen's own before docker's", "", []string{"-H", at(one), "bluegreen", "-H", at(two)}, twoGreeted},
		{"bluegreen's own before docker's context", "", []string{"--context", "nosuch", "bluegreen", "-H", at(two)}, twoGreeted},
		{"a context that is not there", at(two), []string{"--context", "nosuch", "bluegreen"}, nil},
		{"TLS", "", []string{"--tlsverify", "--tlscacert", ca, "-H", at(over), "bluegreen"}, overGreeted},
		{"TLS with a certificate nobody vouches for", "", []string{"--tlsverify", "--tlscacert", filepath.Join(dir, "nosuch.pem"), "-H", at(over), "bluegreen"}, nil},
		{"no TLS", "", []string{"-H", at(over), "bluegreen"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("BLUEGREEN_HOST", c.env)
			all := []*atomic.Int64{oneGreeted, twoGreeted, overGreeted}
			for _, n := range all {
				n.Store(0)
			}
			var out, errs bytes.Buffer
			code := runPlugin(t.Context(), append(c.args, "status", "shop"), &out, &errs)
			for _, n := range all {
				if (n.Load() > 0) != (n == c.want) {
					t.Errorf("one greeted %d times, two %d, TLS %d; exit code %d, %s", oneGreeted.Load(), twoGreeted.Load(), overGreeted.Load(), code, errs.String())
					return
				}
			}
			refused := code == swap.ExitUnreachable || strings.HasPrefix(c.name, "a context") && code == swap.ExitUsage || strings.HasPrefix(c.name, "TLS with") && code == swap.ExitUsage
			if c.want == nil && !refused {
				t.Errorf("exit code %d, %s", code, errs.String())
			}
		})
	}
}

func TestDockerIsToldWhatKindOfPluginItIs(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"docker-cli-plugin-metadata"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d, %s", code, errs.String())
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got["SchemaVersion"] != "0.1.0" || got["Vendor"] != pluginVendor || got["Version"] != version || got["ShortDescription"] == "" {
		t.Errorf("%v", got)
	}
}

func TestTextsNameCommandsAsTheyHaveToBeTyped(t *testing.T) {
	a := &app{plugin: true}
	a.root()
	for text, want := range map[string]string{
		"run `bluegreen deploy` to start it":                  "run `docker bluegreen deploy` to start it",
		"next: bluegreen unlock shop --yes; bluegreen status": "next: docker bluegreen unlock shop --yes; docker bluegreen status",
		"See 'docker bluegreen deploy --help'":                "See 'docker bluegreen deploy --help'",
		"See 'bluegreen --help'":                              "See 'docker bluegreen --help'",
		`left by "bluegreen deploy" of ann on ci-7`:           `left by "bluegreen deploy" of ann on ci-7`,
		"bluegreen swaps a service, x-bluegreen: {}":          "bluegreen swaps a service, x-bluegreen: {}",
		"container bluegreen-nginx, network bluegreen":        "container bluegreen-nginx, network bluegreen",
		"(bluegreen rehearse --clean)\nbluegreen rollback":    "(docker bluegreen rehearse --clean)\ndocker bluegreen rollback",
	} {
		if got := a.say(text); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if got := (&app{}).say(text); got != text {
			t.Errorf("called by its own name: %q", got)
		}
	}
}

// TestACommandToRunNextIsAboutWhatTheOneBeforeItWas: what was typed to say which service, engine and release, it says too.
func TestACommandToRunNextIsAboutWhatTheOneBeforeItWas(t *testing.T) {
	project(t, `""`)
	t.Setenv("BLUEGREEN_CONTEXT", "")
	t.Setenv("BLUEGREEN_NETWORK", "by-the-environment") // which stays as it is
	for typed, want := range map[string]string{
		"deploy": "run `bluegreen deploy` again; bluegreen status shows it",
		"deploy -f a.yaml --file b.yaml --image shop:v2 -e SECRET=x --wait 5s": "run `bluegreen --file a.yaml --file b.yaml deploy --image shop:v2` again; bluegreen --file a.yaml --file b.yaml status shows it",
		"rollback --network edge -H ssh://ann@shop-1":                          "run `bluegreen --host ssh://ann@shop-1 --network edge deploy` again; bluegreen --host ssh://ann@shop-1 --network edge status shows it",
		"deploy -f a|b.yaml": "run `bluegreen --file 'a|b.yaml' deploy` again; bluegreen --file 'a|b.yaml' status shows it",
	} {
		a := &app{stdout: io.Discard, stderr: io.Discard}
		root := a.root()
		root.SetArgs(strings.Fields(typed))
		_ = root.ExecuteContext(t.Context())
		if got := a.say("run `bluegreen deploy` again; bluegreen status shows it"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", typed, got, want)
		}
	}
}

// helpOf is the help of every command that has one.
func helpOf(t *testing.T, run func(context.Context, []string, io.Writer, io.Writer) int, before ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		var out, errs bytes.Buffer
		if code := run(t.Context(), slices.Concat(before, path, []string{"--help"}), &out, &errs); code != 0 || errs.Len() > 0 {
			t.Errorf("%v: exit code %d, %s", path, code, errs.String())
		}
		all[strings.Join(path, " ")] = out.String()
		for _, below := range c.Commands() {
			if below.IsAvailableCommand() {
				walk(below, slices.Concat(path, []string{below.Name()}))
			}
		}
	}
	walk((&app{}).root(), nil)
	return all
}

func TestHelpReadsAsItWasAskedFor(t *testing.T) {
	dockerFolder(t)
	plain := helpOf(t, run)
	for command, help := range plain {
		if strings.Contains(help, "docker bluegreen "+command) && !strings.HasPrefix(command, "plugin") {
			t.Errorf("%q speaks as a plugin:\n%s", command, help)
		}
	}
	for command, help := range helpOf(t, runPlugin, "bluegreen") {
		if !strings.Contains(help, strings.TrimSpace("docker bluegreen "+command)) {
			t.Errorf("%q does not say how to call it:\n%s", command, help)
		}
		left := strings.ReplaceAll(help, "docker bluegreen", "")
		for name := range plain {
			if first := strings.Fields(name + " -")[0]; first != "-" && strings.Contains(left, "bluegreen "+first+" ") {
				t.Errorf("%q names `bluegreen %s`:\n%s", command, first, help)
			}
		}
	}
}

func TestAMistakeIsToldAsItWasTyped(t *testing.T) {
	dockerFolder(t)
	for args, want := range map[string]string{
		"bluegreen depoy":             "unknown command \"depoy\", did you mean deploy?\n  See 'docker bluegreen --help'",
		"bluegreen plugin instal":     "unknown command \"instal\", did you mean install?\n  See 'docker bluegreen plugin --help'",
		"bluegreen deploy --nope":     "See 'docker bluegreen deploy --help'",
		"bluegreen -o yaml status":    "--output yaml: must be text or json",
		"bluegreen deploy --image= x": "--image is empty",
	} {
		var out, errs bytes.Buffer
		if code := runPlugin(t.Context(), strings.Fields(args), &out, &errs); code != swap.ExitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit code %d\n%s", args, code, errs.String())
		}
	}
}

// TestTheEndOfDockerEndsThePlugin: docker closes its end of the socket when it is interrupted, the kernel when it is killed.
func TestTheEndOfDockerEndsThePlugin(t *testing.T) {
	server, err := socket.NewPluginServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	t.Setenv(socket.EnvKey, server.Addr().String())
	ctx := untilDockerEnds(t.Context())
	select {
	case <-ctx.Done():
		t.Fatal("docker is still there")
	case <-time.After(20 * time.Millisecond):
	}
	server.Close()
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on without docker")
	}
}

// TestAPluginOfAnOldDockerRunsToItsEnd: that one has no socket.
func TestAPluginOfAnOldDockerRunsToItsEnd(t *testing.T) {
	if err := untilDockerEnds(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}
