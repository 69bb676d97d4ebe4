package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// The environment's FAULT makes the app misbehave in one way, to rehearse what a deploy does then.
// Nothing by default.
//
//	exit-at-boot          exits 1 at once
//	crash-later:DURATION  exits 1 that long after its start
//	eat-memory            takes ever more memory at its start, until it is killed
//	never-listen          runs, but never listens
//	late:DURATION         starts to listen after that time
//	hang-accept           listens, but never accepts a connection
//	ignore-term           goes on after SIGTERM and SIGINT
//	exit-after:N          exits 1 after N answers to /profile
//	status:CODE,N         answers the first N requests for /profile with CODE
//	profile-503-after:N   answers /profile with 503 after N good answers
//	flap                  answers every second request for /profile with 500
//	wrong-profile         names the other profile on /profile
//	fail-requests         answers 500 everywhere but on /profile
const (
	exitAtBoot      = "exit-at-boot"
	crashLater      = "crash-later"
	eatMemory       = "eat-memory"
	neverListen     = "never-listen"
	late            = "late"
	hangAccept      = "hang-accept"
	ignoreTerm      = "ignore-term"
	exitAfter       = "exit-after"
	firstStatus     = "status"
	profile503After = "profile-503-after"
	flap            = "flap"
	wrongProfile    = "wrong-profile"
	failRequests    = "fail-requests"
)

// What eat-memory takes at a time, and in all: no machine is to suffer where no limit holds.
const (
	bite    = 1 << 20
	mostMiB = 512
)

var errFault = errors.New("crashed on purpose")

// fault is one way to misbehave. Its zero kind is none.
type fault struct {
	kind    string
	wait    time.Duration // crash-later, late
	answers int64         // exit-after, status, profile-503-after
	status  int           // status
	asked   atomic.Int64  // requests for /profile so far
	crashed chan error
}

func parseFault(text string) (*fault, error) {
	kind, arg, _ := strings.Cut(text, ":")
	f := &fault{kind: kind, crashed: make(chan error, 1)}
	var err error
	switch kind {
	case crashLater, late:
		f.wait, err = time.ParseDuration(arg)
	case exitAfter, profile503After:
		f.answers, err = strconv.ParseInt(arg, 10, 64)
	case firstStatus:
		code, n, _ := strings.Cut(arg, ",")
		f.status, err = strconv.Atoi(code)
		if err == nil {
			f.answers, err = strconv.ParseInt(n, 10, 64)
		}
	case "", exitAtBoot, eatMemory, neverListen, hangAccept, ignoreTerm, flap, wrongProfile, failRequests:
	default:
		err = errors.New("no such fault")
	}
	if err != nil {
		return nil, fmt.Errorf("read FAULT %q: %w", text, err)
	}
	return f, nil
}

// live runs serve with the faults of the process itself.
func (f *fault) live(ctx context.Context, serve func(context.Context) error) error {
	switch f.kind {
	case exitAtBoot:
		return errFault
	case eatMemory:
		return eat()
	case crashLater:
		time.AfterFunc(f.wait, f.crash)
	case ignoreTerm:
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		ctx = context.WithoutCancel(ctx)
	case neverListen:
		<-ctx.Done()
		return nil
	case late:
		select {
		case <-time.After(f.wait):
		case <-ctx.Done():
			return nil
		}
	}
	return serve(ctx)
}

// eat takes memory until a limit kills the process.
func eat() error {
	var eaten [][]byte
	for range mostMiB {
		b := make([]byte, bite)
		for i := range b {
			b[i] = 1 // only pages that were written to are taken
		}
		eaten = append(eaten, b)
	}
	runtime.KeepAlive(eaten)
	return fmt.Errorf("took %d MiB of memory and was not killed", mostMiB)
}

func (f *fault) crash() {
	select {
	case f.crashed <- errFault:
	default:
	}
}

// profile answers /profile through answer, with the faults of that page.
func (f *fault) profile(name string, answer func(w http.ResponseWriter, name string)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		asked := f.asked.Add(1)
		if status := f.profileStatus(asked); status != http.StatusOK {
			http.Error(w, "failed on purpose", status)
			return
		}
		answer(w, f.profileName(name))
		if f.kind == exitAfter && asked >= f.answers {
			_ = http.NewResponseController(w).Flush() // the last answer still leaves
			f.crash()
		}
	}
}

func (f *fault) profileStatus(asked int64) int {
	switch {
	case f.kind == firstStatus && asked <= f.answers:
		return f.status
	case f.kind == profile503After && asked > f.answers:
		return http.StatusServiceUnavailable
	case f.kind == flap && asked%2 == 0:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func (f *fault) profileName(name string) string {
	switch {
	case f.kind != wrongProfile:
		return name
	case name == "real1":
		return "real2"
	default:
		return "real1"
	}
}

// others fails everything but /profile when that is the fault.
func (f *fault) others(next http.Handler) http.Handler {
	if f.kind != failRequests {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/profile" {
			http.Error(w, "failed on purpose", http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}
