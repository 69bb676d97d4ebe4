package load

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// seen is what Config.Each was told.
type seen struct {
	mu  sync.Mutex
	all []Exchange
}

func (s *seen) add(x Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, x)
}

// slower counts the requests from a number up to another whose latency is above the time.
func (s *seen) slower(than time.Duration, from, to int64) (count int) {
	for _, x := range s.all {
		if x.Number >= from && x.Number < to && x.Done.Sub(x.Due) > than {
			count++
		}
	}
	return count
}

// last returns when the last of the requests with a lower number was done.
func (s *seen) last(below int64) (done time.Time) {
	for _, x := range s.all {
		if x.Number < below {
			done = later(done, x.Done)
		}
	}
	return done
}

func TestResetOfEveryThousandthRequestIsCountedExactly(t *testing.T) {
	server := serve(t, every(1000, raw("", true)))
	report := run(t, server, 10_000, Config{Rate: 5000, Connections: 16, Mix: mixed(0.5, 64)})
	if report.Outcomes[Reset] != 10 || report.Lost != 10 {
		t.Errorf("reset, lost = %d, %d, want 10, 10", report.Outcomes[Reset], report.Lost)
	}
}

// The server of these tests answers nothing for a while, from its request at stallFrom on.
const (
	stallRate = 1000 // a second
	stallFrom = 500
	stallTime = 300 * time.Millisecond
)

func stallingServer(t *testing.T) (addr string, until *atomic.Pointer[time.Time]) {
	until = &atomic.Pointer[time.Time]{}
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n == stallFrom {
			end := time.Now().Add(stallTime)
			until.Store(&end)
		}
		if end := until.Load(); end != nil {
			time.Sleep(time.Until(*end))
		}
		hello(n, w, r)
	})
	return server.Listener.Addr().String(), until
}

// Of the requests that are due in a stall of 300 ms, one a millisecond, those in the first 250 ms wait for more than
// 50 ms, and so on.
func TestStallShowsEveryRequestThatWasDueInIt(t *testing.T) {
	const inStall = int64(stallTime) * stallRate / int64(time.Second)
	for _, limit := range []int{0, 40} { // many connections, and so few that most requests wait for one
		var s seen
		addr, until := stallingServer(t)
		report := Start(context.Background(), Config{
			Target: Target{Addr: addr}, Rate: stallRate, MaxRequests: 1500, Connections: 8, MaxConnections: limit, Each: s.add,
		}).Wait()
		// The answers to all that was held up take a while: on a busy machine, each of these requests is slower by that.
		longer := s.last(stallFrom+inStall).Sub(*until.Load()) + 10*time.Millisecond
		t.Logf("%s; answers to what was held up took %v", report, longer)
		for _, above := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond} {
			want := int((stallTime - above).Milliseconds() * stallRate / 1000)
			if got := s.slower(above, stallFrom, stallFrom+inStall); got < want-5 || got > want+int(longer.Milliseconds()) {
				t.Errorf("%d requests took more than %v, want about %d", got, above, want)
			}
		}
		if report.Lost != 0 || report.Max < stallTime-5*time.Millisecond || report.Max > stallTime+longer {
			t.Errorf("lost %d, slowest %v, want 0, about %v", report.Lost, report.Max, stallTime)
		}
	}
}

// The same stall, seen by a client that waits for its answers: so the test above can tell the two apart.
func TestClosedLoopShowsAStallOnceOnEachConnection(t *testing.T) {
	var s seen
	addr, _ := stallingServer(t)
	Start(context.Background(), Config{
		Target: Target{Addr: addr}, MaxRequests: 5000, Connections: 8, Each: s.add,
	}).Wait()
	if got := s.slower(stallTime-50*time.Millisecond, 0, 5000); got < 1 || got > 8 {
		t.Errorf("%d requests took more than 250 ms, want at most one on each of 8 connections", got)
	}
}

