package e2e

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// Single figures change with the machine and with what else it does; the ratios of one run are what these show.
const (
	benchRounds      = 20
	throughputRounds = 3
	throughputTime   = 3 * time.Second
	// The recipe opens a connection for each request: more of them would use up the machine's ports.
	throughputRequests = 60_000
)

// row is one line of a table.
type row struct {
	name   string
	figure float64
	note   string
}

// table prints rows with their ratio to the first.
func table(title, unit string, rows []row) {
	fmt.Printf("\n%s\n", title)
	for _, r := range rows {
		fmt.Printf("  %-58s %9.0f %-6s %6.2f  %s\n", r.name, r.figure, unit, r.figure/rows[0].figure, r.note)
	}
}

func needBench(b *testing.B) {
	b.Helper()
	if os.Getenv("BLUEGREEN_BENCH") != "1" {
		b.Skip("SKIPPED: run `make bench`, which sets BLUEGREEN_BENCH=1")
	}
}

func BenchmarkThroughput(b *testing.B) {
	needBench(b)
	h := newHost(b)
	h.deploy("v1")
	recipe := startRecipe(b, h, h.real1Port)
	ways := []struct{ name, addr string }{
		{"the app itself, through its published port", fmt.Sprintf("127.0.0.1:%d", h.real1Port)},
		{"bluegreen's nginx", h.addr()},
		{"the recipe's nginx", recipe.addr},
	}
	seen, lost := make([][]float64, len(ways)), make([]int64, len(ways))
	for range throughputRounds { // one after the other in each round, so that a slow moment of the machine hits all
		for i, way := range ways {
			r := load.Start(b.Context(), load.Config{
				Target: load.Target{Addr: way.addr}, Connections: busyConnections,
				MaxTime: throughputTime, MaxRequests: throughputRequests,
			}).Wait()
			seen[i] = append(seen[i], float64(r.OK)/r.Duration.Seconds())
			lost[i] += r.Lost
		}
	}
	var rows []row
	for i, way := range ways {
		rows = append(rows, row{way.name, median(seen[i]), fmt.Sprintf("%d lost", lost[i])})
	}
	table(fmt.Sprintf("Throughput, %d keep-alive connections, GET, median of %d", busyConnections, throughputRounds), "req/s", rows)
}

func BenchmarkSwap(b *testing.B) {
	needBench(b)
	h := newHost(b, ownKey("watch", "0s"))
	h.deploy("v1")
	h.deploy("v2")
	shell := startShell(b, h)
	var deploy, confirmed, direct, warm, bare []float64
	for n := range benchRounds {
		version := fmt.Sprintf("v%d", n+3)
		out := h.deploy(version)
		deploy, confirmed = append(deploy, ms(out.took)), append(confirmed, float64(out.result().SwitchMS))
		direct = append(direct, ms(h.rollback().took))
		warm = append(warm, ms(h.rollback().took))
		bare = append(bare, ms(shell.deploy(version)))
	}
	table(fmt.Sprintf("Whole commands, median of %d", benchRounds), "ms", []row{
		{"docker stop, rm, run, curl, exec nginx -t and reload in sh", median(bare), "nothing drained, confirmed, locked or undone"},
		{"bluegreen deploy, watch 0s", median(deploy), ""},
		{"  of which from a healthy release to the confirmed switch", median(confirmed), ""},
		{"bluegreen rollback right after a deploy", median(direct), ""},
		{"bluegreen rollback", median(warm), ""},
	})
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
