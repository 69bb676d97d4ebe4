package load

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"testing"
	"time"
)

// BenchmarkRun measures client and a bare server together, which share the cores that -cpu gives. One operation is
// one request.
func BenchmarkRun(b *testing.B) {
	var timeline Timeline
	timeline.Live("1", time.Now())
	for _, bench := range []struct {
		name string
		cfg  Config
	}{
		{"GET", Config{}},
		{"POST", Config{Mix: mixed(1, 256)}},
		{"POST judged", Config{Mix: mixed(1, 256), Timeline: &timeline}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			cfg := bench.cfg
			cfg.Addr, cfg.Connections, cfg.MaxRequests = bareServer(), 32, int64(b.N)
			b.ReportAllocs()
			report := Start(context.Background(), cfg).Wait()
			if report.OK != int64(b.N) {
				b.Fatalf("%s", report)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

// bareServer answers with next to no work, so that a benchmark shows the client's. It serves until the process ends.
func bareServer() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerBarely(conn)
		}
	}()
	return listener.Addr().String()
}

// answerBarely takes each read as one request: the client sends one in one write, and waits for its answer.
func answerBarely(conn net.Conn) {
	defer conn.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nServer: bare\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain\r\n" +
		"Content-Length: 24\r\nX-Version: 1\r\nX-Profile: real1\r\n\r\nhello 1 from real1 on x\n")
	in, request := bufio.NewReader(conn), make([]byte, 4096)
	for {
		n, err := in.Read(request)
		if err != nil || !bytes.Contains(request[:n], []byte("HTTP/1.1\r\n")) {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
