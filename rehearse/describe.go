package rehearse

import (
	"cmp"
	"context"
	"runtime"

	"bluegreen/config"
	"bluegreen/rehearse/report"
)

// nginxImage is what the copy's nginx is made from.
func (s *stage) nginxImage() string { return cmp.Or(s.copy.Host.Image, config.DefaultImage) }

// describe is what is run, and on what.
func (s *stage) describe(ctx context.Context) report.Setup {
	r := report.Setup{
		Rehearsal: s.names.id, Bluegreen: s.Version, Service: s.Service.Settings.Service, File: s.Service.File, Images: s.Images,
		NginxFrom: s.nginxImage(), Engine: s.engine.Version, EngineOS: s.engine.OS + "/" + s.engine.Arch, Storage: s.engine.Storage,
		Machine: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Notes: []string{},
	}
	if s.example {
		r.Service = ExampleName
	}
	there, _, err := s.world.ComposeNetworks(ctx, s.Service.Compose, s.Service.ProjectDef)
	if err != nil {
		there = nil // the first deploy says what is wrong, where it matters
	}
	r.Notes = append(r.Notes, notes(s.Service, there, s.Shared)...)
	return r
}
