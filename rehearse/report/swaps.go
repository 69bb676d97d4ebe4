package report

import (
	"cmp"
	"slices"
)

// ToConfirm is how long after the switch began the new workers were proved to serve alone; nil: it did not come to that.
func (s Swap) ToConfirm() *MS {
	if s.Confirmed <= 0 || s.Confirmed < s.Switched {
		return nil
	}
	d := s.Confirmed - s.Switched
	return &d
}

// ToDrain is how long after the switch began no old worker was left; nil: not seen.
func (s Swap) ToDrain() *MS {
	if s.Drained == nil || *s.Drained < s.Switched {
		return nil
	}
	d := *s.Drained - s.Switched
	return &d
}

// Took is how long the command took; nil: it did not end.
func (s Swap) Took() *MS {
	if s.Ended <= s.Began {
		return nil
	}
	d := s.Ended - s.Began
	return &d
}

// maxDrawn is how many swaps the page shows one by one, so that one of thousands stays small.
const maxDrawn = 100

// drawn are the swaps that the page shows, at most maxDrawn in their order: those that lost something or failed before
// others.
func (r Run) drawn() []Swap {
	if len(r.Swaps) <= maxDrawn {
		return r.Swaps
	}
	room := maxDrawn
	keep := make([]bool, len(r.Swaps))
	for _, bad := range []bool{true, false} {
		for i, s := range r.Swaps {
			if room > 0 && bad == (s.Lost > 0 || s.Error != "") {
				keep[i] = true
				room--
			}
		}
	}
	var list []Swap
	for i, s := range r.Swaps {
		if keep[i] {
			list = append(list, s)
		}
	}
	return list
}

// told is a measured time, and an en dash for one that was not.
func told(m *MS) string {
	if m == nil {
		return "–"
	}
	return m.String()
}

// spread is the median and the worst of a figure over all swaps that have it, and which swap the worst is.
type spread struct {
	Median, Worst MS
	Swap          int // number
}

// spreadOf is nil when no swap has the figure.
func spreadOf(swaps []Swap, figure func(Swap) *MS) *spread {
	type one struct {
		v    MS
		swap int
	}
	var all []one
	for _, s := range swaps {
		if v := figure(s); v != nil {
			all = append(all, one{*v, s.Number})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(a.v, b.v) })
	worst := all[len(all)-1]
	half := len(all) / 2
	median := all[half].v
	if len(all)%2 == 0 {
		median = (all[half-1].v + median) / 2
	}
	return &spread{Median: median, Worst: worst.v, Swap: worst.swap}
}

// The figures of a swap that are summed up.
var swapFigures = []struct {
	Name string
	Of   func(Swap) *MS
}{
	{"time to confirm", Swap.ToConfirm},
	{"time to drain", Swap.ToDrain},
	{"longest gap", func(s Swap) *MS { return &s.Gap }},
	{"p99", func(s Swap) *MS { return &s.P99 }},
	{"duration", Swap.Took},
}

// stepNames are the steps of all swaps in their order: one that the first swaps lack stands after the step that came
// before it.
func stepNames(swaps []Swap) []string {
	var names []string
	for _, s := range swaps {
		after := 0
		for _, step := range s.Steps {
			at := slices.Index(names, step.Name)
			if at < 0 {
				at = after
				names = slices.Insert(names, at, step.Name)
			}
			after = at + 1
		}
	}
	return names
}

// step is how long the named step took, all its turns together; nil when the swap has none.
func (s Swap) step(name string) *MS {
	var sum *MS
	for _, step := range s.Steps {
		if step.Name == name {
			if sum == nil {
				sum = new(MS)
			}
			*sum += step.MS
		}
	}
	return sum
}

// over is when the swap was over: its command done, and no worker of the old generation left.
func (s Swap) over() MS {
	if s.Drained != nil {
		return max(s.Ended, *s.Drained)
	}
	return s.Ended
}
