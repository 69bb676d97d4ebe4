package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Parts of the addresses of these tests that nothing may show.
const (
	secretUser  = "hushuser"
	secretPath  = "hushpath"
	secretQuery = "hushquery"
)

// quick are limits for servers that are near.
var quick = limits{try: 10 * time.Second, whole: time.Minute, first: time.Millisecond, last: time.Millisecond, wait: 5 * time.Second}

// secretOf is an address on a host with something secret in each of its parts.
func secretOf(host string) string {
	return "http://" + secretUser + ":" + secretUser + "@" + host + "/" + secretPath + "?token=" + secretQuery
}

// server answers the n-th try, counted from 1, and counts.
func server(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) (Hook, *atomic.Int32) {
	t.Helper()
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(int(calls.Add(1)), w, r)
	}))
	t.Cleanup(s.Close)
	return Hook{URL: secretOf(s.Listener.Addr().String()), Format: JSON}, &calls
}

// sent sends a message to one webhook and makes sure that its failure keeps the secret.
func sent(t *testing.T, ctx context.Context, l limits, h Hook) error {
	t.Helper()
	list := l.send(ctx, []Hook{h}, Message{Text: "t", Object: map[string]string{"text": "t"}})
	if len(list) == 0 {
		return nil
	}
	for _, secret := range []string{secretUser, secretPath, secretQuery} {
		if strings.Contains(list[0].Error(), secret) {
			t.Errorf("%q has a secret in it: %v", secret, list[0])
		}
	}
	if !strings.Contains(list[0].Error(), "the notification to http") {
		t.Errorf("it does not say where: %v", list[0])
	}
	return list[0]
}

func statuses(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[min(n, len(codes))-1])
	}
}

func TestAWebhookIsTriedAgainOnlyWhereThatMayHelp(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request)
		tries  int
		says   string // "": it was told
	}{
		"well":            {statuses(200), 1, ""},
		"no content":      {statuses(204), 1, ""},
		"twice an error":  {statuses(500, 500, 200), 3, ""},
		"always an error": {statuses(503), mostTries, "it answered 503 Service Unavailable"},
		"not there":       {statuses(404, 200), 1, "it answered 404 Not Found"},
		"refuses the key": {statuses(403, 200), 1, "it answered 403 Forbidden"},
		"too many": {func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "0")
			statuses(429, 200)(n, w, r)
		}, 2, ""},
		"too many for long": {func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3600")
			statuses(429, 200)(n, w, r)
		}, 1, "it answered 429 Too Many Requests"},
		"connection cut": {func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
		}, 2, ""},
		"huge answer": {func(_ int, w http.ResponseWriter, r *http.Request) {
			for block := make([]byte, 1<<20); r.Context().Err() == nil; { // until nobody reads it
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, 1, ""},
		"redirect of a question": {func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere-"+secretPath, http.StatusFound)
		}, 1, "it answered 302 Found, which leads elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			h, calls := server(t, c.answer)
			err := sent(t, t.Context(), quick, h)
			if int(calls.Load()) != c.tries {
				t.Errorf("%d tries, want %d", calls.Load(), c.tries)
			}
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestARetryAfterIsWaitedFor(t *testing.T) {
	for after, want := range map[string]bool{"0": true, "5": true, "6": false, "nonsense": true, "9223372037": false, "18446744073": false, "999999999999999999": false, "99999999999999999999999": false} {
		resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {after}}}
		if got, err := quick.again(t.Context(), resp, nil); got != want || err != nil {
			t.Errorf("Retry-After: %s: tried again %v (%v), want %v", after, got, err, want)
		}
	}
}

func TestARedirectIsNotFollowedToAnotherHost(t *testing.T) {
	other, atOther := server(t, statuses(200))
	h, calls := server(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	err := sent(t, t.Context(), quick, h)
	if err == nil || calls.Load() != 1 || atOther.Load() != 0 {
		t.Errorf("%v after %d tries, %d at the other host", err, calls.Load(), atOther.Load())
	}
}

func TestARedirectOnTheSameHostPostsAgain(t *testing.T) {
	var said string
	h, calls := server(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			http.Redirect(w, r, "/moved", http.StatusPermanentRedirect)
			return
		}
		body, _ := io.ReadAll(r.Body)
		said = r.Method + " " + r.URL.Path + " " + string(body)
	})
	if err := sent(t, t.Context(), quick, h); err != nil || calls.Load() != 2 || said != `POST /moved {"text":"t"}` {
		t.Errorf("%v, %q", err, said)
	}
}

