package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// commandTimeout ends a bluegreen that hangs: longer than any drain.
const commandTimeout = 4 * time.Minute

// output is what a command that has ended said.
type output struct {
	command        string
	stdout, stderr string
	code           int
	took           time.Duration
	events         []event // of -o json, result included
}

// event is one line of -o json; those of result are the fields from Outcome on.
type event struct {
	Time       time.Time
	Event      string // plan, step_started, step_done, step_failed, progress, result
	Step       string
	Profile    string
	Undo       bool
	Text       string
	DurationMS int64 `json:"duration_ms"`
	Error      string
	Steps      []struct{ Name, Kind, Profile, Text, Undo string }
	Notes      []string

	Outcome             string
	Service, Live, Idle string
	Release             int
	Image               string
	SwitchMS            int64 `json:"switch_ms"`
	Waiting             *struct {
		Release int
		Profile string
		Preview []string
	}
}

func (o output) String() string {
	return fmt.Sprintf("%s: exit %d after %v\n%s%s", o.command, o.code, o.took.Round(time.Millisecond), o.stdout, o.stderr)
}

// result is the last line of -o json.
func (o output) result() event {
	if n := len(o.events); n > 0 && o.events[n-1].Event == "result" {
		return o.events[n-1]
	}
	return event{}
}

// find is the first event of this kind about this step; its time is zero when there is none.
func (o output) find(kind, step string) event {
	i := slices.IndexFunc(o.events, func(e event) bool { return e.Event == kind && e.Step == step && !e.Undo })
	if i < 0 {
		return event{}
	}
	return o.events[i]
}

// process is a bluegreen under way.
type process struct {
	t       testing.TB
	cmd     *exec.Cmd
	command string
	start   time.Time
	stderr  bytes.Buffer
	ended   chan struct{}

	mu      sync.Mutex
	stdout  strings.Builder
	events  []event
	changed chan struct{} // closed and replaced at each event
}

// start runs bluegreen in the host's folder, with env (K=V) added to its environment.
func (h *host) start(env []string, args ...string) *process {
	h.t.Helper()
	return h.startAs(env, binary, args...)
}

// startAs is start by way of another program, which becomes bluegreen.
func (h *host) startAs(env []string, program string, args ...string) *process {
	h.t.Helper()
	p := &process{
		t: h.t, cmd: exec.Command(program, args...), command: strings.Join(append(env, append([]string{"bluegreen"}, args...)...), " "),
		start: time.Now(), ended: make(chan struct{}), changed: make(chan struct{}),
	}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = h.dir, append(append(cleanEnv(), h.env...), env...), &p.stderr
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		h.t.Fatalf("start %s: %v", p.command, err)
	}
	hung := time.AfterFunc(commandTimeout, p.kill)
	go func() {
		defer close(p.ended)
		for lines := bufio.NewReader(pipe); ; {
			line, err := lines.ReadString('\n')
			p.heard(line)
			if err != nil {
				break
			}
		}
		_ = p.cmd.Wait() // the exit code tells
		hung.Stop()
	}()
	return p
}

// cleanEnv is this process's environment without what would configure bluegreen.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		for _, prefix := range []string{"BLUEGREEN_", "VERSION=", "FAULT=", "COMPOSE_"} {
			if strings.HasPrefix(kv, prefix) {
				return true
			}
		}
		return false
	})
}

func (p *process) heard(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stdout.WriteString(line)
	var e event
	if json.Unmarshal([]byte(line), &e) == nil && e.Event != "" {
		p.events = append(p.events, e)
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// kill is kill -9.
func (p *process) kill() { _ = p.cmd.Process.Kill() }

// signal sends another one, such as os.Interrupt.
func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// await returns the first event that fits, as soon as it is there; false when the command ends without one.
func (p *process) await(fits func(event) bool) (event, bool) {
	for seen := 0; ; {
		p.mu.Lock()
		events, changed := p.events[seen:], p.changed
		p.mu.Unlock()
		if i := slices.IndexFunc(events, fits); i >= 0 {
			return events[i], true
		}
		seen += len(events)
		select {
		case <-changed:
		case <-p.ended:
			p.mu.Lock()
			done := seen == len(p.events)
			p.mu.Unlock()
			if done {
				return event{}, false
			}
		}
	}
}

// awaitStep waits until the command begins a step, and fails the test when it never does. It needs -o json.
func (p *process) awaitStep(step string) event {
	p.t.Helper()
	e, ok := p.await(func(e event) bool { return e.Event == "step_started" && e.Step == step && !e.Undo })
	if !ok {
		p.t.Fatalf("step %s never began: %v", step, p.wait())
	}
	return e
}

// wait waits until the command has ended. The code of a killed one is -1.
func (p *process) wait() output {
	<-p.ended
	return output{
		command: p.command, stdout: p.stdout.String(), stderr: p.stderr.String(), events: p.events,
		code: p.cmd.ProcessState.ExitCode(), took: time.Since(p.start),
	}
}

// run runs bluegreen to its end, whatever that is.
func (h *host) run(args ...string) output { h.t.Helper(); return h.runWith(nil, args...) }

// runWith is run with K=V added to the environment: VERSION and FAULT change the release, see examples/hello.
func (h *host) runWith(env []string, args ...string) output {
	h.t.Helper()
	return h.start(env, args...).wait()
}

// must is run for a command that has to exit 0.
func (h *host) must(args ...string) output { h.t.Helper(); return h.mustWith(nil, args...) }

func (h *host) mustWith(env []string, args ...string) output {
	h.t.Helper()
	out := h.runWith(env, args...)
	if out.code != 0 {
		h.t.Fatalf("want exit 0: %v", out)
	}
	return out
}

// deploy deploys a release that says it is this version, with -o json.
func (h *host) deploy(version string, args ...string) output {
	h.t.Helper()
	return h.mustWith([]string{"VERSION=" + version}, append([]string{"deploy", "-o", "json"}, args...)...)
}

// deployFaulty deploys a release with a fault (examples/hello/app/fault.go), whatever comes of it, with -o json.
func (h *host) deployFaulty(version, fault string, args ...string) output {
	h.t.Helper()
	return h.runWith([]string{"VERSION=" + version, "FAULT=" + fault}, append([]string{"deploy", "-o", "json"}, args...)...)
}

// rollback rolls back, with -o json.
func (h *host) rollback(args ...string) output {
	h.t.Helper()
	return h.must(append([]string{"rollback", "-o", "json"}, args...)...)
}
