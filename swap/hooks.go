package swap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/hook"
)

// HookError says which hook of an event failed. What it was to run may hold a secret, and is not repeated.
type HookError struct {
	Event Kind
	N, Of int // which of how many, from 1
	In    config.Where
	Err   error
	Tail  []string // its last lines
}

func (e *HookError) Error() string {
	name := string(e.Event) + " hook"
	if e.Of > 1 {
		name += fmt.Sprintf(" %d of %d", e.N, e.Of)
	}
	if e.In == config.InContainer {
		name += ", in a container,"
	}
	return name + " " + e.Err.Error()
}
func (e *HookError) Unwrap() error { return e.Err }

// keptLines is how much of a hook's output a HookError keeps.
const keptLines = 20

// hookEvents are the events that have hooks.
var hookEvents = []Kind{StepPreDeploy, StepPreSwitch, StepPostSwitch, StepOnFailure}

// hooksFor are the hooks of an event.
func hooksFor(h config.Hooks, event Kind) []config.Hook {
	switch event {
	case StepPreDeploy:
		return h.PreDeploy
	case StepPreSwitch:
		return h.PreSwitch
	case StepPostSwitch:
		return h.PostSwitch
	case StepOnFailure:
		return h.OnFailure
	}
	return nil
}

// hook adds the hooks of an event, if there are any.
func (p *Plan) hook(w Wanted, event Kind, profile string) {
	if n := len(hooksFor(w.Service.Hooks, event)); n > 0 && !w.NoHooks {
		p.add(Step{Kind: event, Profile: profile, Text: hookText(event, n)})
	}
}

func hookText(event Kind, n int) string {
	if n == 1 {
		return fmt.Sprintf("run the %s hook", event)
	}
	return fmt.Sprintf("run the %d %s hooks", n, event)
}

// runHooks runs the hooks of an event, one after the other, until one fails.
func (j *job) runHooks(ctx context.Context, s Step) error {
	list := hooksFor(j.Service.Hooks, s.Kind)
	for i, h := range list {
		var tail []string
		out := &hook.Lines{Line: func(line string) {
			tail = append(tail, line)
			tail = tail[max(0, len(tail)-keptLines):]
			j.emit(Event{Kind: Progress, Step: &s, Text: line, Output: true})
		}}
		err := j.runHook(ctx, s, h, out)
		_ = out.Close()
		if err != nil {
			return &HookError{Event: s.Kind, N: i + 1, Of: len(list), In: h.In, Err: err, Tail: slices.Clone(tail)}
		}
	}
	if s.Kind == StepPreSwitch {
		j.healthyAt = time.Now() // how long a migration takes is not how long a switch does
	}
	return nil
}

// runHook runs one, for as long as it may take.
func (j *job) runHook(ctx context.Context, s Step, h config.Hook, out io.Writer) error {
	limited, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	var err error
	if h.In == config.InContainer {
		err = j.hookInContainer(limited, s, h, out)
	} else {
		c := j.hookHere(h)
		c.Env, c.Output = append(environ(j.hookEnv(s, j.hostURL(s))), j.HookEnv...), out
		err = j.w.RunHook(limited, c)
	}
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return fmt.Errorf("did not end within %v, and was ended with all that it had started", h.Timeout)
	}
	return err
}

// hookHere is a hook's command on this machine.
func (j *job) hookHere(h config.Hook) hook.Command {
	return hook.Command{Script: h.Script, Args: h.Args, Dir: j.Service.ProjectDef.WorkingDir}
}

// unfitHooks are the hooks that this machine cannot even start.
func (j *job) unfitHooks() (list []error) {
	for _, event := range hookEvents {
		all := hooksFor(j.Service.Hooks, event)
		for i, h := range all {
			if h.In != config.InHost {
				continue
			}
			if err := j.hookHere(h).Check(); err != nil {
				list = append(list, &HookError{Event: event, N: i + 1, Of: len(all), In: h.In, Err: err})
			}
		}
	}
	return list
}

