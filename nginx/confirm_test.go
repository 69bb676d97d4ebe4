package nginx

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	master   = "nginx: master process nginx -c /etc/nginx/bluegreen/nginx.conf -g daemon off;"
	worker   = "nginx: worker process"
	draining = "nginx: worker process is shutting down"
)

// scripted is a Place whose processes follow a list, one look after the other; the last look stays.
type scripted struct {
	looks [][]Process
	err   error // for looks beyond the list, when set
	run   Result
	seen  int
}

func (s *scripted) Run(context.Context, []string) (Result, error) { return s.run, s.err }

func (s *scripted) Top(context.Context) ([]Process, error) {
	s.seen++
	if s.seen > len(s.looks) && s.err != nil {
		return nil, s.err
	}
	return s.looks[min(s.seen, len(s.looks))-1], nil
}

// look is a master (pid 1) and workers: a negative pid is one that drains.
func look(pids ...int) []Process {
	processes := []Process{{1, master}, {2, "nginx: cache manager process"}, {3, "sh -c sleep 1"}}
	for _, pid := range pids {
		title := worker
		if pid < 0 {
			pid, title = -pid, draining
		}
		processes = append(processes, Process{pid, title})
	}
	return processes
}

func TestReadWorkers(t *testing.T) {
	w, err := ReadWorkers(t.Context(), &scripted{looks: [][]Process{look(10, -11, 12)}})
	if err != nil || w.Master != 1 || !slices.Equal(w.Serving, []int{10, 12}) || !slices.Equal(w.Draining, []int{11}) {
		t.Errorf("got %+v, %v", w, err)
	}
	if _, err := ReadWorkers(t.Context(), &scripted{looks: [][]Process{{{7, "java -jar app.jar"}}}}); err == nil {
		t.Error("workers without a master were taken")
	}
}

func TestConfirmWaitsForTheWorkers(t *testing.T) {
	for name, test := range map[string]struct {
		looks  [][]Process
		reason string // "": confirmed
	}{
		"retired":            {[][]Process{look(10, 11), look(10, 11, 20, 21), look(-10, 11, 20, 21), look(-10, -11, 20, 21)}, ""},
		"ended":              {[][]Process{look(10, 11), look(20, 21)}, ""},
		"restarted meantime": {[][]Process{look(10, 11), {{5, "sh"}}, look(20)}, ""},
		"no reload":          {[][]Process{look(10, 11)}, "older workers still take connections (pids [10 11])"},
		"one stays":          {[][]Process{look(10, 11), look(-10, 11, 20)}, "(pids [11])"},
		"none new":           {[][]Process{look(-10, -11)}, "no new worker"},
		"ended for good":     {[][]Process{{{5, "sh"}}}, "no process titled"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &scripted{looks: test.looks}
				err := Confirm(t.Context(), p, Confirmation{Before: Workers{Serving: []int{10, 11}}, Deadline: 10 * time.Second})
				checkConfirm(t, err, test.reason)
				if test.reason == "" && p.seen != len(test.looks) {
					t.Errorf("confirmed after %d looks of %d", p.seen, len(test.looks))
				}
			})
		})
	}
}

func checkConfirm(t *testing.T, err error, reason string) {
	t.Helper()
	var not *NotConfirmedError
	switch {
	case reason == "" && err != nil:
		t.Errorf("not confirmed: %v", err)
	case reason != "" && (!errors.As(err, &not) || !strings.Contains(not.Reason, reason)):
		t.Errorf("got %v, want reason %q", err, reason)
	}
}

func TestConfirmEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := Confirm(ctx, &scripted{looks: [][]Process{look(10)}}, Confirmation{Before: Workers{Serving: []int{10}}, Deadline: time.Minute})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// listener answers the n-th question (from 1) with what answer says, and counts.
func listener(t *testing.T, answer func(n int32) (int, string)) (StatusListener, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, text := answer(asked.Add(1))
		if r.Host != "shop" || !r.Close {
			code = http.StatusTeapot
		}
		w.WriteHeader(code)
		w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return StatusListener{URL: server.URL}, &asked
}

func TestConfirmAsksNewConnections(t *testing.T) {
	const (
		right = `{"service":"shop","profile":"real2","release":43}` + "\n"
		wrong = `{"service":"shop","profile":"real1","release":42}`
	)
	for name, test := range map[string]struct {
		answer func(n int32) (int, string)
		reason string
	}{
		"right":        {func(int32) (int, string) { return 200, right }, ""},
		"late":         {func(n int32) (int, string) { return 200, map[bool]string{true: wrong, false: right}[n < 5] }, ""},
		"wrong":        {func(int32) (int, string) { return 200, wrong }, "answered by shop real1, release 42, not by shop real2, release 43"},
		"now and then": {func(n int32) (int, string) { return 200, map[bool]string{true: wrong, false: right}[n%2 == 0] }, "release 42"},
		"unknown":      {func(int32) (int, string) { return 404, "no such service" }, "404"},
		"another":      {func(int32) (int, string) { return 200, "<html>" }, "read answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s, asked := listener(t, test.answer)
			want := Target{"shop", "real2", 43}
			err := Confirm(t.Context(), &scripted{looks: [][]Process{look(20)}}, Confirmation{Before: Workers{Serving: []int{10}}, Listener: s, Want: &want, Deadline: 300 * time.Millisecond})
			checkConfirm(t, err, test.reason)
			if test.reason == "" && asked.Load() < confirmAsks {
				t.Errorf("asked %d times", asked.Load())
			}
		})
	}
}

func TestConfirmTrustsTheWorkersWhenTheListenerCannotBeReached(t *testing.T) {
	closed, _ := listener(t, func(int32) (int, string) { return 200, "" })
	server := httptest.NewServer(nil)
	server.Close()
	closed.URL = server.URL
	for _, s := range []StatusListener{closed, {}} {
		if _, err := s.Ask(t.Context(), "shop"); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("got %v", err)
		}
		want := Target{"shop", "real2", 43}
		if err := Confirm(t.Context(), &scripted{looks: [][]Process{look(20)}}, Confirmation{Before: Workers{Serving: []int{10}}, Listener: s, Want: &want, Deadline: 5 * time.Second}); err != nil {
			t.Error(err)
		}
	}
}

func TestVersion(t *testing.T) {
	for name, test := range map[string]struct {
		run  Result
		want string
	}{
		"nginx":     {Result{Stderr: "nginx version: nginx/1.30.6\n"}, "1.30.6"},
		"packaged":  {Result{Stderr: "nginx version: nginx/1.22.1 (Ubuntu)\n"}, "1.22.1"},
		"openresty": {Result{Stderr: "nginx version: openresty/1.27.1.1\n"}, "1.27.1.1"},
		"none":      {Result{Stdout: "OCI runtime exec failed: \"nginx\": executable file not found", ExitCode: 127}, ""},
		"not nginx": {Result{Stdout: "hello"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Version(t.Context(), &scripted{run: test.run})
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
