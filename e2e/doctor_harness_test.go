package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// finding is a problem or a warning of `doctor -o json`.
type finding struct{ Check, Level, What, Remedy string }

func (f finding) String() string { return f.Level + " " + f.Check }

// doctor asks for all findings, and makes sure that the exit code fits them. Nothing may be skipped but what is named.
func (h *host) doctor(t *testing.T, skipped ...string) []finding {
	t.Helper()
	out := h.run("doctor", "-o", "json")
	var d struct {
		Service string
		Checks  []finding
	}
	if err := json.Unmarshal([]byte(out.stdout), &d); err != nil || d.Service != h.service || out.stderr != "" {
		t.Fatalf("read diagnosis: %v: %v", err, out)
	}
	code := 0
	var found []finding
	for _, c := range d.Checks {
		switch c.Level {
		case "problem":
			code = 1
			found = append(found, c)
		case "warning":
			found = append(found, c)
		case "skipped":
			if !slices.Contains(skipped, c.Check) {
				t.Errorf("skipped: %+v", c)
			}
		}
	}
	if out.code != code {
		t.Errorf("want exit %d: %v", code, out)
	}
	return found
}

// wantFindings asks, and compares with "level check".
func (h *host) wantFindings(t *testing.T, want []string, skipped ...string) []finding {
	t.Helper()
	found := h.doctor(t, skipped...)
	var got []string
	for _, f := range found {
		got = append(got, f.String())
		if f.What == "" || f.Remedy == "" {
			t.Errorf("a finding without words: %+v", f)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("found %q, want %q: %+v", got, want, found)
	}
	return found
}

// sh runs a remedy that is a docker command as a person would, the words after it left out.
func sh(t *testing.T, command string) {
	t.Helper()
	if i := strings.LastIndex(command, "docker "); strings.Contains(command, ": docker ") {
		command = command[i:]
	}
	command, _, _ = strings.Cut(command, " (the next")
	command, _, _ = strings.Cut(command, "; and ")
	if text, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("the remedy %s: %v\n%s", command, err, text)
	}
}

// ailment is a fault, what doctor must say about it, and what its remedy is besides what it says.
type ailment struct {
	name    string
	make    func(*testing.T, *host)
	want    []string
	skipped []string
	cure    func(*testing.T, *host, finding) // nil: the remedy's own docker command
}

// suffer makes each fault and sees that doctor finds it and nothing else. Its remedy has taken it away when the next look,
// at the next fault or at the end, finds nothing of it.
func (h *host) suffer(t *testing.T, ailments []ailment) {
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: the remedies are docker commands, and there is no docker command here")
	}
	for _, a := range ailments {
		ok := t.Run(a.name, func(t *testing.T) {
			a.make(t, h)
			first := h.wantFindings(t, a.want, a.skipped...)[0]
			if a.cure == nil {
				a.cure = func(t *testing.T, _ *host, f finding) { sh(t, f.Remedy) }
			}
			a.cure(t, h, first)
		})
		if !ok {
			t.FailNow() // the next one would find this one's fault
		}
	}
	h.wantFindings(t, nil)
}

// newPatient is a healthy host, with v2 live and v1 warm, whose idle connections need not be watched for long.
func newPatient(t *testing.T, options ...option) *host {
	t.Helper()
	h := newHost(t, append([]option{ownKey("upstream.keepalive_timeout", "200ms"), ownKey("watch", "0s")}, options...)...)
	h.deploy("v1")
	h.deploy("v2")
	return h
}

// edit changes a file of nginx's, as a person does: nobody reloads.
func (h *host) edit(t *testing.T, file, from, to string) {
	t.Helper()
	text := h.exec(h.nginx(), "cat", file)
	if !strings.Contains(text, from) {
		t.Fatalf("%s has no %q:\n%s", file, from, text)
	}
	h.exec(h.nginx(), "sh", "-c", `printf %s "$1" >"$2"`, "sh", strings.ReplaceAll(text, from, to), file)
}

// addToHTTP adds the directive that a remedy names to the http block of nginx.conf, and reloads as it says.
func addToHTTP(t *testing.T, h *host, f finding) {
	_, line, _ := strings.Cut(f.Remedy, "`")
	line, _, _ = strings.Cut(line, "`")
	h.edit(t, nginxConf, "\nhttp {\n", "\nhttp {\n"+line+"\n")
	sh(t, f.Remedy)
}

// twin makes a second network of the host's name. The engine's client always asks for a check; an engine that lets two of
// one name be made does without it.
func (h *host) twin(t *testing.T) {
	t.Helper()
	api := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return engine.Dialer()(ctx) }}}
	body := fmt.Sprintf(`{"Name": %q, "Driver": "bridge", "CheckDuplicate": false}`, h.network)
	answer, err := api.Post("http://docker/v1.41/networks/create", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(answer.Body)
		t.Skipf("SKIPPED: this engine makes no second network of one name: %s", text)
	}
}

// killedInSwitch leaves a deploy's swap open. It cannot be confirmed while nginx's old workers are stopped and so cannot
// retire: there is time to kill the run.
func (h *host) killedInSwitch(t *testing.T) {
	t.Helper()
	h.signalWorkers("STOP")
	defer h.signalWorkers("CONT")
	p := h.start([]string{"VERSION=v3"}, "deploy", "-o", "json")
	p.awaitStep("switch")
	state := "/etc/nginx/bluegreen/sites/" + h.service + "/state.json"
	for range 2000 {
		if strings.Contains(h.exec(h.nginx(), "cat", state), `"intent": {`) {
			p.kill()
			break
		}
	}
	if out := p.wait(); out.code != -1 {
		t.Fatalf("it was not killed: %v", out)
	}
}

func (h *host) signalWorkers(signal string) {
	h.t.Helper()
	h.exec(h.nginx(), "sh", "-euc", `
		for p in /proc/[0-9]*; do
			case $(tr '\0' ' ' <"$p/cmdline") in "nginx: worker process"*) kill -"$1" "${p#/proc/}" ;; esac
		done`, "sh", signal)
}

// remake makes a container anew with another configuration, under its name and on the host's network, and starts it.
func (h *host) remake(t *testing.T, name string, edit func(*container.Config, *container.HostConfig)) {
	t.Helper()
	old := h.inspect(t, name)
	if err := engine.ContainerRemove(t.Context(), name, container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	edit(old.Config, old.HostConfig)
	at := old.NetworkSettings.Networks[h.network]
	endpoint := &network.EndpointSettings{NetworkID: at.NetworkID, IPAMConfig: at.IPAMConfig}
	made, err := engine.ContainerCreate(t.Context(), old.Config, old.HostConfig,
		&network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{h.network: endpoint}}, nil, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
}
