package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// How long the clients go on, over as many deploys as there are in it.
const clientsFor = 12 * time.Second

// Programs that people use say by their own counts that nothing is lost: curl and wrk over HTTP/1.1, h2load over HTTP/2.
// wrk never sends a request twice, and h2load neither: what it counts as refused at a reload, nginx must not have begun, so
// that each stream that nginx logs is one that h2load has its answer of.
func TestCurlWrkAndH2loadSeeNoLossThroughDeploys(t *testing.T) {
	t.Parallel()
	needClients(t, "curl", "wrk", "h2load")
	h := newHost(t, ownKey("watch", "100ms"))
	h.deploy("v1")
	url := "http://" + h.addr()
	const rate = 25
	requests := int(clientsFor.Seconds()) * rate
	clients := map[string]*clientRun{
		"wrk":                  startWrk(t, url+"/", clientsFor, "-c", "8"),
		"curl":                 startCurl(t, url+"/echo", requests, rate, "--data", "some text"),
		"curl, new connection": startCurl(t, url+"/echo", requests, rate, "--data", "some text", "--header", "Connection: close"),
	}
	streams := h.streams(t, url+"/version")
	deploys := 0
	for clients["wrk"].running() && clients["curl"].running() {
		h.deploy(fmt.Sprint("v", deploys+2))
		deploys++
	}
	for name, c := range clients {
		got := c.counts()
		t.Logf("%s: %v", name, got)
		if got.failed > 0 || got.good == 0 {
			t.Errorf("%s: want none failed: %v", name, got)
		}
	}
	h.wantLogged(t, "/version", streams())
	t.Logf("%d deploys", deploys)
	if deploys < 2 {
		t.Errorf("only %d deploys in %v", deploys, clientsFor)
	}
}

// streams runs one h2load after the other, each on new connections, as each gives up those that a reload ends. What it
// returns ends them, and sums up.
func (h *host) streams(t *testing.T, url string, options ...string) func() counts {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	sum := make(chan counts, 1)
	go func() {
		var all counts
		for ctx.Err() == nil {
			one := startH2load(t, url, 160, append([]string{"-c", "4", "-m", "4", "--rps", "40"}, options...)...)
			<-one.ended
			got, err := one.read(string(one.text))
			if err != nil || one.err != nil {
				got.failed, got.said = got.failed+1, fmt.Sprintf("%v, %v: %s", err, one.err, one.text)
			}
			all.good, all.failed = all.good+got.good, all.failed+got.failed
			if got.failed > 0 || got.good < 160 {
				all.said += "\n  " + got.said
			}
		}
		sum <- all
	}()
	return func() counts { stop(); return <-sum }
}

// logLag is how long a line of nginx's log may take to where it can be read: it is written after the answer was sent.
const logLag = 5 * time.Second

// wantLogged checks that a client has the answer of every request for a path that nginx began, and that all are good.
func (h *host) wantLogged(t *testing.T, path string, got counts) {
	t.Helper()
	all, good := h.logged(t, path)
	for began := time.Now(); all < got.good && time.Since(began) < logLag; all, good = h.logged(t, path) {
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("%s: %v; nginx began %d", path, got, all)
	if got.failed > 0 || got.good == 0 || all != got.good || good != all {
		t.Errorf("%s: want a good answer for each of the %d requests that nginx began (%d with 2xx): %v", path, all, good, got)
	}
}
