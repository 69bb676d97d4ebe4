package rehearse

import (
	"fmt"
	"strings"

	"bluegreen/rehearse/report"
)

// judge says whether the first run kept to the limits.
func judge(r report.Report) report.Verdict {
	run, v := r.Runs[0], report.Verdict{Failures: []string{}}
	if run.Requests == 0 {
		v.Failures = append(v.Failures, "no request was sent")
	}
	if lost := run.LostInAll(); lost > r.Limits.MaxLost {
		v.Failures = append(v.Failures, fmt.Sprintf("%s requests were lost, %s may be", report.Count(lost), report.Count(r.Limits.MaxLost)))
	}
	if limit := r.Limits.MaxP99; limit != nil && run.Phase(report.PhaseAll).P99 > *limit {
		v.Failures = append(v.Failures, fmt.Sprintf("the p99 of all answers was %s, %s may be", run.Phase(report.PhaseAll).P99, *limit))
	}
	for _, s := range run.Swaps {
		if s.Error != "" {
			first, _, _ := strings.Cut(s.Error, "\n")
			v.Failures = append(v.Failures, fmt.Sprintf("swap %d failed: %s", s.Number, first))
		}
	}
	v.Passed = len(v.Failures) == 0
	v.Text = sentence(run)
	return v
}

// What a report warns of: how late the client itself may send, in milliseconds, in 99 of 100 cases and at most, and which part
// of the wanted rate must have been answered.
const (
	tooLate     = 50
	muchTooLate = 500
	enough      = 0.97
)

// doubts are reasons to doubt a run's latencies: a machine that carries neither the rate nor its client.
func doubts(r report.Run, wanted float64) (list []string) {
	if r.Rate < enough*wanted {
		list = append(list, fmt.Sprintf("%s: %.0f requests a second were answered of the %.0f that were due: too many for this machine, and the latencies are those of the queue",
			r.Name, r.Rate, wanted))
	}
	if r.Client.P99Send >= tooLate || r.Client.LatestSend >= muchTooLate {
		list = append(list, fmt.Sprintf("%s: the client itself was up to %s late, %s in 99 of 100 cases: this machine is too busy, and the latencies are too long by that",
			r.Name, r.Client.LatestSend, r.Client.P99Send))
	}
	return list
}

// sentence is what happened.
func sentence(r report.Run) string {
	text, done := fmt.Sprintf("%s of %s requests lost", report.Count(r.LostInAll()), report.Count(r.Requests)), 0
	for _, s := range r.Swaps {
		if s.Error == "" {
			done++
			continue
		}
		text = fmt.Sprintf("swap %d failed; %s", s.Number, text)
	}
	switch {
	case done == 0 && len(r.Swaps) == 0 && r.Name == report.RunBluegreen:
		text += ", and no swap"
	case done == 1:
		text += " in 1 swap"
	case done > 1:
		text += fmt.Sprintf(" in %d swaps", done)
	}
	if done == 0 {
		return fmt.Sprintf("%s; p99 %s, longest gap %s", text, r.Phase(report.PhaseAll).P99, r.LongestGap)
	}
	return fmt.Sprintf("%s; p99 %s during a swap, %s otherwise; longest gap at a swap %s",
		text, r.Phase(report.PhaseDuring).P99, r.Phase(report.PhaseOutside).P99, longestSwapGap(r))
}

func longestSwapGap(r report.Run) (longest report.MS) {
	for _, s := range r.Swaps {
		longest = max(longest, s.Gap)
	}
	return longest
}
