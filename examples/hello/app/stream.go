package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// minEvery keeps a stream from becoming a flood.
const minEvery = 10 * time.Millisecond

// stream sends server-sent events for ?for=10s, one ?every=1s, and a last one that says why it ends.
func (a *app) stream(w http.ResponseWriter, r *http.Request) {
	total, err := duration(r, "for", 10*time.Second)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	every, err := duration(r, "every", time.Second)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.sendEvents(w, r, total, max(every, minEvery))
}

func (a *app) sendEvents(w http.ResponseWriter, r *http.Request, total, every time.Duration) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.URL.Query().Get("chunked") == "false" {
		w.Header().Set("Transfer-Encoding", "identity") // net/http then ends the answer with the connection
	}
	out := http.NewResponseController(w)
	ticker, end := time.NewTicker(every), time.After(total)
	defer ticker.Stop()
	for n := 1; ; n++ {
		_, _ = fmt.Fprintf(w, "id: %d\ndata: %s %s\n\n", n, a.settings.version, a.settings.profile)
		if out.Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-end:
			_, _ = io.WriteString(w, "event: end\ndata: done\n\n")
			return
		case <-a.stopping.Done():
			_, _ = io.WriteString(w, "event: end\ndata: stopping\n\n")
			return
		case <-r.Context().Done():
			return
		}
	}
}

// websocket echoes messages until the client leaves or the app is asked to stop (close status 1001).
func (a *app) websocket(w http.ResponseWriter, r *http.Request) {
	defer a.sockets.join()()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	closed := make(chan struct{})
	forget := context.AfterFunc(a.stopping, func() {
		defer close(closed)
		_ = conn.Close(websocket.StatusGoingAway, "stopping")
	})
	echoMessages(conn)
	if !forget() {
		<-closed // the closing handshake is still under way
	}
}

func echoMessages(conn *websocket.Conn) {
	for {
		kind, message, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if conn.Write(context.Background(), kind, message) != nil {
			return
		}
	}
}

// group counts what is under way.
type group struct{ running sync.WaitGroup }

// join counts one more, until the function it returns is called.
func (g *group) join() (leave func()) {
	g.running.Add(1)
	return g.running.Done
}

// wait returns when none is left, or with ctx's error.
func (g *group) wait(ctx context.Context) error {
	left := make(chan struct{})
	go func() { g.running.Wait(); close(left) }()
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
