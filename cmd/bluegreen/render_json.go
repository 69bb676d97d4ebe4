package main

import (
	"encoding/json"
	"io"
	"time"

	"bluegreen/swap"
)

// jsonLines prints one JSON object a line: events, and the result as the last.
type jsonLines struct {
	w, stderr io.Writer
	layers    layerLog
	quiet     bool // nothing but the result
}

type jsonStep struct {
	Name    string    `json:"name"`
	Kind    swap.Kind `json:"kind"`
	Profile string    `json:"profile,omitempty"`
	Text    string    `json:"text"`
	Undo    string    `json:"undo,omitempty"`
}

type jsonEvent struct {
	Time       time.Time      `json:"time"`
	Event      swap.EventKind `json:"event"`
	Step       string         `json:"step,omitempty"`
	Profile    string         `json:"profile,omitempty"`
	Undo       bool           `json:"undo,omitempty"`
	Text       string         `json:"text,omitempty"`
	Pull       string         `json:"pull,omitempty"` // image
	Layer      string         `json:"layer,omitempty"`
	Current    int64          `json:"current,omitempty"`
	Total      int64          `json:"total,omitempty"`
	DurationMS *int64         `json:"duration_ms,omitempty"`
	Error      string         `json:"error,omitempty"`
	Command    swap.Command   `json:"command,omitempty"`
	Release    int            `json:"release,omitempty"`
	Steps      []jsonStep     `json:"steps,omitempty"`
	Notes      []string       `json:"notes,omitempty"`
}

type jsonResult struct {
	Time       time.Time    `json:"time"`
	Event      string       `json:"event"`
	Command    swap.Command `json:"command"` // which a rollback and a swap that was taken back differ by
	Outcome    swap.Outcome `json:"outcome"`
	Service    string       `json:"service"`
	Live       string       `json:"live"`
	Idle       string       `json:"idle"`
	Release    int          `json:"release"`
	Image      string       `json:"image"`
	About      int          `json:"about,omitempty"` // the release that the run was to start or to make live
	SwitchMS   int64        `json:"switch_ms"`
	DurationMS int64        `json:"duration_ms"`
	Opens      []string     `json:"opens,omitempty"`
	Error      string       `json:"error"`
	Waiting    *jsonWaiting `json:"waiting,omitempty"` // after a pause
}

// jsonWaiting is the release that waits for promote or abort.
type jsonWaiting struct {
	Release int      `json:"release"`
	Profile string   `json:"profile"`
	Preview []string `json:"preview"` // where it can be looked at
}

func (j *jsonLines) event(e swap.Event) {
	if j.quiet || !j.layers.worth(e) {
		return
	}
	out := jsonEvent{Time: e.Time, Event: e.Kind, Undo: e.Undo, Text: e.Text, Pull: e.Pull}
	if e.Step != nil {
		out.Step, out.Profile = e.Step.Name(), e.Step.Profile
		if e.Text == "" {
			out.Text = e.Doing()
		}
	}
	if e.Layer != nil {
		out.Layer, out.Current, out.Total = e.Layer.ID, e.Layer.Current, e.Layer.Total
	}
	if e.Kind == swap.StepDone || e.Kind == swap.StepFailed || e.Duration > 0 {
		ms := e.Duration.Milliseconds()
		out.DurationMS = &ms
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	if p := e.Plan; p != nil {
		out.Command, out.Release, out.Notes, out.Text = p.Command, p.Release, p.Notes, p.Why
		for _, s := range p.Steps {
			out.Steps = append(out.Steps, jsonStep{Name: s.Name(), Kind: s.Kind, Profile: s.Profile, Text: s.Text, Undo: s.Undo})
		}
	}
	j.print(out)
}

func (j *jsonLines) result(res swap.Result, r swap.Request, err error) {
	if err != nil {
		printError(j.stderr, res, r, err)
	}
	j.print(resultObject(res, r, err))
}

// resultObject is how a run ended, as programs read it.
func resultObject(res swap.Result, r swap.Request, err error) jsonResult {
	out := jsonResult{
		Time: time.Now(), Event: "result", Command: r.Command, Outcome: res.Outcome, Service: res.Service, Live: res.Live, Idle: res.Idle,
		Release: res.Release, Image: res.Image, About: res.Started, SwitchMS: res.SwitchMS, DurationMS: res.Duration.Milliseconds(), Opens: res.Opens,
	}
	if p := res.Waiting; p != nil {
		out.Waiting = &jsonWaiting{Release: p.Release, Profile: p.Profile, Preview: res.Preview}
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

// print writes one object. A reader that is gone must not stop a swap half-way: its error is dropped.
func (j *jsonLines) print(v any) { _ = json.NewEncoder(j.w).Encode(v) }
