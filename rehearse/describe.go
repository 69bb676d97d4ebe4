package rehearse

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"

	"bluegreen/config"
	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// nginxImage is what the copy's nginx is made from.
func (s *stage) nginxImage() string { return cmp.Or(s.copy.Host.Image, config.DefaultImage) }

// describe is what is run, and on what.
func (s *stage) describe(ctx context.Context) report.Setup {
	r := report.Setup{
		Rehearsal: s.names.id, Bluegreen: s.Version, Service: s.Service.Settings.Service, File: s.Service.File, Images: s.Images,
		NginxFrom: s.nginxImage(), Engine: s.engine.Version, EngineOS: s.engine.OS + "/" + s.engine.Arch, Storage: s.engine.Storage,
		Machine: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Notes: []string{},
	}
	if s.example {
		r.Service = ExampleName
	}
	there, _, err := s.world.ComposeNetworks(ctx, s.Service.Compose, s.Service.ProjectDef)
	if err != nil {
		there = nil // the first deploy says what is wrong, where it matters
	}
	r.Notes = append(append(r.Notes, s.wayNotes()...), notes(s.Service, there, s.Shared)...)
	return r
}

// describe is the load as the report has it.
func (l Load) describe(url string) report.Load {
	r := report.Load{URL: withoutQuery(url), Protocol: "HTTP/1.1", Rate: l.Rate, Connections: l.Connections}
	if l.HTTP2 {
		r.Protocol = "HTTP/2"
	}
	var sum float64
	for _, q := range l.Mix {
		sum += q.Share
	}
	for _, q := range l.Mix {
		text := fmt.Sprintf("%.3g%% %s %s", 100*q.Share/sum, q.Method, withoutQuery(q.Path))
		if len(q.Body) > 0 {
			text += fmt.Sprintf(" (%d bytes)", len(q.Body))
		}
		r.Requests = append(r.Requests, text)
	}
	for _, o := range l.Others {
		switch o.Kind {
		case load.Slow:
			r.Slow = o.Clients
		case load.Websocket:
			r.Websockets = o.Clients
		case load.Stream:
			r.Streams = o.Clients
		}
	}
	return r
}

// withoutQuery leaves out a query, which may hold secrets.
func withoutQuery(path string) string {
	if before, _, found := strings.Cut(path, "?"); found {
		return before + "?…"
	}
	return path
}

// other is what clients of a further kind saw, as the report has it.
func other(c load.ClientsReport) report.Other {
	r := report.Other{Kind: string(c.Kind), Begun: c.Begun, Done: c.Done, Lost: c.Lost, Outcomes: []report.Outcome{}}
	for _, o := range load.Outcomes() {
		if n := c.Outcomes[o]; n > 0 {
			r.Outcomes = append(r.Outcomes, report.Outcome{Name: o.String(), Count: n, Lost: o != load.OK})
		}
	}
	return r
}
