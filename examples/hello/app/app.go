package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait bounds /slow and /stream.
const maxWait = 5 * time.Minute

// app answers the requests.
type app struct {
	settings settings
	fault    *fault
	stopping context.Context // ends when the app is asked to stop
	sockets  group           // open websockets, which http.Server.Shutdown does not wait for
}

func newApp(stopping context.Context, s settings, f *fault) *app {
	return &app{settings: s, fault: f, stopping: stopping}
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /profile", a.fault.profile(a.settings.profile, writeProfile))
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("POST /{$}", a.index)
	mux.HandleFunc("GET /version", a.version)
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /slow", a.slow)
	mux.HandleFunc("POST /slow", a.slow)
	mux.HandleFunc("POST /echo", a.echo)
	mux.HandleFunc("GET /stream", a.stream)
	mux.HandleFunc("GET /ws", a.websocket)
	mux.HandleFunc("POST "+grpcEchoPath, a.grpcEcho)
	return a.named(a.fault.others(mux))
}

// named puts version and profile on every answer, also on failures.
func (a *app) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", a.settings.version)
		w.Header().Set("X-Profile", a.settings.profile)
		next.ServeHTTP(w, r)
	})
}

// writeProfile says the length, so that the answer is whole as soon as it is flushed.
func writeProfile(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(name)))
	_, _ = io.WriteString(w, name)
}

// BodySumHeader brings the SHA-256 of a POST's body, in hexadecimal digits, as it arrived.
const BodySumHeader = "X-Body-SHA256"

func (a *app) index(w http.ResponseWriter, r *http.Request) {
	_, sum, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost {
		w.Header().Set(BodySumHeader, sum)
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		a.version(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, "hello %s from %s on %s\n", a.settings.version, a.settings.profile, a.settings.hostname)
}

func (a *app) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, struct {
		Version string `json:"version"`
		Profile string `json:"profile"`
		Release string `json:"release,omitempty"`
	}{a.settings.version, a.settings.profile, a.settings.release})
}

func (a *app) healthz(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

// slow answers after ?for=3s. It is finished, not cut, when the app is asked to stop.
func (a *app) slow(w http.ResponseWriter, r *http.Request) {
	wait, err := duration(r, "for", time.Second)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(wait):
		a.index(w, r)
	case <-r.Context().Done():
	}
}

// echo says what arrived, so that an upload can be checked without sending it back.
func (a *app) echo(w http.ResponseWriter, r *http.Request) {
	length, sum, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, struct {
		Length int64  `json:"length"`
		SHA256 string `json:"sha256"`
	}{length, sum})
}

// readBody reads a request's body to its end and says its length and SHA-256, in hex.
func readBody(r *http.Request) (length int64, sum string, err error) {
	hash := sha256.New()
	length, err = io.Copy(hash, r.Body)
	return length, hex.EncodeToString(hash.Sum(nil)), err
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// duration reads a query parameter between 0 and maxWait.
func duration(r *http.Request, key string, otherwise time.Duration) (time.Duration, error) {
	text := r.URL.Query().Get(key)
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	if d < 0 || d > maxWait {
		return 0, fmt.Errorf("%s=%s: want 0s to %s", key, text, maxWait)
	}
	return d, nil
}
