package swap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"bluegreen/docker"
	"bluegreen/hook"
)

// hookRun is a hook that was run on a host.
type hookRun struct {
	script string
	env    map[string]string
}

// ranHook notes that a hook was run. "fail" in its script lets it fail.
func (h *host) ranHook(script string, env []string, out io.Writer) error {
	defer h.lock()()
	run := hookRun{script: script, env: map[string]string{}}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		run.env[name] = value
	}
	h.hooks = append(h.hooks, run)
	fmt.Fprintln(out, "this is", run.env["BLUEGREEN_HOOK"])
	if strings.Contains(script, "fail") {
		return &hook.ExitError{Code: 7}
	}
	return nil
}

// runTask runs a hook in a container of its own, which stays when the caller is killed meanwhile.
func (h *host) runTask(p *process, t docker.Task) (int, error) {
	if t.Profile.Image.ID == "" {
		return 0, errors.New("no image was given")
	}
	unlock := h.lock()
	b, err := h.add(docker.Container{Name: t.Profile.Name, ImageID: t.Profile.Image.ID, Labels: t.Profile.Labels, State: "created"})
	unlock()
	if err != nil {
		return 0, err
	}
	p.point("RunTask, created")
	var exit *hook.ExitError
	err = h.ranHook(t.Script, environ(t.Profile.Env), t.Output)
	p.point("RunTask, ended")
	defer h.lock()()
	delete(h.boxes, b.ID)
	if errors.As(err, &exit) {
		return exit.Code, nil
	}
	return 0, err
}

// events are the events of the hooks that were run, in order.
func (h *host) hookEvents() (list []string) {
	defer h.lock()()
	for _, r := range h.hooks {
		list = append(list, r.env["BLUEGREEN_HOOK"]+" "+r.script)
	}
	return slices.Clip(list)
}
