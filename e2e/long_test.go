package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// A request that lasts is begun well before a swap, and ends well after it.
const (
	longLasting = 6 * time.Second
	uploadSize  = 20 << 20
)

// longRequest is a request under way while releases change.
type longRequest struct {
	name string
	send func(context.Context, load.Target) (load.Answer, error)
	path string
}

var longRequests = []longRequest{
	{"slow answer", load.GetSlow, fmt.Sprintf("/slow?for=%v", longLasting)},
	{"event stream", load.ReadStream, fmt.Sprintf("/stream?for=%v&every=100ms", longLasting)},
	{"websocket", func(ctx context.Context, to load.Target) (load.Answer, error) {
		return load.EchoWebsocket(ctx, to, 100*time.Millisecond, longLasting)
	}, "/ws"},
	{"upload", func(ctx context.Context, to load.Target) (load.Answer, error) {
		return load.Upload(ctx, to, uploadSize, longLasting)
	}, "/echo"},
}

func TestLongRequestsCompleteAcrossASwap(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy("v1")
	h.longRequestsLast(t, longRequests)
}

// longRequestsLast swaps twice while they are under way, from v1: the second deploy may not stop the container that still
// answers.
func (h *host) longRequestsLast(t *testing.T, requests []longRequest) {
	t.Helper()
	type ended struct {
		answer load.Answer
		err    error
	}
	answers := make([]ended, len(requests))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var underWay sync.WaitGroup
	for i, r := range requests {
		underWay.Go(func() {
			answers[i].answer, answers[i].err = r.send(ctx, h.target(r.path))
		})
	}
	time.Sleep(500 * time.Millisecond)
	h.deploy("v2")
	h.deploy("v3")
	underWay.Wait()
	for i, r := range requests {
		a := answers[i].answer
		t.Logf("%s: %d bytes, %d events, by %s in %v", r.name, a.Bytes, a.Events, a.Version, a.Took.Round(time.Millisecond))
		if err := answers[i].err; err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if a.Version != "v1" {
			t.Errorf("%s: want it answered by v1, where it began, got %q", r.name, a.Version)
		}
	}
}
