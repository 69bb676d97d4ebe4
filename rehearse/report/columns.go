package report

// column is all slots of a short time drawn as one: the highest of their p99 and max, and the mean of their p50.
type column struct {
	At, To   MS
	Requests int64
	Lost     int64
	P50      MS
	P99      MS
	Max      MS
}

// columns are the series in at most n columns of one width, over the whole duration. One that nothing was answered in
// has no latencies.
func (r Run) columns(n int) []column {
	if len(r.Series) == 0 || n < 1 {
		return nil
	}
	end := r.end()
	n = min(n, len(r.Series))
	list := make([]column, n)
	weight := make([]MS, n)
	for i := range list {
		list[i].At, list[i].To = end*MS(i)/MS(n), end*MS(i+1)/MS(n)
	}
	for _, s := range r.Series {
		// A hair is added, for a slot's beginning that is a column's beginning but for rounding.
		i := min(n-1, max(0, int(float64((s.At+1e-6)/end)*float64(n))))
		c := &list[i]
		c.Requests, c.Lost = c.Requests+s.Requests, c.Lost+s.Lost
		c.P99, c.Max = max(c.P99, s.P99), max(c.Max, s.Max)
		if s.Max > 0 {
			answered := MS(max(1, s.Requests-s.Lost))
			c.P50 += s.P50 * answered
			weight[i] += answered
		}
	}
	for i := range list {
		if weight[i] > 0 {
			list[i].P50 /= weight[i]
		}
	}
	return list
}

// end is where pictures over time end: with the load, or with what came after it.
func (r Run) end() MS {
	end := max(r.Duration, 1)
	if n := len(r.Series); n > 0 {
		end = max(end, r.Series[n-1].At+r.SlotMS)
	}
	for _, s := range r.Swaps {
		end = max(end, s.Ended)
		if s.Drained != nil {
			end = max(end, *s.Drained)
		}
	}
	if n := len(r.Workers); n > 0 {
		end = max(end, r.Workers[n-1].At)
	}
	return end
}
