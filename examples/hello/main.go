// Command hello is the app of package app as a program of its own: a small app to deploy with bluegreen.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"bluegreen/examples/hello/app"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := app.Run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}
