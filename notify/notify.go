// Package notify tells webhooks how a run ended.
//
// The address of a webhook is a secret: whoever knows it may post there. Nothing in this package prints, logs or returns
// more of it than scheme and host.
package notify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// How long a webhook is tried. Whoever ran the command waits for it.
const (
	tryTime    = 4 * time.Second        // one try, its answer's head included
	wholeTime  = 10 * time.Second       // all of them
	mostTries  = 4                      // within wholeTime
	firstPause = 500 * time.Millisecond // doubles with each try
	lastPause  = 2 * time.Second
	// longestWait is the longest Retry-After that is waited for; a server that wants more is not asked again.
	longestWait = 5 * time.Second
)

// Hook is a webhook.
type Hook struct {
	URL    string
	Format Format
}

// Failure says which webhook was not told, and why. Its text has nothing of the address but scheme and host.
type Failure struct {
	Where string // scheme://host
	Why   string
}

func (f *Failure) Error() string { return "the notification to " + f.Where + " failed: " + f.Why }

// Send tells all webhooks at the same time and returns an error for each that could not be told, a *Failure. It takes 10
// seconds at most, and ends when ctx does.
func Send(ctx context.Context, hooks []Hook, m Message) []error {
	return limits{try: tryTime, whole: wholeTime, first: firstPause, last: lastPause, wait: longestWait}.send(ctx, hooks, m)
}

// limits are the durations of a sending, which tests make shorter.
type limits struct{ try, whole, first, last, wait time.Duration }

func (l limits) send(ctx context.Context, hooks []Hook, m Message) []error {
	ctx, cancel := context.WithTimeout(ctx, l.whole)
	defer cancel()
	failed := make([]error, len(hooks))
	var all sync.WaitGroup
	for i, h := range hooks {
		all.Go(func() { failed[i] = l.tell(ctx, h, m) })
	}
	all.Wait()
	var list []error
	for _, err := range failed {
		if err != nil {
			list = append(list, err)
		}
	}
	return list
}

// tell posts a message to one webhook.
func (l limits) tell(ctx context.Context, h Hook, m Message) error {
	u, err := url.Parse(h.URL)
	if err != nil {
		return &Failure{Where: "a webhook", Why: "its address is not a URL"}
	}
	f := &Failure{Where: u.Scheme + "://" + u.Host}
	body, err := h.Format.body(m)
	if err != nil {
		f.Why = err.Error()
		return f
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, h.URL, body)
	if err != nil {
		f.Why = "its address is not a URL"
		return f
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bluegreen")
	c := l.client()
	defer c.HTTPClient.CloseIdleConnections()
	resp, err := c.Do(req)
	switch {
	case err != nil:
		f.Why = l.why(ctx, err)
	case resp.StatusCode/100 == 2:
		f = nil
	default:
		f.Why = answered(resp)
	}
	if resp != nil {
		_ = resp.Body.Close() // what it says is of no interest, however long it is
	}
	if f == nil {
		return nil
	}
	return f
}

// client tries again what may go better a moment later. It logs nothing.
func (l limits) client() *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient.Timeout, c.HTTPClient.CheckRedirect = l.try, sameHost
	c.RetryMax, c.RetryWaitMin, c.RetryWaitMax = mostTries-1, l.first, l.last
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.CheckRetry = l.again
	return c
}

// again says whether a try is worth another one. A server that wants to be left alone for longer than a person would wait
// is left alone.
func (l limits) again(ctx context.Context, resp *http.Response, err error) (bool, error) {
	again, stop := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	if !again || stop != nil {
		return again, err
	}
	if resp != nil && l.tooLong(resp.Header.Get("Retry-After")) {
		return false, nil
	}
	return retryablehttp.DefaultBackoff(l.first, l.last, 0, resp) <= l.wait, nil
}

// tooLong says whether a Retry-After in seconds is more than is waited for. Turned into a time, a huge one would be a short one.
func (l limits) tooLong(after string) bool {
	if after == "" || strings.Trim(after, "0123456789") != "" {
		return false // a date, or nothing
	}
	seconds, err := strconv.ParseUint(after, 10, 64)
	return err != nil || seconds > uint64(l.wait/time.Second)
}

// sameHost follows a redirect only to where the secret in the address is known already, and only one that posts again: of
// the others, the notification would become a question.
func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	there := next.URL.Host == first.Host && next.URL.Scheme == first.Scheme
	secured := next.URL.Hostname() == first.Hostname() && first.Scheme == "http" && next.URL.Scheme == "https" && first.Port()+next.URL.Port() == ""
	if !there && !secured || next.Method != http.MethodPost || len(before) > mostRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

const mostRedirects = 3

// errNoWord is what is said of an error whose own text may have the address in it.
var errNoWord = errors.New("the connection failed, or what came back is no HTTP")
