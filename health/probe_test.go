package health

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestProbeJudgesTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		probe  Probe
		want   string // part of the error; "" = good
	}{
		{"the exact name", 200, "real1\n", Probe{Profile: "real1"}, ""},
		{"the other profile's name", 200, "real2", Probe{Profile: "real1"}, `not the profile's name "real1"`},
		{"a text that only holds the name", 200, "really real1", Probe{Profile: "real1"}, "not the profile's name"},
		{"the name with an error status", 500, "real1", Probe{Profile: "real1"}, "not 2xx"},
		{"a redirect is not an answer", 302, "real1", Probe{Profile: "real1"}, "not 2xx"},
		{"status only", 204, "", Probe{}, ""},
		{"a text", 200, `{"status":"UP"}`, Probe{Text: `"UP"`}, ""},
		{"a text that is missing", 200, `{"status":"DOWN"}`, Probe{Text: `"UP"`}, "does not hold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer srv.Close()
			c.probe.URL = srv.URL
			_, err := c.probe.Get(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestProbeSendsTheHostHeader(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host)
	}))
	defer srv.Close()
	if _, err := (Probe{URL: srv.URL, Host: "shop.example.com", Profile: "shop.example.com"}).Get(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestProbeSaysInPlainWordsWhyThereWasNoAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (Probe{URL: "http://" + addr}).Get(ctx); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Fatalf("hanging accept: %v", err)
	}
	l.Close()
	if _, err := (Probe{URL: "http://" + addr}).Get(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing listens there yet") {
		t.Fatalf("refused: %v", err)
	}
}

func TestAnswersAreQuotedWithoutControlCharacters(t *testing.T) {
	if got := quote("a\x1b[31mb\nc" + strings.Repeat("x", 500)); strings.ContainsAny(got, "\x1b\n") || len(got) > 200 {
		t.Fatalf("%q", got)
	}
}

// TestTimeoutOfAnAnswerBeginsWithTheConnection: to make it may take longer than an answer may.
func TestTimeoutOfAnAnswerBeginsWithTheConnection(t *testing.T) {
	hang := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/never":
			<-hang
		case "/half":
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "real")
			_ = http.NewResponseController(w).Flush()
			<-hang
		}
		_, _ = io.WriteString(w, "real1")
	}))
	defer srv.Close()
	defer close(hang)
	q := Probe{Profile: "real1", Timeout: 300 * time.Millisecond, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		time.Sleep(500 * time.Millisecond)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	for path, good := range map[string]bool{"/": true, "/never": false, "/half": false} {
		q.URL = srv.URL + path
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := q.Get(ctx)
		cancel()
		if took := time.Since(began); took > 5*time.Second || (err == nil) != good || err != nil && !strings.Contains(err.Error(), "no answer in time") {
			t.Errorf("%s: %v after %v", path, err, took)
		}
	}
}
