//go:build unix

package load

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"
)

// A session ticket is a record that comes in without having been asked for, and is no part of an answer. The
// server sends it after the client's part of the handshake, so that it waits on the socket of an unused connection.
func TestSessionTicketBetweenRequestsIsHarmless(t *testing.T) {
	target := serveTLS(t, func(int64, *tls.Conn, net.Conn) {})
	deadline := time.Now().Add(testTime)
	conn, err := connect(target, deadline)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.close()
	for conn.socket.look(conn) != stray { // until it is there
		if time.Now().After(deadline) {
			t.Fatal("no session ticket came")
		}
		time.Sleep(time.Millisecond)
	}
	if state := conn.look(); state != quiet {
		t.Errorf("state = %v, want %v: quiet", state, quiet)
	}
	if state := conn.socket.look(conn); state != quiet {
		t.Errorf("state of the socket = %v, want %v: the ticket is read", state, quiet)
	}
	resp, err := conn.roundTrip(prepare(target, &Request{Method: http.MethodGet, Path: "/"}), deadline)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("answer = %v, %v, want 200", resp, err)
	}
}
