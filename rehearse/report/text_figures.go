package report

import (
	"fmt"
)

// percentiles are the figures of a latency, in order.
var percentiles = []struct {
	Name, Key string
	Of        func(Latency) MS
}{
	{"p50", "p50_ms", func(l Latency) MS { return l.P50 }},
	{"p90", "p90_ms", func(l Latency) MS { return l.P90 }},
	{"p99", "p99_ms", func(l Latency) MS { return l.P99 }},
	{"p99.9", "p99_9_ms", func(l Latency) MS { return l.P999 }},
	{"p99.99", "p99_99_ms", func(l Latency) MS { return l.P9999 }},
	{"max", "max_ms", func(l Latency) MS { return l.Max }},
}

// figures adds requests by outcome beside latency by phase, and the longest gap.
func (t *text) figures(r Run) {
	t.add(t.beside(t.table(t.requests(r)), t.table(t.latency(r)), 5)...)
	t.add("", t.say("longest time without a good answer: "+r.LongestGap.String()))
	for _, c := range r.Releases {
		if len(r.Swaps) == 0 && c.Release != "" {
			t.add(t.say(fmt.Sprintf("answered by %s: %s, from %s to %s", clean(c.Release), plural(c.Answers, "time"), c.First, c.Last)))
		}
	}
}

func (t *text) requests(r Run) [][]cell {
	rows := [][]cell{{{"requests", ""}, {count(r.Requests), bold}}}
	for _, o := range r.occurred() {
		style := ""
		if o.Lost {
			style = red
		}
		rows = append(rows, []cell{{o.Name, style}, {count(o.Count), style}})
	}
	rows = append(rows, t.lostRow("lost", r.Lost))
	for _, o := range r.Others {
		rows = append(rows, []cell{{o.Kind + ", whole", ""}, {fmt.Sprintf("%s of %s", count(o.Done), count(o.Begun)), ""}})
		if o.Lost > 0 {
			rows = append(rows, t.lostRow(o.Kind+", lost", o.Lost))
		}
	}
	return rows
}

func (t *text) lostRow(name string, lost int64) []cell {
	style := bold + ";" + green
	if lost > 0 {
		style = bold + ";" + red
	}
	return []cell{{name, style}, {count(lost), style}}
}

func (t *text) latency(r Run) [][]cell {
	phases := r.phases()
	if len(phases) > 1 {
		phases = phases[1:] // before, during, after say more than all of it
	}
	head := []cell{{"latency", ""}}
	for _, l := range phases {
		head = append(head, cell{l.Phase, ""})
	}
	rows := [][]cell{head}
	for _, p := range percentiles {
		row := []cell{{p.Name, faint}}
		for _, l := range phases {
			row = append(row, cell{p.Of(l).String(), ""})
		}
		rows = append(rows, row)
	}
	return rows
}

// compared adds the runs side by side, and what the difference is worth.
func (t *text) compared(r Report) {
	head := []cell{{"", ""}}
	for _, run := range r.Runs {
		head = append(head, cell{run.title(), bold})
	}
	rows := [][]cell{head}
	for _, m := range comparedFigures(r.Runs) {
		row := []cell{{m.Name, faint}}
		for i, c := range m.Cells {
			style := ""
			if m.Lost && r.Runs[i].Lost > 0 && c.Text != "0" && c.Text != "–" {
				style = bold + ";" + red
			}
			row = append(row, cell{c.Text, style})
		}
		rows = append(rows, row)
	}
	t.add(t.table(rows)...)
	t.add("")
	t.wrapped("", "", r.Compared())
	scale, half := latencyScale(r.Runs), (t.width-2)/2
	pictures := make([][]string, len(r.Runs))
	for i, run := range r.Runs {
		pictures[i] = append([]string{t.paint(bold, run.title())}, t.picture(run, scale, half)...)
	}
	t.add("")
	for i := 0; i+1 < len(pictures); i += 2 {
		t.add(t.beside(pictures[i], pictures[i+1], 2)...)
	}
}
