package report

// evil is what tries to leave every place that it is put into.
const evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>&amp;\x00\x1b[31m\u202e\u2028]]>é\xff"

// hostile is a report whose every text from outside is evil.
func hostile() Report {
	r := sampleReport(sampleRun(shape{RunBluegreen, 3, 4000, 1000, 5, 10, 100, 14_000}))
	r.Verdict = Verdict{Text: evil, Failures: []string{evil}}
	r.Setup = Setup{Rehearsal: evil, Bluegreen: evil, Service: evil, File: evil, Images: []string{evil}, Nginx: evil, NginxFrom: evil, Engine: evil, EngineOS: evil, Storage: evil, Machine: evil, Notes: []string{evil}}
	r.Load.URL, r.Load.Protocol, r.Load.Requests = evil, evil, []string{evil}
	run := &r.Runs[0]
	run.Outcomes[2].Name = evil
	for i := range run.Swaps {
		s := &run.Swaps[i]
		s.Profile, s.Image, s.Error = evil, evil, evil
		s.Steps[2].Name = evil
	}
	for i := range run.First {
		run.First[i] = Lost{Method: evil, Path: evil, Outcome: evil, Error: evil}
	}
	run.Releases[0].Release, run.Others[0].Kind = evil, evil
	return r
}
