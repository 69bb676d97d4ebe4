package app

import (
	"errors"
	"io"
	"net/http"
)

// The methods of gRPC's that the app has are all below this path, and all the same.
const grpcEchoPath = "/hello.Echo/"

// gRPC says how a call ended in a trailer, by a code.
const (
	grpcStatus  = "Grpc-Status"
	grpcOK      = "0"
	grpcUnknown = "2"
)

// grpcEcho sends each message back as it came, at once, until the caller has sent its last.
func (a *app) grpcEcho(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor < 2 || r.Header.Get("Content-Type") != "application/grpc" {
		http.Error(w, "this is for gRPC", http.StatusUnsupportedMediaType)
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", grpcStatus)
	status := grpcOK
	if _, err := io.Copy(flushed{w}, r.Body); err != nil {
		status = grpcUnknown
	}
	w.Header().Set(grpcStatus, status)
}

// flushed keeps nothing back of what is written.
type flushed struct{ w http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	return n, errors.Join(err, http.NewResponseController(f.w).Flush())
}
