package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
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

func BenchmarkX(b *testing.B) {
	addr := childServer(b)
	for _, rate := range []float64{1000, 5000, 10000} {
		late := newTally(time.Now(), nil).latency
		cpu := cpuTime()
		r := Start(context.Background(), Config{Target: Target{Addr: addr}, Connections: 32, Rate: rate, MaxTime: 3 * time.Second, Each: func(x Exchange) {
			lateMu.Lock()
			late.RecordValue(x.Late.Microseconds())
			lateMu.Unlock()
		}}).Wait()
		fmt.Printf("%6.0f/s: %.0f/s ok, %.2f cores, late p50 %d p99 %d p99.9 %d max %d us, conns %d lost %d p50 %s p99 %s max %s\n", rate, float64(r.OK)/r.Duration.Seconds(),
			(cpuTime() - cpu).Seconds()/r.Duration.Seconds(), late.ValueAtPercentile(50), late.ValueAtPercentile(99), late.ValueAtPercentile(99.9), late.Max(), r.Connects, r.Lost, r.P50, r.P99, r.Max)
	}
}
