package load

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const tlsAnswer = "HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 2\r\n\r\nok"

// serveTLS answers each request on a connection of TLS, and calls after with the connection and the one below it.
func serveTLS(t *testing.T, after func(request int64, secured *tls.Conn, tcp net.Conn)) Target {
	t.Helper()
	known := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(known.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	// A server that asks for a certificate sends its session ticket only after the client's part of the handshake.
	cfg := &tls.Config{Certificates: known.TLS.Certificates, ClientAuth: tls.RequestClientCert}
	var requests atomic.Int64
	go func() {
		for {
			tcp, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer tcp.Close()
				secured, request := tls.Server(tcp, cfg), make([]byte, 4096)
				for {
					if _, err := secured.Read(request); err != nil {
						return
					}
					_, _ = secured.Write([]byte(tlsAnswer))
					after(requests.Add(1), secured, tcp)
				}
			}()
		}
	}()
	trust := trusting(known).Clone()
	trust.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return Target{Addr: listener.Addr().String(), Host: "example.com", TLS: trust}
}

func TestCloseOfTLSBetweenRequestsIsAnIdleClose(t *testing.T) {
	for _, test := range []struct {
		name  string
		after func(secured *tls.Conn, tcp net.Conn)
	}{
		{"close_notify, connection left open", func(secured *tls.Conn, _ net.Conn) { _ = secured.CloseWrite() }},
		{"close_notify and close", func(secured *tls.Conn, _ net.Conn) { _ = secured.Close() }},
		{"close without close_notify", func(_ *tls.Conn, tcp net.Conn) { _ = tcp.Close() }},
	} {
		for _, wait := range []time.Duration{0, 10 * time.Millisecond} { // with the answer, and after it was read
			t.Run(test.name, func(t *testing.T) {
				target := serveTLS(t, func(_ int64, secured *tls.Conn, tcp net.Conn) {
					time.Sleep(wait)
					test.after(secured, tcp)
				})
				report := Start(t.Context(), Config{Target: target, Period: 50 * time.Millisecond, MaxRequests: 4}).Wait()
				if report.OK != 4 || report.IdleCloses != 3 || report.Connects != 4 {
					t.Errorf("report = %s, want 4 good answers and 3 idle closes", report)
				}
			})
		}
	}
}

func TestUnaskedBytesOverTLSAreCut(t *testing.T) {
	target := serveTLS(t, func(_ int64, secured *tls.Conn, _ net.Conn) {
		time.Sleep(10 * time.Millisecond)
		_, _ = secured.Write([]byte(tlsAnswer))
	})
	report := Start(t.Context(), Config{Target: target, Period: 50 * time.Millisecond, MaxRequests: 4}).Wait()
	if report.OK != 2 || report.Outcomes[Cut] != 2 || !strings.Contains(report.String(), errStray.Error()) {
		t.Errorf("report = %s, want every second request cut", report)
	}
}

func TestUnknownCertificateIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog, server.EnableHTTP2 = silent, true
	server.StartTLS()
	defer server.Close()
	for _, http2 := range []bool{false, true} {
		report := run(t, server, 2, Config{Target: Target{TLS: &tls.Config{}}, HTTP2: http2})
		if report.Outcomes[Refused] != 2 || !strings.Contains(report.String(), "certificate") {
			t.Errorf("report = %s, want 2 refused for the certificate", report)
		}
	}
}
