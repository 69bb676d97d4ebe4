package load

import (
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// Types and flags of HTTP/2 frames (RFC 9113, 6).
const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7

	flagAck        = 1
	flagEndStream  = 1
	flagEndHeaders = 4
)

// frames is the server's side of one HTTP/2 connection, which can say what a well-behaved server would not.
type frames struct {
	net.Conn
	number int64 // of the connection, from 1
}

// serveFrames calls handle with each request, one after the other on each connection.
func serveFrames(t *testing.T, handle func(f *frames, stream uint32)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var connections atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go (&frames{Conn: conn, number: connections.Add(1)}).serve(handle)
		}
	}()
	return listener.Addr().String()
}

func (f *frames) serve(handle func(f *frames, stream uint32)) {
	defer f.Close()
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(f, preface); err != nil {
		return
	}
	f.send(frameSettings, 0, 0, nil)
	for {
		var head [9]byte
		if _, err := io.ReadFull(f, head[:]); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(f, payload); err != nil {
			return
		}
		kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
		switch {
		case kind == frameSettings && flags&flagAck == 0:
			f.send(frameSettings, flagAck, 0, nil)
		case kind == framePing && flags&flagAck == 0:
			f.send(framePing, flagAck, 0, payload)
		case (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0:
			handle(f, stream)
		}
	}
}

// send writes a frame in one piece.
func (f *frames) send(kind, flags byte, stream uint32, payload []byte) {
	frame := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	frame = append(binary.BigEndian.AppendUint32(frame, stream), payload...)
	_, _ = f.Write(frame)
}

// headers begins an answer by version 1: status 200 from the static table, and one literal field.
func (f *frames) headers(stream uint32, flags byte) {
	f.send(frameHeaders, flagEndHeaders|flags, stream, []byte("\x88\x00\x09x-version\x011"))
}

func (f *frames) answer(stream uint32) { f.headers(stream, flagEndStream) }

func (f *frames) goAway(last, code uint32) {
	f.send(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
}

func (f *frames) reset(stream, code uint32) {
	f.send(frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
}
