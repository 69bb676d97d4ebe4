package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// idleServer keeps an idle connection open for a time; the answer is chunked, so its end must be seen.
func idleServer(t *testing.T, idle time.Duration, header ...string) Probe {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range header {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		fmt.Fprint(w, r.Host)
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "the rest")
	}))
	s.Config.IdleTimeout = idle
	s.Start()
	t.Cleanup(s.Close)
	return Probe{URL: s.URL + "/profile", Host: "shop.example.com"}
}

// The watch is far longer than the app's patience, so a slow machine changes nothing.
func TestAnIdleConnectionThatTheAppClosesIsSeenWithItsTime(t *testing.T) {
	const patience = 150 * time.Millisecond
	got, err := idleServer(t, patience).WatchIdle(t.Context(), time.Minute)
	if err != nil || !got.Closed || got.Announced {
		t.Fatalf("%+v, %v; want it closed", got, err)
	}
	if got.After < patience/2 || got.After > 30*time.Second {
		t.Errorf("closed after %v, want about %v", got.After, patience)
	}
}

func TestAnIdleConnectionThatTheAppKeepsIsKept(t *testing.T) {
	got, err := idleServer(t, time.Hour).WatchIdle(t.Context(), 100*time.Millisecond)
	if err != nil || got != (Idle{}) {
		t.Errorf("%+v, %v; want it open", got, err)
	}
}

func TestAConnectionWhoseEndIsAnnouncedIsNotWatched(t *testing.T) {
	got, err := idleServer(t, time.Hour, "Connection: close").WatchIdle(t.Context(), time.Minute)
	if err != nil || got != (Idle{Announced: true}) {
		t.Errorf("%+v, %v; want it announced", got, err)
	}
}

func TestNobodyToWatchIsAnError(t *testing.T) {
	p := idleServer(t, time.Hour)
	gone := Probe{URL: "http://127.0.0.1:1/profile"}
	if _, err := gone.WatchIdle(t.Context(), time.Minute); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nothing listens: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if got, err := p.WatchIdle(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the command ends first: %+v, %v", got, err)
	}
}
