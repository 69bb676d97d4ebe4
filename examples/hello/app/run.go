// Package app is a small app to deploy with bluegreen: it says which profile and version it is, has slow answers, event
// streams and websockets to swap under, and ends politely when it is asked to. FAULT makes it misbehave.
package app

import "context"

// Run serves until ctx ends, then finishes what is in flight. getenv is the environment (README.md lists the
// variables). The error says which of them is wrong, why it cannot listen, or what was cut at the end.
func Run(ctx context.Context, getenv func(string) string) error {
	s, err := readSettings(getenv)
	if err != nil {
		return err
	}
	f, err := parseFault(getenv("FAULT"))
	if err != nil {
		return err
	}
	return f.live(ctx, func(ctx context.Context) error {
		return serve(ctx, s, f)
	})
}