func TestRateIsHeldWhileAnAnswerHangs(t *testing.T) {
	release := make(chan struct{})
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			<-release
		}
		hello(n, w, r)
	})
	var s seen
	r := Start(context.Background(), Config{
		Target: Target{Addr: server.Listener.Addr().String()}, Rate: 500, Connections: 1, MaxRequests: 250, Each: s.add,
	})
	for r.Report().Requests < 249 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if report := r.Wait(); report.OK != 250 {
		t.Errorf("report = %s, want 250 good answers", report)
	}
	start := s.all[0].Due.Add(-time.Duration(s.all[0].Number) * 2 * time.Millisecond)
	for _, x := range s.all {
		if due := start.Add(time.Duration(x.Number) * 2 * time.Millisecond); x.Due.Sub(due).Abs() > time.Microsecond {
			t.Fatalf("request %d was due at %v, want %v", x.Number, x.Due, due)
		}
		if x.Sent.Before(x.Due) {
			t.Errorf("request %d was sent %v before it was due", x.Number, x.Due.Sub(x.Sent))
		}
	}
}

func TestConnectionsThatTakeTurnsShareTheMix(t *testing.T) {
	for _, connections := range []int{2, 4, 32} {
		s, posts := newSource(Config{Mix: mixed(0.5, 8), Connections: connections, MaxRequests: 640}), make([]int, connections)
		for number, q, ok := s.take(); ok; number, q, ok = s.take() {
			if q.Method == http.MethodPost {
				posts[number%int64(connections)]++
			}
		}
		for number, count := range posts {
			if want := 320 / connections; count != want {
				t.Errorf("connection %d of %d: %d POSTs, want %d", number, connections, count, want)
			}
		}
	}
}

// The rate leaves a busy machine its stalls: what is due in one needs connections again.
func TestConnectionsOfABurstAreClosedAgain(t *testing.T) {
	const burst, few, patience = 40, 20, 3000
	var open atomic.Int64
	all := make(chan struct{})
	server := serveConfigured(t, func(s *http.Server) {
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		}
	}, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n > 10 {
			<-all
		}
		hello(n, w, r)
	})
	r := Start(context.Background(), Config{Target: Target{Addr: server.Listener.Addr().String()}, Rate: 100, Connections: 2})
	wait := func(until func() bool) {
		for !until() && r.Sent() < patience {
			time.Sleep(time.Millisecond)
		}
	}
	wait(func() bool { return open.Load() >= burst })
	most := open.Load()
	close(all)
	wait(func() bool { return open.Load() <= few })
	if left := open.Load(); left > few {
		t.Errorf("%d connections are still open", left)
	}
	if report := r.Stop(); most < burst || report.Lost != 0 || report.IdleCloses != 0 {
		t.Errorf("at most %d connections, report = %s; want %d, and nothing lost", most, report, burst)
	}
}

func TestRequestsWaitForAConnectionBeyondTheLimit(t *testing.T) {
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		hello(n, w, r)
	})
	var s seen
	report := run(t, server, 40, Config{Rate: 400, Connections: 1, MaxConnections: 2, Each: s.add})
	// 40 answers of 20 ms on 2 connections take 400 ms, and the last request is due after 100.
	if report.OK != 40 || report.Connects != 2 || report.Max < 290*time.Millisecond {
		t.Errorf("report = %s, want 40 good answers on 2 connections, the slowest after 300 ms", report)
	}
	for _, x := range s.all {
		if x.Late > 100*time.Millisecond {
			t.Errorf("request %d: waiting for a connection counts as the client's own delay: %v", x.Number, x.Late)
		}
	}
}

func TestRequestThatWaitsTooLongIsTimeoutAndNotSent(t *testing.T) {
	var arrived atomic.Int64
	server := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		stall(w, r)
	})
	report := run(t, server, 20, Config{Rate: 100_000, Connections: 1, MaxConnections: 1, Timeout: 100 * time.Millisecond})
	if report.Outcomes[Timeout] != 20 || arrived.Load() > 3 {
		t.Errorf("timeouts = %d, server saw %d, want 20, few", report.Outcomes[Timeout], arrived.Load())
	}
}