// hookInContainer runs a hook in a container that is made like one of the release that the run is about.
func (j *job) hookInContainer(ctx context.Context, s Step, h config.Hook, out io.Writer) error {
	spec := docker.ProfileSpec{
		Name: fmt.Sprintf("%s-%s-%s", j.service(), strings.ReplaceAll(string(s.Kind), "_", "-"), newRunID()), Image: j.image,
		Service: j.Service.Compose, Project: j.Service.ProjectDef,
		Labels: map[string]string{LabelRole: RoleOneShot, LabelNetwork: j.names.network, LabelRun: j.run},
	}
	at := j.obs.Place(cmp.Or(s.Profile, j.obs.Idle().Profile.Name)).Profile
	if c, err := j.find(ctx, containerName(j.service(), at.Name)); err != nil {
		return err
	} else if c != nil && spec.Image.ID == "" {
		spec.Image = docker.Image{ID: c.ImageID, Ref: c.Labels[LabelImage]}
	}
	if spec.Image.ID == "" {
		return errors.New("cannot be run: there is no image of this release here")
	}
	if n := j.obs.Network; n != nil {
		spec.NetworkID, spec.NetworkName = n.ID, n.Name
	}
	spec.Env = j.Service.AppEnv(at)
	for k, v := range j.hookEnv(s, fmt.Sprintf("http://%s:%d", containerName(j.service(), at.Name), j.Service.AppPort(at))) {
		spec.Env[k] = v
	}
	if err := j.proveLock(ctx); err != nil {
		return err
	}
	code, err := j.w.RunTask(ctx, docker.Task{Profile: spec, Script: h.Script, Args: h.Args, Output: out})
	switch {
	case ctx.Err() != nil && err != nil:
		return &hook.EndedError{Err: ctx.Err()}
	case err == nil && code != 0:
		return &hook.ExitError{Code: code}
	}
	return err
}

// hostURL is where the new release is reached from this machine; "" when it is not.
func (j *job) hostURL(s Step) string {
	if !j.w.SharesLoopback() {
		return ""
	}
	return fmt.Sprintf("http://%s", onLoopback(j.obs.Place(s.Profile).Profile.Port))
}

// hookEnv is what a hook is told. None of the names is one of a flag (BLUEGREEN_IMAGE is), or a bluegreen that the hook runs
// would take it for one.
func (j *job) hookEnv(s Step, url string) map[string]string {
	env := map[string]string{
		"BLUEGREEN_HOOK": string(s.Kind), "BLUEGREEN_COMMAND": string(j.Command), "BLUEGREEN_RUN": j.run,
		"BLUEGREEN_SERVICE": j.service(), "BLUEGREEN_NEW_PROFILE": s.Profile, "BLUEGREEN_NEW_IMAGE": j.Service.Image,
	}
	release := func(prefix string, r *ReleaseRef) {
		if r != nil {
			env[prefix+"_RELEASE"], env[prefix+"_PROFILE"], env[prefix+"_IMAGE"] = strconv.Itoa(r.Release), r.Profile, r.Image
		}
	}
	if j.planned.Release > 0 {
		env["BLUEGREEN_NEW_RELEASE"] = strconv.Itoa(j.planned.Release)
	}
	if c := j.obs.Place(s.Profile).Container; c != nil && !j.Command.needsImage() && j.planned.Release > 0 {
		release("BLUEGREEN_NEW", refOf(c, s.Profile, j.planned.Release))
	}
	release("BLUEGREEN_OLD", j.wasLive)
	if s.Kind == StepPreSwitch || s.Kind == StepPostSwitch {
		env["BLUEGREEN_NEW_URL"] = url
	}
	if j.failure != nil {
		env["BLUEGREEN_OUTCOME"], env["BLUEGREEN_ERROR"] = string(j.outcomeOf(j.failure)), j.failure.Error()
		release("BLUEGREEN_LIVE", j.obs.State.Confirmed)
	}
	return env
}

// environ is a list of K=V, sorted.
func environ(env map[string]string) []string {
	var list []string
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
}

// RunsHooks says whether a service's hooks are run for the command.
func (c Command) RunsHooks() bool { return slices.Contains(hookedCommands, c) }

// hookedCommands are those whose failure on_failure is about: they bring a release.
var hookedCommands = []Command{Deploy, Start, Health, Switch, Promote, Rollback}

// onFailure runs the hooks for a run that failed, once what it began is undone. What they say changes nothing of that.
func (j *job) onFailure(ctx context.Context, err error) {
	n := len(j.Service.Hooks.OnFailure)
	if err == nil || n == 0 || j.NoHooks || !j.Command.RunsHooks() || ExitCode(err) == ExitUsage && len(j.timings) == 0 || errors.Is(err, ErrLockLost) {
		return
	}
	j.failure = err
	text := hookText(StepOnFailure, n)
	s := Step{Kind: StepOnFailure, Profile: j.obs.Idle().Profile.Name, Text: text, Undo: text}
	var failed *HookError
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // it is about that; a Ctrl-C that comes later ends the hook
	}
	if e := j.undo(ctx, s); errors.As(e, &failed) {
		j.note("warning: " + failed.Error())
	}
}
