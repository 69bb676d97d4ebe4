package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the app, so that signals and exit codes are the real ones.
func TestMain(m *testing.M) {
	if os.Getenv("HELLO_TEST_RUN_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is the app in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	exited chan error
}

func startProcess(t *testing.T, pairs ...string) *process {
	t.Helper()
	port := freePort(t)
	p := &process{t: t, url: "http://127.0.0.1:" + port, exited: make(chan error, 1)}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append([]string{"HELLO_TEST_RUN_MAIN=1", "PORT=" + port, "PROFILE=real2"}, pairs...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		p.exited <- p.cmd.Wait()
		close(gone)
	}()
	t.Cleanup(func() { // and waited for: this process may end at once
		_ = p.cmd.Process.Kill()
		<-gone
	})
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// waitReady asks until the app answers and returns what /profile says.
func (p *process) waitReady() string {
	p.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if answer, err := http.Get(p.url + "/profile"); err == nil {
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			return string(body)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatal("the app did not answer within 10s")
	return ""
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) wantExit(code int) {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		p.t.Fatal("the app did not exit within 10s")
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit code is %d, want %d", got, code)
	}
}

func (p *process) wantRunning(d time.Duration) {
	p.t.Helper()
	select {
	case err := <-p.exited:
		p.t.Fatalf("the app ended: %v", err)
	case <-time.After(d):
	}
}

func TestTermFinishesWhatIsInFlight(t *testing.T) {
	p := startProcess(t)
	if got := p.waitReady(); got != "real2" {
		t.Errorf("profile is %q", got)
	}
	stream, err := http.Get(p.url + "/stream?for=1m&every=10ms")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	events := bufio.NewReader(stream.Body)
	if _, err := events.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	slow := make(chan error, 1)
	go func() { slow <- getOK(p.url + "/slow?for=700ms") }()
	time.Sleep(200 * time.Millisecond) // the slow request is under way
	p.signal(syscall.SIGTERM)
	if rest, err := io.ReadAll(events); err != nil || !strings.HasSuffix(string(rest), "data: stopping\n\n") {
		t.Errorf("stream: %v, ended %q", err, rest)
	}
	if err := <-slow; err != nil {
		t.Errorf("slow request: %v", err)
	}
	p.wantExit(0)
}

func getOK(url string) error {
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func TestShutdownTimeoutIsAFailure(t *testing.T) {
	p := startProcess(t, "SHUTDOWN_TIMEOUT=100ms")
	p.waitReady()
	go func() { _ = getOK(p.url + "/slow?for=1m") }()
	time.Sleep(200 * time.Millisecond)
	p.signal(syscall.SIGTERM)
	p.wantExit(1)
}

func TestFaultsThatExit(t *testing.T) {
	for _, fault := range []string{"exit-at-boot", "crash-later:50ms", "no-such-fault"} {
		t.Run(fault, func(t *testing.T) {
			startProcess(t, "FAULT="+fault).wantExit(1)
		})
	}
	t.Run("exit-after", func(t *testing.T) {
		p := startProcess(t, "FAULT=exit-after:2")
		for range 2 {
			if got := p.waitReady(); got != "real2" {
				t.Errorf("profile is %q", got)
			}
		}
		p.wantExit(1)
	})
}

func TestNeverListen(t *testing.T) {
	p := startProcess(t, "FAULT=never-listen")
	p.wantRunning(200 * time.Millisecond)
	if err := getOK(p.url); err == nil {
		t.Error("something listens")
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
}

func TestLate(t *testing.T) {
	p := startProcess(t, "FAULT=late:500ms")
	started := time.Now()
	p.waitReady()
	if took := time.Since(started); took < 450*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
}

func TestHangAcceptTakesConnectionsAndNeverAnswers(t *testing.T) {
	p := startProcess(t, "FAULT=hang-accept")
	address := strings.TrimPrefix(p.url, "http://")
	var conn net.Conn
	var err error
	for range 500 {
		if conn, err = net.Dial("tcp", address); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want no answer", err)
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
}

func TestIgnoreTerm(t *testing.T) {
	p := startProcess(t, "FAULT=ignore-term")
	p.waitReady()
	p.signal(syscall.SIGTERM)
	p.wantRunning(200 * time.Millisecond)
	if got := p.waitReady(); got != "real2" {
		t.Errorf("profile is %q", got)
	}
	p.signal(syscall.SIGKILL)
	p.wantExit(-1)
}

func TestIdleConnectionsAreClosedAfterTheirTime(t *testing.T) {
	p := startProcess(t, "IDLE_TIMEOUT=50ms")
	p.waitReady()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /profile HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(text), "real2") {
		t.Errorf("%v: %q", err, text)
	}
}