func TestAWebhookThatNeverAnswersIsGivenUp(t *testing.T) {
	h, calls := server(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the end of the connection is noticed
		<-r.Context().Done()
	})
	l := quick
	l.try = 20 * time.Millisecond
	if err := sent(t, t.Context(), l, h); err == nil || !strings.Contains(err.Error(), "no answer within 20ms") {
		t.Errorf("each try: %v", err)
	}
	if calls.Load() != mostTries {
		t.Errorf("%d tries", calls.Load())
	}
	l = quick
	l.whole = 50 * time.Millisecond
	if err := sent(t, t.Context(), l, h); err == nil || !strings.Contains(err.Error(), "no good answer in time") {
		t.Errorf("all of them: %v", err)
	}
}

func TestCtrlCEndsANotificationAtOnce(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	h, calls := server(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		interrupt()
		<-r.Context().Done()
	})
	if err := sent(t, ctx, quick, h); err == nil || !strings.HasSuffix(err.Error(), ": interrupted") || calls.Load() != 1 {
		t.Errorf("%v after %d tries", err, calls.Load())
	}
}

func TestAWebhookThatIsNotThereIsAFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	_ = l.Close()
	if err := sent(t, t.Context(), quick, Hook{secretOf(host), JSON}); err == nil || !strings.HasSuffix(err.Error(), host+" failed: connection refused") {
		t.Error(err)
	}
}

// TestAnEchoOfTheAddressIsNotShown: what is no HTTP is quoted by net/http's errors.
func TestAnEchoOfTheAddressIsNotShown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				n, _ := c.Read(buf)
				_, _ = c.Write(buf[:n])
			}()
		}
	}()
	if err := sent(t, t.Context(), quick, Hook{secretOf(l.Addr().String()), JSON}); err == nil || !strings.HasSuffix(err.Error(), errNoWord.Error()) {
		t.Error(err)
	}
}

func TestATLSServerThatIsNotTrustedIsToldSo(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	h := Hook{strings.Replace(secretOf(s.Listener.Addr().String()), "http:", "https:", 1), JSON}
	if err := sent(t, t.Context(), quick, h); err == nil || !strings.HasSuffix(err.Error(), "its certificate is not to be trusted") {
		t.Error(err)
	}
}

func TestEachWebhookIsToldWhateverTheOthersDo(t *testing.T) {
	good, calls := server(t, statuses(200))
	bad, _ := server(t, statuses(404))
	list := quick.send(t.Context(), []Hook{bad, good, bad}, Message{Object: 1})
	if len(list) != 2 || calls.Load() != 1 {
		t.Errorf("%v, %d calls of the good one", list, calls.Load())
	}
	var f *Failure
	if !errors.As(list[0], &f) || f.Why != "it answered 404 Not Found" {
		t.Errorf("%v", list[0])
	}
}

func TestABodyHasTheShapeOfItsFormat(t *testing.T) {
	m := Message{Text: `a & <b> @here`, Object: map[string]any{"outcome": "swapped", "text": "x"}}
	for format, want := range map[Format]string{
		JSON:    `{"outcome":"swapped","text":"x"}`,
		Slack:   `{"text":"a &amp; &lt;b&gt; @\u200bhere"}`,
		Discord: `{"allowed_mentions":{"parse":[]},"content":"a & <b> @\u200bhere"}`,
	} {
		var got, wanted any
		body, err := format.body(m)
		if err != nil || json.Unmarshal(body, &got) != nil || json.Unmarshal([]byte(want), &wanted) != nil {
			t.Fatalf("%s: %s, %v", format, body, err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(wanted)
		if string(a) != string(b) {
			t.Errorf("%s: %s, want %s", format, a, b)
		}
	}
	if body, err := Discord.body(Message{Text: strings.Repeat("x", 5000)}); err != nil || len(body) > discordMost+100 {
		t.Errorf("%d bytes for Discord, %v", len(body), err)
	}
	if _, err := Format("smoke").body(m); err == nil {
		t.Error("any format is taken")
	}
}

func TestATextMentionsNobody(t *testing.T) {
	const z = "\u200b"
	for text, want := range map[string]string{
		"@channel":             "@" + z + "channel",
		"x @@here":             "x @" + z + "@" + z + "here",
		"<@U123> <#C1> <!all>": "<@" + z + "U123> <#" + z + "C1> <!" + z + "all>",
		"shop@sha256:ab":       "shop@sha256:ab",
		"(@everyone)":          "(@" + z + "everyone)",
		"a\xffb":               "a?b",
	} {
		if got := Harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestATextForDiscordIsNotTooLong(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{strings.Repeat("x", 2000), 2000}, {strings.Repeat("x", 2001), 2000}, {strings.Repeat("ü", 5000), 2000}, {strings.Repeat("🚀", 3000), 1000},
	} {
		got := []rune(cut(c.text, discordMost))
		units := 0
		for _, r := range got {
			units += width(r)
		}
		if len(got) != c.want || units > discordMost || (len(c.text) > 2000) != strings.HasSuffix(string(got), "…") {
			t.Errorf("%d characters of %.4q", len(got), c.text)
		}
	}
}
