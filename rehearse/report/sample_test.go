package report

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// shape says what a made-up run is like.
type shape struct {
	name     string
	swaps    int
	period   MS // between the beginnings of swaps
	rate     int
	lossy    int64 // lost requests a swap
	slow     MS    // added to answers during a swap
	slot     MS
	duration MS
}

var outcomeNames = []string{"ok", "refused", "reset", "cut", "5xx_nginx", "5xx_app", "timeout", "wrong_release", "wrong_body"}

// sampleRun makes a run up: the same one for the same shape.
func sampleRun(s shape) Run {
	random := rand.New(rand.NewPCG(7, uint64(s.swaps)+uint64(s.lossy)))
	r := Run{Name: s.name, Duration: s.duration, Rate: float64(s.rate) - 0.4, SlotMS: s.slot, LongestGap: 4.2 + s.slow/2}
	for i := range s.swaps {
		r.Swaps = append(r.Swaps, sampleSwap(s, i, random))
	}
	for at := MS(0); at < s.duration; at += s.slot {
		slot := Slot{At: at, Requests: int64(float64(s.rate) * float64(s.slot) / 1e3), P50: noisy(random, 0.8), P99: noisy(random, 2.2), Max: noisy(random, 5)}
		for _, w := range r.Swaps {
			if at >= w.Began && at < w.Ended {
				slot.P50, slot.P99, slot.Max = noisy(random, 0.9), noisy(random, 3.1+s.slow/3), noisy(random, 9+s.slow)
			}
			if at <= w.Switched && w.Switched < at+s.slot {
				slot.Lost, slot.Max = w.Lost, slot.Max*2
			}
		}
		r.Requests, r.Lost = r.Requests+slot.Requests, r.Lost+slot.Lost
		r.Series = append(r.Series, slot)
	}
	r.OK = r.Requests - r.Lost
	sampleTotals(&r, s)
	return r
}

func noisy(random *rand.Rand, around MS) MS {
	return Millis((around * MS(0.85+0.4*random.Float64())).Std())
}

