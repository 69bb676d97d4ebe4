package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// counts are what a client says became of its requests. What it never sent is in neither.
type counts struct {
	good, failed int64
	said         string // of what failed
}

func (c counts) String() string {
	return fmt.Sprintf("%d good, %d failed: %s", c.good, c.failed, c.said)
}

// clientRun is curl, wrk or h2load under way.
type clientRun struct {
	t     testing.TB
	name  string
	ended chan struct{}
	text  []byte // stdout
	err   error
	read  func(stdout string) (counts, error)
}

// needClients skips a test where one of these programs is not there.
func needClients(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("SKIPPED, NOT TESTED: there is no %s (`make e2e` installs it where it can): %v", name, err)
		}
	}
}

func startClient(t testing.TB, read func(string) (counts, error), name string, args ...string) *clientRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	c := &clientRun{t: t, name: name, ended: make(chan struct{}), read: read}
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	go func() {
		defer close(c.ended)
		defer cancel()
		if c.text, c.err = cmd.Output(); c.err != nil {
			c.err = fmt.Errorf("%w: %s", c.err, stderr.String())
		}
	}()
	return c
}

// running says whether it has not ended yet.
func (c *clientRun) running() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// counts waits for its end, and fails the test when it says nothing that can be read.
func (c *clientRun) counts() counts {
	c.t.Helper()
	<-c.ended
	got, err := c.read(string(c.text))
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", c.name, errors.Join(err, c.err), c.text)
	}
	if c.err != nil {
		got.said += fmt.Sprintf("; it ended with %v", c.err)
		got.failed = max(got.failed, 1)
	}
	return got
}

// startWrk has wrk send GETs and POSTs in turn, for that long, over keep-alive connections. It sends none again. Options
// stand before the URL.
func startWrk(t testing.TB, url string, length time.Duration, options ...string) *clientRun {
	t.Helper()
	args := append([]string{"-t", "1", "-d", fmt.Sprintf("%.0fs", length.Seconds()), "-s", "testdata/clients/mixed.lua"}, options...)
	return startClient(t, readWrk, "wrk", append(args, url)...)
}

func readWrk(stdout string) (counts, error) {
	var said struct{ Requests, Connect, Read, Write, Status, Timeout int64 }
	line := stdout[strings.LastIndex(stdout, "\n{")+1:]
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		return counts{}, err
	}
	failed := said.Connect + said.Read + said.Write + said.Status + said.Timeout
	return counts{good: said.Requests - said.Status, failed: failed, said: strings.TrimSpace(line)}, nil
}

// startCurl has one curl send that many requests one after the other, over a connection that it keeps, at a rate of so
// many a second. It sends one again that found its kept connection closed; wrk and load do not. HTTP/2 without TLS is
// beyond curl 7.88, Debian 12's: its second request on a connection fails, without any swap.
func startCurl(t testing.TB, url string, requests, rate int, options ...string) *clientRun {
	t.Helper()
	args := append([]string{
		"--silent", "--show-error", "--no-progress-meter", "--max-time", "10", "--rate", fmt.Sprintf("%d/s", rate),
		"--output", "/dev/null", "--write-out", `%{http_code} %{errormsg}\n`,
	}, options...)
	return startClient(t, func(stdout string) (counts, error) { return readCurl(stdout, requests) },
		"curl", append(args, fmt.Sprintf("%s?n=[1-%d]", url, requests))...)
}

func readCurl(stdout string, requests int) (counts, error) {
	var c counts
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, "2") {
			c.good++
		} else {
			c.said += line
		}
	}
	c.failed = int64(requests) - c.good
	return c, nil
}

// curlRefused is what curl 7.88, Debian 12's, says of a stream of a kept connection that the server refused as it ended the
// connection (GOAWAY). Later ones send the request again.
const curlRefused = "000 Error in the HTTP2 framing layer\n"

// withoutRefused does not count those as failed; that the server did not begin them, its log tells: see wantLogged.
func (c counts) withoutRefused() counts {
	c.failed -= int64(strings.Count(c.said, curlRefused))
	return c
}

// startH2load has h2load send that many requests as streams of HTTP/2 connections. It never sends one again: of a
// connection that a reload ends in good order (GOAWAY), it counts as failed what the server says it did not begin, and
// what it has not sent yet. What failed otherwise, the server's log tells: see wantLogged.
func startH2load(t testing.TB, url string, requests int, options ...string) *clientRun {
	t.Helper()
	args := append([]string{"-t", "1", "-n", strconv.Itoa(requests)}, options...)
	return startClient(t, readH2load, "h2load", append(args, url)...)
}

var (
	h2loadRequests = regexp.MustCompile(`(?m)^requests: .*$`)
	h2loadCodes    = regexp.MustCompile(`(?m)^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$`)
)

func readH2load(stdout string) (counts, error) {
	codes := h2loadCodes.FindStringSubmatch(stdout)
	if codes == nil {
		return counts{}, errors.New("no status codes")
	}
	c := counts{said: h2loadRequests.FindString(stdout) + "; " + codes[0]}
	for i, code := range codes[1:] {
		n, err := strconv.ParseInt(code, 10, 64)
		if err != nil {
			return c, err
		}
		if i == 0 {
			c.good = n
		} else {
			c.failed += n
		}
	}
	return c, nil
}

// logged counts the answers of nginx to requests for a path, and those of them that were good.
func (h *host) logged(t *testing.T, path string) (all, good int64) {
	t.Helper()
	stdout, _ := logs(t, h.nginx())
	for line := range strings.Lines(stdout) {
		var entry struct {
			URI    string
			Status int
		}
		if json.Unmarshal([]byte(line), &entry) != nil || strings.SplitN(entry.URI, "?", 2)[0] != path {
			continue
		}
		if all++; entry.Status/100 == 2 {
			good++
		}
	}
	return all, good
}
