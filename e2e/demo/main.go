// Command demo is what `make demo` shows: examples/hello deployed, swapped to its next release and rolled back, under
// load, with every request counted. It runs the commands a person would run, and leaves the service running.
//
// Run it from the repository's root, with bin/bluegreen and the images hello:v1 and hello:v2 built. The environment's
// BLUEGREEN_NGINX_IMAGE names the nginx image.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}
