// Command hello is a small app to deploy with bluegreen: it says which profile and version it is,
// has slow answers, event streams and websockets to swap under, and ends politely on SIGTERM.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is stamped by -ldflags "-X main.version=v1"; the environment's VERSION wins.
var version = "dev"

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then finishes what is in flight.
func run(ctx context.Context, getenv func(string) string) error {
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
