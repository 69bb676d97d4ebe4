package load

import "sync"

// source gives out the requests of a run: each has a number, and the mix decides which it is.
type source struct {
	limit int64
	round int64 // requests in which each connection has one, if none is late

	mu      sync.Mutex
	next    int64
	mix     []*prepared
	credits []float64
	held    *prepared
}

func newSource(cfg Config) *source {
	s := &source{limit: cfg.MaxRequests, round: int64(cfg.Connections), credits: make([]float64, len(cfg.Mix))}
	for i := range cfg.Mix {
		s.mix = append(s.mix, prepare(cfg.Target, &cfg.Mix[i]))
	}
	return s
}

// take claims one of the requests that the limit allows.
func (s *source) take() (number int64, q *prepared, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next >= s.limit {
		return 0, nil, false
	}
	number = s.next
	s.next++
	return number, s.choose(number), true
}

// taken returns how many requests have been claimed.
func (s *source) taken() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// choose shifts the order of the mix by one in every second round. Connections take turns, and without the shift each
// would send the same request again and again if their number and the mix have a common divisor. At the end of a round
// the mix is exact again.
func (s *source) choose(number int64) *prepared {
	if s.round == 1 || number/s.round%2 == 0 {
		return s.fromMix()
	}
	switch number % s.round {
	case 0:
		s.held = s.fromMix()
		return s.fromMix()
	case s.round - 1:
		return s.held
	default:
		return s.fromMix()
	}
}

// fromMix is a weighted round robin: each request gains its share, and the one that has most pays for all. No count is
// ever off its share by one or more.
func (s *source) fromMix() *prepared {
	best, sum := 0, 0.0
	for i, q := range s.mix {
		s.credits[i] += q.Share
		sum += q.Share
		if s.credits[i] > s.credits[best] {
			best = i
		}
	}
	s.credits[best] -= sum
	return s.mix[best]
}
