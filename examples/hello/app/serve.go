package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// serve answers requests until ctx ends, then takes no new connections, ends streams and websockets,
// and waits for the other requests in flight.
func serve(ctx context.Context, s settings, f *fault) error {
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.addr, err)
	}
	slog.Info("Listening", "address", listener.Addr().String(), "profile", s.profile, "version", s.version)
	if f.kind == hangAccept {
		<-ctx.Done()
		return listener.Close()
	}
	return serveOn(ctx, listener, newApp(ctx, s, f))
}

func serveOn(ctx context.Context, listener net.Listener, a *app) error {
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: a.settings.idleTimeout, Protocols: protocols()}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case err := <-a.fault.crashed:
		return err
	case <-ctx.Done():
	}
	slog.Info("Stopping", "profile", a.settings.profile, "timeout", a.settings.shutdownTimeout)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.settings.shutdownTimeout)
	defer cancel()
	err := errors.Join(server.Shutdown(bounded), a.sockets.wait(bounded))
	if err != nil {
		return fmt.Errorf("finish requests in flight: %w", err)
	}
	slog.Info("Stopped", "profile", a.settings.profile)
	return nil
}

// protocols are HTTP/1.1 and, for gRPC, HTTP/2 without TLS.
func protocols() *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}
