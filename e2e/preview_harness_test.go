package e2e

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// nextName is the name of a preview.
const nextName = "next.example.com"

// withPreview gives a host's service a public name and that of a preview.
func withPreview(h *host) {
	h.serverName = shopName
	ownKey("server_names", []string{shopName})(h)
	ownKey("preview", map[string]any{"server_names": []string{nextName}})(h)
}

// turn is a profile's time as the live one: from the moment at which a swap to it was confirmed to that at which the next one
// begins, it is certain who answers.
type turn struct {
	live             string
	confirmed, until time.Time // until: zero, it goes on
}

// holds says whether all of a request's life lies in the turn.
func (t turn) holds(sent, done time.Time) bool {
	return sent.After(t.confirmed) && (t.until.IsZero() || done.Before(t.until))
}

// turns are who was live when, one after the other.
type turns []turn

// next adds the swap of which a command's events tell.
func (l turns) next(t testing.TB, out output) turns {
	t.Helper()
	began, done := out.find("step_started", "switch"), out.find("step_done", "switch")
	if out.code != 0 || done.Time.IsZero() {
		t.Fatalf("want a swap: %v", out)
	}
	if len(l) > 0 {
		l[len(l)-1].until = began.Time
	}
	return append(l, turn{live: done.Profile, confirmed: done.Time})
}

// look is one answer under a name, on a connection of its own.
type look struct {
	sent, done time.Time
	status     int
	profile    string // that the app says it is; "" nginx itself answered
	body       string
	err        error
}

// looker asks one name over and over, each time on a new connection.
type looker struct {
	name   string
	mu     sync.Mutex
	more   *sync.Cond
	seen   []look
	cancel context.CancelFunc
	ended  chan struct{}
}

// lookPeriod is from one look to the next.
const lookPeriod = 5 * time.Millisecond

func (h *host) lookAt(name string) *looker {
	w := &looker{name: name, ended: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	ctx, cancel := context.WithCancel(h.t.Context())
	w.cancel = cancel
	go func() {
		defer close(w.ended)
		for tick := time.NewTicker(lookPeriod); ctx.Err() == nil; <-tick.C {
			got := h.look(name)
			w.mu.Lock()
			w.seen = append(w.seen, got)
			w.mu.Unlock()
			w.more.Broadcast()
		}
	}()
	h.t.Cleanup(w.stop)
	return w
}

func (w *looker) stop() {
	w.cancel()
	<-w.ended
}

// look asks once, whatever becomes of the test meanwhile: a look that is under way is to be whole.
func (h *host) look(name string) (l look) {
	l.sent = time.Now()
	defer func() { l.done = time.Now() }()
	request, err := http.NewRequest(http.MethodGet, "http://"+name+"/", nil)
	if err != nil {
		return look{err: err}
	}
	got, err := h.through().RoundTrip(request)
	if err != nil {
		l.err = err
		return l
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	l.status, l.profile, l.body, l.err = got.StatusCode, got.Header.Get("X-Profile"), string(body), err
	return l
}

// await waits for a number of looks that began after a time.
func (w *looker) await(number int, after time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for since := 0; since < number; {
		w.more.Wait()
		for since = 0; since < len(w.seen) && w.seen[len(w.seen)-1-since].sent.After(after); since++ {
		}
	}
}

// kept notes who answered on kept-open connections.
type kept struct {
	mu  sync.Mutex
	all []load.Exchange
}

func (k *kept) note(x load.Exchange) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, x)
}
