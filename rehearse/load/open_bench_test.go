//go:build linux

package load

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// bareServerEnv makes the test binary a server, for benchmarks in which the client's own use of the machine counts.
const bareServerEnv = "BLUEGREEN_LOAD_BARE_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(bareServerEnv) != "" {
		fmt.Println(bareServer())
		_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark ends
		return
	}
	os.Exit(m.Run())
}

// childServer starts the bare server in a process of its own.
func childServer(b *testing.B) string {
	b.Helper()
	child := exec.Command(os.Args[0])
	child.Env, child.Stderr = append(os.Environ(), bareServerEnv+"=1"), os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = child.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

// needBench skips what takes its time and prints a table, unless it was asked for.
func needBench(b *testing.B) {
	b.Helper()
	if os.Getenv("BLUEGREEN_BENCH") != "1" {
		b.Skip("SKIPPED: run `make bench`, which sets BLUEGREEN_BENCH=1")
	}
}

// The open loop against a server in another process that does next to nothing: what the client itself costs.
const (
	benchTime     = 10 * time.Second
	benchRequests = 1_000_000
)

func BenchmarkOpenLoop(b *testing.B) {
	needBench(b)
	addr := childServer(b)
	fmt.Printf("\nOpen loop, 32 connections, %v each\n", benchTime)
	for _, rate := range []float64{5000, 10_000} {
		printOpenLoop(b, fmt.Sprintf("%.0f requests a second", rate), Config{Target: Target{Addr: addr}, Rate: rate, MaxTime: benchTime})
	}
}

func BenchmarkMillionRequests(b *testing.B) {
	needBench(b)
	addr := childServer(b)
	fmt.Printf("\nMemory, open loop at 20,000 requests a second\n")
	for _, requests := range []int64{benchRequests / 50, benchRequests} {
		report := printOpenLoop(b, fmt.Sprintf("%d requests", requests), Config{Target: Target{Addr: addr}, Rate: 20_000, MaxRequests: requests})
		if report.OK != requests {
			b.Errorf("%s", report)
		}
	}
}

// printOpenLoop does a run and prints what it took.
func printOpenLoop(b *testing.B, name string, cfg Config) Report {
	b.Helper()
	var mu sync.Mutex
	late := newTally(time.Now(), nil).latency
	cfg.Connections = 32
	cfg.Each = func(x Exchange) {
		mu.Lock()
		defer mu.Unlock()
		_ = late.RecordValue(x.Late.Microseconds())
	}
	used := cpuTime()
	report := Start(b.Context(), cfg).Wait()
	used = cpuTime() - used
	fmt.Printf("  %-28s %6.0f/s  %d lost  %.2f cores  late p50 %v, p99 %v  latency p99 %v  at most %.1f MiB\n",
		name, float64(report.OK)/report.Duration.Seconds(), report.Lost, used.Seconds()/report.Duration.Seconds(),
		time.Duration(late.ValueAtPercentile(50))*time.Microsecond, time.Duration(late.ValueAtPercentile(99))*time.Microsecond,
		report.P99, float64(peakMemory())/(1<<20))
	return report
}
