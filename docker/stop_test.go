package docker

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// TestAStopThatWasBegunIsSeenToItsEnd: the engine goes on stopping when the client leaves, and a start that comes
// before the end of it changes nothing.
func TestAStopThatWasBegunIsSeenToItsEnd(t *testing.T) {
	begun, ended := make(chan struct{}), atomic.Bool{}
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"POST /containers/shop/stop": func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			time.Sleep(200 * time.Millisecond)
			ended.Store(true)
			w.WriteHeader(http.StatusNoContent)
		},
	})
	c := dial(t, host)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if err := c.Stop(ctx, "shop"); err != nil || !ended.Load() {
		t.Fatalf("%v, and the engine had ended stopping: %v", err, ended.Load())
	}
	if err := c.Stop(ctx, "shop"); err == nil {
		t.Fatal("a stop was begun although the context had ended")
	}
}