func sampleTotals(r *Run, s shape) {
	for i, name := range outcomeNames {
		o := Outcome{Name: name, Lost: i > 0}
		switch name {
		case "ok":
			o.Count = r.OK
		case "reset":
			o.Count = r.Lost - r.Lost/4
		case "5xx_nginx":
			o.Count = r.Lost / 4
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	during := Latency{Phase: PhaseDuring, Requests: r.Requests / 3, P50: 0.91, P90: 1.7, P99: 3.1 + s.slow/3, P999: 7.4 + s.slow/2, P9999: 11.2 + s.slow, Max: 18.25 + 2*s.slow}
	r.Latency = []Latency{
		{Phase: PhaseAll, Requests: r.OK, P50: 0.82, P90: 1.4, P99: 2.41 + s.slow/5, P999: 6.1 + s.slow/3, P9999: 9.8 + s.slow, Max: 18.25 + 2*s.slow},
		{Phase: PhaseBefore, Requests: r.Requests / 6, P50: 0.8, P90: 1.3, P99: 2.2, P999: 4.9, P9999: 6.3, Max: 8.125},
		{Phase: PhaseDuring}, {Phase: PhaseAfter},
		{Phase: PhaseOutside, Requests: r.Requests / 6, P50: 0.8, P90: 1.3, P99: 2.2, P999: 4.9, P9999: 6.3, Max: 8.125},
	}
	r.Harmless = Harmless{IdleCloses: 3 * int64(s.swaps), Connects: 32 + 35*int64(s.swaps)}
	r.Client = Client{CPUSeconds: 7.3, Cores: 0.36, PeakMemory: 41 << 20, LatestSend: 1.9, P99Send: 0.12}
	if s.swaps == 0 {
		r.Releases = []ReleaseCount{{Answers: r.OK}}
		return
	}
	r.Latency[2] = during
	r.Latency[3] = Latency{Phase: PhaseAfter, Requests: r.OK - r.Requests/3 - r.Requests/6, P50: 0.81, P90: 1.4, P99: 2.3, P999: 5.2, P9999: 7, Max: 9.4}
	for i := range s.swaps + 1 {
		r.Releases = append(r.Releases, ReleaseCount{Release: strconv.Itoa(i + 1), Answers: r.OK / int64(s.swaps+1), First: s.period * MS(i), Last: s.period*MS(i+1) + 900})
	}
	r.Workers = sampleWorkers(*r)
	r.Others = []Other{
		{Kind: "slow", Begun: 40, Done: 40, Outcomes: []Outcome{{"ok", 40, false}}},
		{Kind: "websocket", Begun: 4, Done: 4, Outcomes: []Outcome{{"ok", 4, false}}},
	}
	for i := range min(r.Lost, 20) {
		w := r.Swaps[int(i)%len(r.Swaps)]
		r.First = append(r.First, Lost{At: w.Switched + MS(i), Method: "POST", Path: "/echo?n=" + strconv.Itoa(int(i)), Outcome: "reset", Error: "read tcp 127.0.0.1:51234->127.0.0.1:8088: connection reset by peer"})
	}
}

func sampleSwap(s shape, i int, random *rand.Rand) Swap {
	began := s.period*MS(i) + s.period/3
	steps := []Step{
		{"drain", noisy(random, 14)}, {"retire", noisy(random, 131)}, {"create", noisy(random, 226)}, {"health", noisy(random, 262)},
		{"switch", noisy(random, 207) + s.slow}, {"verify", noisy(random, 9)}, {"finish", noisy(random, 22)},
	}
	w := Swap{Number: i + 1, From: i + 1, Release: i + 2, Profile: []string{"real2", "real1"}[i%2], Image: []string{"hello:v2", "hello:v1"}[i%2], Began: began, Steps: steps, Lost: s.lossy}
	at := began
	for _, step := range steps {
		if step.Name == "switch" {
			w.Switched, w.Confirmed = at, at+step.MS
		}
		at += step.MS
	}
	w.Ended = at
	drained := w.Confirmed + noisy(random, 400)
	w.Drained, w.Gap, w.P99 = &drained, noisy(random, 4)+s.slow/2, noisy(random, 3.1+s.slow/3)
	w.Share = sampleShare(s, random)
	return w
}

func sampleShare(s shape, random *rand.Rand) *Share {
	const from, length = -100, 400
	share := &Share{From: from, Old: make([]int, length), New: make([]int, length)}
	for i := range length {
		answers := s.rate / 1000
		if random.Float64() < float64(s.rate%1000)/1000 {
			answers++
		}
		at := float64(i + from)
		for range answers {
			if random.Float64() < min(1, max(0, (at-95)/70)) {
				share.New[i]++
			} else {
				share.Old[i]++
			}
		}
	}
	for i := range length {
		at := MS(i + from)
		if share.New[i] > 0 && share.FirstNew == nil {
			share.FirstNew = &at
		}
		if share.Old[i] > 0 {
			share.LastOld = &at
		}
	}
	return share
}

func sampleWorkers(r Run) []Workers {
	list := []Workers{{At: 0, Serving: 2}}
	for _, w := range r.Swaps {
		list = append(list, Workers{w.Switched + 90, 2, 2}, Workers{w.Confirmed + 150, 2, 1}, Workers{*w.Drained, 2, 0})
	}
	return append(list, Workers{At: r.Duration, Serving: 2})
}

func sampleReport(runs ...Run) Report {
	return Report{
		Schema: Schema, Began: time.Date(2026, 3, 4, 14, 5, 6, 0, time.UTC), Duration: runs[0].Duration + 9_300,
		Verdict: Verdict{Passed: true, Text: "No request was lost: " + count(runs[0].Requests) + " requests, " + plural(int64(len(runs[0].Swaps)), "swap") + "."},
		Setup: Setup{
			Rehearsal: "k3f9", Bluegreen: "1.4.0", Service: "web", File: "/srv/shop/compose.yaml", Images: []string{"hello:v1", "hello:v2"}, Nginx: "1.30.6", NginxFrom: "nginx:1.30-alpine",
			Engine: "20.10.24", EngineOS: "Debian GNU/Linux 12", Storage: "overlay2", Machine: "linux/amd64", CPUs: 2, Notes: []string{"The copy shares the network shop_default and its database with the real service."},
		},
		Load: Load{URL: "http://127.0.0.1:8088/", Protocol: "HTTP/1.1", Rate: 1000, Connections: 32, Requests: []string{"50% GET /", "50% POST /echo (256 bytes)"}, Slow: 2, Websockets: 4},
		Runs: runs,
	}
}

// samples are a report of each kind, by name.
func samples() map[string]Report {
	failed := sampleReport(sampleRun(shape{RunBluegreen, 5, 4000, 1000, 13, 60, 100, 22_000}))
	limit := MS(10)
	failed.Limits.MaxP99 = &limit
	failed.Verdict = Verdict{Text: "65 of 22,000 requests were lost.", Failures: []string{"65 requests lost, at most 0 allowed: reset 49, 5xx_nginx 16", "p99 14 ms, at most 10 ms allowed", "swap 3: wait until real2 answers as itself: answered 500"}}
	failed.Runs[0].Swaps[2].Error = "wait until real2 answers as itself: answered 500"
	failed.Runs[0].Swaps[2].Drained, failed.Runs[0].Swaps[2].Share = nil, nil

	compared := sampleReport(sampleRun(shape{RunBluegreen, 5, 4000, 1000, 0, 0, 100, 22_000}), sampleRun(shape{RunRecipe, 5, 4000, 1000, 62, 340, 100, 22_000}))
	compared.Verdict.Text = "No request was lost: 22,000 requests, 5 swaps; the recipe lost 310."

	observed := sampleReport(sampleRun(shape{RunLoad, 0, 0, 50, 0, 0, 100, 60_000}))
	observed.Setup = Setup{Bluegreen: "1.4.0", Machine: "darwin/arm64", CPUs: 8}
	observed.Load = Load{URL: "https://shop.example.com/", Protocol: "HTTP/2", Rate: 50, Connections: 4, Requests: []string{"100% GET /"}}

	interrupted := sampleReport(sampleRun(shape{RunBluegreen, 1, 4000, 1000, 0, 0, 100, 3_100}))
	interrupted.Verdict = Verdict{Text: "Interrupted after 1 of 5 swaps; no request was lost until then.", Failures: []string{"interrupted after 1 of 5 swaps"}}
	return map[string]Report{
		"twenty":      sampleReport(sampleRun(shape{RunBluegreen, 20, 3000, 1000, 0, 0, 100, 62_000})),
		"five":        sampleReport(sampleRun(shape{RunBluegreen, 5, 4000, 1000, 0, 0, 100, 22_000})),
		"failed":      failed,
		"compared":    compared,
		"observed":    observed,
		"interrupted": interrupted,
		"hour":        sampleReport(sampleRun(shape{RunBluegreen, 60, 60_000, 1000, 0, 0, 100, 3_600_000})),
	}
}
