package report

import (
	"fmt"
	"strconv"
)

// allSwaps is up to how many swaps each has a row; more are summed up, and only those with something to say have one.
const allSwaps = 8

func (t *text) swaps(r Run) {
	if len(r.Swaps) == 0 {
		return
	}
	shown := r.Swaps
	if len(shown) > allSwaps {
		t.summary(r)
		shown = nil
		for _, s := range r.Swaps {
			if (s.Lost > 0 || s.Error != "") && len(shown) < allSwaps {
				shown = append(shown, s)
			}
		}
		if len(shown) == 0 {
			return
		}
	}
	rows := [][]cell{{{"swap", ""}, {"release", ""}, {"profile", ""}, {"confirmed", ""}, {"drained", ""}, {"gap", ""}, {"p99", ""}, {"lost", ""}}}
	for _, s := range shown {
		rows = append(rows, t.swapRow(s))
	}
	t.add("")
	lines := t.table(rows)
	t.add(lines[0])
	for i, s := range shown {
		t.add(lines[i+1])
		if s.Error != "" {
			t.wrapped("      ", red, s.Error)
		}
	}
	t.add(t.paint(faint, "confirmed and drained count from the switch"))
}

func (t *text) swapRow(s Swap) []cell {
	style := ""
	if s.Lost > 0 {
		style = red
	}
	return []cell{
		{strconv.Itoa(s.Number), ""}, {fmt.Sprintf("%d to %d", s.From, s.Release), ""}, {s.Profile, ""},
		{told(s.ToConfirm()), ""}, {told(s.ToDrain()), ""}, {s.Gap.String(), ""}, {s.P99.String(), ""}, {count(s.Lost), style},
	}
}

func (t *text) summary(r Run) {
	rows := [][]cell{{{fmt.Sprintf("%d swaps", len(r.Swaps)), ""}, {"median", ""}, {"worst", ""}, {"in swap", ""}}}
	for _, f := range swapFigures {
		if s := spreadOf(r.Swaps, f.Of); s != nil {
			rows = append(rows, []cell{{f.Name, ""}, {s.Median.String(), ""}, {s.Worst.String(), ""}, {strconv.Itoa(s.Swap), ""}})
		}
	}
	t.add("")
	t.add(t.table(rows)...)
}
