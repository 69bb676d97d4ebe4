package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bluegreen/rehearse/load"
)

// Where examples/hello is served, and the load on it. The connections send at a steady pace, so that the load leaves
// the machine something to deploy with.
const (
	address     = "127.0.0.1:8080"
	connections = 32
	period      = 20 * time.Millisecond
	bodySize    = 256
	around      = time.Second // load before the first and after the last command
)

// halfPosts is what the load sends.
var halfPosts = []load.Request{{Share: 0.5}, {Method: http.MethodPost, Body: bytes.Repeat([]byte("a"), bodySize), Share: 0.5}}

var errLost = errors.New("requests were lost")

func run(ctx context.Context) error {
	if err := checkFolder(); err != nil {
		return err
	}
	first, next, err := firstRelease(ctx)
	if err != nil {
		return err
	}
	if err := writeEnv(first); err != nil {
		return err
	}
	headline("Load: %d keep-alive connections, %d requests a second each", connections, time.Second/period)
	fmt.Println("Half of them are POSTs, and none is ever sent twice.")
	traffic := load.Start(ctx, load.Config{
		Target: load.Target{Addr: address}, Connections: connections, Period: period, Mix: halfPosts,
	})
	err = swaps(ctx, first, next)
	report := traffic.Stop()
	if err != nil {
		return err
	}
	result(report)
	showSwitches(next, first)
	headline("What runs now")
	if err := show("", "status"); err != nil {
		return err
	}
	goodbye(next)
	if report.Lost > 0 {
		return errLost
	}
	return nil
}

// firstRelease makes sure that a release is live, and says which one is, and which to deploy next.
func firstRelease(ctx context.Context) (first, next string, err error) {
	switch image := live(); image {
	case "hello:v1", "hello:v2":
		first, next = "v1", "v2"
		if image == "hello:v2" {
			first, next = next, first
		}
		headline("%s is live already, from an earlier run: going on from there", image)
		return first, next, nil
	default:
		headline("First deploy: version v1")
		return "v1", "v2", errors.Join(show("v1", "deploy"), ctx.Err())
	}
}

// swaps is what happens under load.
func swaps(ctx context.Context, first, next string) error {
	pause(ctx, around)
	headline("Deploy version %s", next)
	if err := errors.Join(show(next, "deploy"), ctx.Err()); err != nil {
		return err
	}
	headline("Back to %s, which is still warm", first)
	if err := errors.Join(show("", "rollback"), ctx.Err()); err != nil {
		return err
	}
	pause(ctx, around)
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// headline begins a part of the output.
func headline(format string, args ...any) { fmt.Printf("\n== "+format+"\n", args...) }

// result says what the load saw.
func result(r load.Report) {
	headline("Result")
	fmt.Printf("requests      %d, half of them POSTs\n", r.Requests)
	fmt.Printf("lost          %d\n", r.Lost)
	for _, version := range []string{"v1", "v2"} {
		fmt.Printf("answers       %d by %s\n", r.Versions[version].Answers, version)
	}
	fmt.Printf("answer time   %v in the median, %v at most\n", r.P50.Round(100*time.Microsecond), r.Max.Round(time.Millisecond))
	fmt.Printf("longest gap   %v without an answer on any connection\n", r.LongestGap.Round(time.Millisecond))
	for _, lost := range r.FirstLost {
		fmt.Println("lost:", lost)
	}
}

// showSwitches says how long the two swaps took, each from a healthy release to the proof that nginx serves it.
func showSwitches(versions ...string) {
	for i, took := range switches(len(versions)) {
		fmt.Printf("switch to %s  %v\n", versions[i], took)
	}
}

func goodbye(next string) {
	headline("Left running on http://%s", address)
	fmt.Println("Go on by hand:  cd examples/hello && TAG=" + next + " ../../bin/bluegreen deploy")
	fmt.Println("Remove it all:  make demo-down")
}
