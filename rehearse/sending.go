package rehearse

import (
	"fmt"
	"time"

	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// describe is the load as the report has it.
func (l Load) describe(url string) report.Load {
	r := report.Load{URL: url, Protocol: "HTTP/1.1", Rate: l.Rate, Connections: l.Connections}
	if l.HTTP2 {
		r.Protocol = "HTTP/2"
	}
	var sum float64
	for _, q := range l.Mix {
		sum += q.Share
	}
	for _, q := range l.Mix {
		text := fmt.Sprintf("%.3g%% %s %s", 100*q.Share/sum, q.Method, q.Path)
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

// cost is what the process has used so far.
type cost struct {
	cpu  time.Duration
	peak int64 // bytes of memory
}

// since writes what was used between two moments.
func (c cost) since(before cost, took time.Duration, to *report.Client) {
	to.CPUSeconds = (c.cpu - before.cpu).Seconds()
	to.Cores = to.CPUSeconds / max(took.Seconds(), 1e-9)
	to.PeakMemory = c.peak
}
