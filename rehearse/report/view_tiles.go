package report

import "fmt"

// tile is a key figure.
type tile struct {
	Name   string
	Figure figure
	Note   string
	Bad    bool
}

// tiles are the key figures of the run that the verdict is about.
func tiles(r Report) []tile {
	if len(r.Runs) == 0 {
		return nil
	}
	main := r.main()
	list := []tile{
		{"requests lost", figure{"runs.0.lost", count(main.Lost)}, "of " + count(main.Requests), main.LostInAll() > r.Limits.MaxLost},
		p99Tile(r, main),
		{"longest gap", figure{"runs.0.longest_gap_ms", main.LongestGap.String()}, "without a good answer", false},
	}
	if s := spreadOf(main.Swaps, Swap.ToConfirm); s != nil {
		list = append(list, tile{"switch to confirmed", figure{"", s.Median.String()}, "median; worst " + s.Worst.String(), false})
	}
	if n := len(main.Swaps); n > 0 {
		list = append(list, tile{"swaps", figure{"", count(int64(n))}, "in " + main.Duration.String(), false})
	}
	return append(list, tile{"load", figure{"", rate(main.Rate)}, r.Load.Protocol, false})
}

func p99Tile(r Report, main Run) tile {
	bad := r.Limits.MaxP99 != nil && main.Phase(PhaseAll).P99 > *r.Limits.MaxP99
	for i, l := range main.Latency {
		if l.Phase == PhaseDuring && l.Requests > 0 {
			outside := main.Phase(PhaseOutside).P99
			note := "p99 otherwise: " + outside.String()
			if f := factor(l.P99, outside); f != "" {
				note = f + " of " + outside.String() + " otherwise"
			}
			return tile{"p99 during a swap", figure{fmt.Sprintf("runs.0.latency.%d.p99_ms", i), l.P99.String()}, note, bad}
		}
	}
	return tile{"p99", figure{"", main.Phase(PhaseAll).P99.String()}, "of all requests", bad}
}
