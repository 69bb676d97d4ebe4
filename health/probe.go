package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Probe is one HTTP question to a profile and what its answer must be.
type Probe struct {
	URL     string // http://127.0.0.1:8081/profile
	Host    string // Host header; "" = the URL's own
	TLSName string // of an https URL: the name that is asked for; the certificate is not judged
	Profile string // the answer must be exactly this, white space around it aside; "" = any
	Text    string // the answer must hold this; "" = any
	Dial    Dial   // makes the connection; nil = this machine does
	Through string // for a person, where Dial starts from: "container shop-nginx"; "" = this machine
	// Timeout is for the answer, from when Dial has made the connection: the way there may take its own time. 0 = the context's.
	Timeout time.Duration
}

// Dial makes a connection to an address, HOST:PORT.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// where is what is asked, for messages.
func (p Probe) where() string {
	if p.Through == "" {
		return p.URL
	}
	return p.URL + " (through " + p.Through + ")"
}

// maxAnswer is as much of an answer as is read: a profile's name is short, and a health
// page that is longer than this is not meant to be compared.
const maxAnswer = 64 << 10

// client opens a new connection for every question, so that no answer comes from a process
// that is already being replaced, and follows no redirect: another place's health says nothing.
var client = newClient(dialOr(nil))

func newClient(dial Dial) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Get asks once. The detail is the status with the beginning of the answer.
func (p Probe) Get(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", p.URL, err)
	}
	req.Host = p.Host
	req.Header.Set("User-Agent", "bluegreen-health")
	res, err := p.client().Do(req)
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", p.where(), plain(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("GET %s: %s, then %w", p.where(), res.Status, plain(err))
	}
	return p.judge(res.StatusCode, string(body))
}

// dialBounded makes a connection by Dial that ends after Timeout.
func (p Probe) dialBounded(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.Dial(ctx, network, address)
	if err != nil || p.Timeout == 0 {
		return conn, err
	}
	if err := conn.SetDeadline(time.Now().Add(p.Timeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// judge is the rule: 2xx, then the exact name or the text that was asked for.
func (p Probe) judge(status int, body string) (string, error) {
	detail := fmt.Sprintf("%d %s", status, quote(body))
	switch {
	case status < 200 || status > 299:
		return detail, &StatusError{Where: p.where(), Answer: detail}
	case p.Profile != "" && strings.TrimSpace(body) != p.Profile:
		return detail, fmt.Errorf("GET %s answered %s, not the profile's name %q", p.where(), detail, p.Profile)
	case p.Text != "" && !strings.Contains(body, p.Text):
		return detail, fmt.Errorf("GET %s answered %s, which does not hold %q", p.where(), detail, p.Text)
	}
	return detail, nil
}

// plain shortens what net/http wraps around a failed connection to what a person needs.
func plain(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &NobodyError{"connection refused: nothing listens there yet"}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &NobodyError{"the connection was closed without an answer: nothing listens behind the port yet, or the app closed it"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("no answer in time")
	}
	return err
}

// quote shows the beginning of an answer on one line, without control characters.
func quote(body string) string {
	const most = 120
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(body))
	if short := []rune(clean); len(short) > most {
		clean = string(short[:most]) + "…"
	}
	return fmt.Sprintf("%q", clean)
}

// StatusError says that the page which was asked for is there with another status than 2xx, or is not.
type StatusError struct{ Where, Answer string }

func (e *StatusError) Error() string {
	return fmt.Sprintf("GET %s answered %s, not 2xx", e.Where, e.Answer)
}

// NobodyError says that nothing answers at the app's port.
type NobodyError struct{ What string }

func (e *NobodyError) Error() string { return e.What }
