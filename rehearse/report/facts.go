package report

import (
	"fmt"
	"strconv"
)

// fact is one thing about what was run. A key is its place in the JSON.
type fact struct {
	Name   string
	Key    string
	Values []string
}

// facts are what was run, on what and under which load, without what does not apply.
func (r Report) facts() []fact {
	s, l := r.Setup, r.Load
	engine := joined(", ", s.Engine, s.EngineOS)
	if s.Storage != "" {
		engine = joined(", ", engine, "storage "+s.Storage)
	}
	machine := s.Machine
	if s.CPUs > 0 {
		machine = joined(", ", machine, plural(int64(s.CPUs), "CPU"))
	}
	all := []fact{
		{"began", "", []string{day(r.Began)}},
		{"took", "duration_ms", []string{r.Duration.String()}},
		{"bluegreen", "setup.bluegreen", []string{s.Bluegreen}},
		{"rehearsal", "setup.rehearsal", []string{s.Rehearsal}},
		{"service", "setup.service", []string{s.Service}},
		{"compose file", "setup.file", []string{s.File}},
		{"images", "", s.Images},
		{"nginx", "", []string{joined(", ", s.Nginx, s.NginxFrom)}},
		{"engine", "", []string{engine}},
		{"client", "", []string{machine}},
		{"load", "", []string{l.sentence()}},
		{"requests", "", l.Requests},
		{"further clients", "", []string{l.further()}},
		{"limits", "", []string{r.Limits.sentence()}},
	}
	var kept []fact
	for _, f := range all {
		if joined("", f.Values...) != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

func (l Load) sentence() string {
	connections := ""
	if l.Connections > 0 {
		connections = "over " + plural(int64(l.Connections), "connection")
	}
	to := ""
	if l.URL != "" {
		to = "to " + l.URL
	}
	return joined(" ", rate(l.Rate), to, connections, l.Protocol)
}

func (l Load) further() string {
	var kinds []string
	for _, k := range []struct {
		n    int
		name string
	}{{l.Slow, "slow"}, {l.Websockets, "websocket"}, {l.Streams, "stream"}} {
		if k.n > 0 {
			kinds = append(kinds, strconv.Itoa(k.n)+" "+k.name)
		}
	}
	return joined(", ", kinds...)
}

func (l Limits) sentence() string {
	s := fmt.Sprintf("at most %s lost", plural(l.MaxLost, "request"))
	if l.MaxP99 != nil {
		s += ", p99 at most " + l.MaxP99.String()
	}
	return s
}
