package app

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A message of gRPC's: not compressed, five bytes long.
var grpcMessage = []byte("\x00\x00\x00\x00\x05hello")

func TestGRPCSendsEachMessageBackAtOnce(t *testing.T) {
	server := httptest.NewUnstartedServer(newApp(t.Context(), settings{version: "v1"}, &fault{}).handler())
	server.Config.Protocols = protocols()
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{Protocols: &http.Protocols{}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	body, messages := io.Pipe()
	call, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+grpcEchoPath+"Say", body)
	if err != nil {
		t.Fatal(err)
	}
	call.Header.Set("Content-Type", "application/grpc")
	go func() { _, _ = messages.Write(grpcMessage) }()
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(call)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for range 2 {
		back := make([]byte, len(grpcMessage))
		if _, err := io.ReadFull(answer.Body, back); err != nil || !bytes.Equal(back, grpcMessage) {
			t.Fatalf("got %q back, %v", back, err)
		}
		go func() { _, _ = messages.Write(grpcMessage) }()
	}
	if _, err := io.ReadFull(answer.Body, make([]byte, len(grpcMessage))); err != nil {
		t.Fatal(err)
	}
	_ = messages.Close()
	rest, err := io.ReadAll(answer.Body)
	if err != nil || len(rest) > 0 || answer.Trailer.Get(grpcStatus) != grpcOK || answer.Header.Get("X-Version") != "v1" {
		t.Errorf("want the end, by v1 with status 0: %q, %v, %v %v", rest, err, answer.Header, answer.Trailer)
	}
}

func TestGRPCIsNotSpokenOverHTTP1(t *testing.T) {
	url, _ := startApp(t, "")
	if answer, _ := ask(t, request(t, http.MethodPost, url+grpcEchoPath+"Say", "")); answer.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("status = %s", answer.Status)
	}
}
