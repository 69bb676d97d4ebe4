package nginx

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestConfirmAsksOverAllConnectionsAtOnce: from elsewhere each takes its time. One wrong answer is enough.
func TestConfirmAsksOverAllConnectionsAtOnce(t *testing.T) {
	for wrong, want := range map[int64]bool{0: true, confirmAsks: false} {
		var asked atomic.Int64
		all := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := asked.Add(1)
			if n == confirmAsks {
				close(all)
			}
			<-all
			release := 2
			if n == wrong {
				release = 1
			}
			fmt.Fprintf(w, `{"service":"shop","profile":"real2","release":%d}`, release)
		}))
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		c := Confirmation{Listener: StatusListener{URL: server.URL, Dial: (&net.Dialer{}).DialContext}, Want: &Target{"shop", "real2", 2}}
		if err := c.asked(ctx); (err == nil) != want || asked.Load() != confirmAsks {
			t.Errorf("answer %d is wrong: %v after %d questions", wrong, err, asked.Load())
			select { // lets the server end
			case <-all:
			default:
				close(all)
			}
		}
	}
}
