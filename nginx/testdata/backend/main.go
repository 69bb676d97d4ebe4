// Backend stands in for both profiles of a service, beside nginx: real1 on port 9001, real2 on 9002.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"time"
)

func main() {
	go serve("real1", "127.0.0.1:9001")
	serve("real2", "127.0.0.1:9002")
}

func serve(profile, address string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		size, _ := io.Copy(io.Discard, r.Body)
		json.NewEncoder(w).Encode(map[string]any{"profile": profile, "uri": r.RequestURI, "host": r.Host, "size": size, "header": r.Header})
	})
	mux.HandleFunc("/events", events)
	mux.HandleFunc("/upgrade", upgrade)
	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/close", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	log.Fatal(http.ListenAndServe(address, mux))
}

// events sends one at once and then one a second.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 3 {
		fmt.Fprintf(w, "data: %d\n\n", i)
		w.(http.Flusher).Flush()
		time.Sleep(time.Second)
	}
}

// status answers with a code, and with a release that the app itself makes up.
func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil {
		code = http.StatusBadRequest
	}
	w.Header().Set("X-Bluegreen-Release", "made up")
	w.WriteHeader(code)
}

// upgrade leaves HTTP and echoes.
func upgrade(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "upgrade" {
		http.Error(w, fmt.Sprint(r.Header), http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
	io.Copy(conn, buffered)
}
