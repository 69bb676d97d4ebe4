package rehearse

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
	"bluegreen/swap"
)

// What an observation of somebody's real service may do at most: it is to be seen in no graph.
const (
	MaxObservedConnections = 16
	MaxObservedOthers      = 5
	MaxObservedDuration    = time.Hour
	// ObservedEvery is the least time from one slow request, stream or websocket of a client to its next.
	ObservedEvery = time.Second
	// DefaultObserved is the rate in requests a second.
	DefaultObserved            = 20
	DefaultObservedConnections = 8
)

// Observation is load on a URL that is there already. No container is touched, and no engine asked.
type Observation struct {
	Load
	URL           string
	Observe       bool          // somebody's real service: the load is bounded
	Duration      time.Duration // of the load
	ReleaseHeader string        // by which answers name their release; "": none
	Limits        report.Limits
	Version       string // of bluegreen, for the report

	Progress func(Progress)
}

// Check says what makes no sense, or is not allowed, as a *config.Error.
func (o Observation) Check() error {
	if _, err := o.target(); err != nil {
		return err
	}
	if err := o.Load.Check(); err != nil {
		return err
	}
	if err := checkLimits(o.Limits); err != nil {
		return err
	}
	if o.Duration < time.Second || o.Duration > MaxDuration {
		return wrong("--duration", o.Duration.String(), fmt.Sprintf("From 1s to %v.", MaxDuration))
	}
	if o.Observe {
		return o.checkBounds()
	}
	return nil
}

func (o Observation) checkBounds() error {
	switch {
	case o.Rate > MaxObserved:
		return wrong("--rate", fmt.Sprintf("%v a second are too many for a service that is only to be observed", o.Rate), fmt.Sprintf("At most %d/s.", MaxObserved))
	case o.Connections > MaxObservedConnections:
		return wrong("--connections", fmt.Sprintf("%d are too many for a service that is only to be observed", o.Connections), fmt.Sprintf("At most %d.", MaxObservedConnections))
	case o.Duration > MaxObservedDuration:
		return wrong("--observe", o.Duration.String(), fmt.Sprintf("At most %v.", MaxObservedDuration))
	}
	for _, others := range o.Others {
		if others.Clients > MaxObservedOthers {
			return wrong(flagOf(others.Kind), fmt.Sprintf("%d are too many for a service that is only to be observed", others.Clients), fmt.Sprintf("At most %d.", MaxObservedOthers))
		}
	}
	return nil
}

// URLPath is the path and the query of a URL: what is asked for when no path is named.
func URLPath(text string) string {
	if u, err := url.Parse(text); err == nil && strings.HasPrefix(u.RequestURI(), "/") {
		return u.RequestURI()
	}
	return "/" // the URL itself is looked at later
}

// target reads the URL. Load that is not bounded goes to loopback only, whatever the name says later.
func (o Observation) target() (load.Target, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return load.Target{}, wrong("--url", "is not a URL like https://shop.example.com/", "") // it may have a password in it
	case u.User != nil:
		return load.Target{}, wrong("--url", "has a user in it, which would be in the report", "Send it as a header: --header 'Authorization: …'.")
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return load.Target{}, wrong("--url", "has no port between 1 and 65535", "")
	}
	to := load.Target{Addr: net.JoinHostPort(u.Hostname(), port), Host: cmp.Or(o.Host, u.Host), Header: o.Header}
	if u.Scheme == "https" {
		to.TLS = &tls.Config{} // its name is the host's
	}
	if o.Observe {
		return to, nil
	}
	address, err := loopbackOf(u.Hostname())
	to.Addr = net.JoinHostPort(address, port)
	return to, err
}

// loopbackOf is the address of a host that is this machine's loopback, by all its addresses.
func loopbackOf(host string) (string, error) {
	addresses, err := net.LookupIP(host)
	if err != nil {
		return "", wrong("--url", err.Error(), "")
	}
	if !slices.ContainsFunc(addresses, func(ip net.IP) bool { return !ip.IsLoopback() }) {
		return addresses[0].String(), nil
	}
	return "", wrong("--url", host+" is not this machine's loopback, and load goes nowhere else",
		fmt.Sprintf("To see what clients of a real service see, at %d requests a second at most: --observe 60s.", MaxObserved))
}

// Observe sends the load and reports what the clients saw.
func Observe(ctx context.Context, o Observation) (report.Report, error) {
	began := time.Now()
	if err := o.Check(); err != nil {
		return report.Report{}, err
	}
	to, err := o.target()
	if err != nil {
		return report.Report{}, err
	}
	t := newTraffic(o.Load, to, o.Duration)
	t.releaseHeader, t.progress = cmp.Or(o.ReleaseHeader, load.NoHeader), o.Progress
	if o.Observe {
		t.connections, t.every = MaxObservedConnections, ObservedEvery
	}
	if err := t.preflight(ctx); err != nil {
		return report.Report{}, err
	}
	t.phase.set("load")
	if o.Observe {
		t.phase.set("watching")
	}
	t.begin(ctx)
	sleep(ctx, o.Duration)
	run := t.end(ctx, report.RunLoad)
	r := report.Report{
		Schema: report.Schema, Began: began, Duration: report.Millis(time.Since(began)), Limits: o.Limits, Runs: []report.Run{run},
		Load: o.Load.describe(o.URL),
		Setup: report.Setup{
			Bluegreen: o.Version, Machine: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Images: []string{}, Notes: []string{},
		},
	}
	if o.ReleaseHeader != "" && slices.ContainsFunc(run.Releases, func(c report.ReleaseCount) bool { return c.Release == "" }) {
		r.Setup.Notes = append(r.Setup.Notes, "some answers have no header "+o.ReleaseHeader)
	}
	r.Setup.Notes = append(r.Setup.Notes, doubts(run, o.Rate)...)
	r.Verdict = judge(r)
	if ctx.Err() == nil {
		return r, nil
	}
	err = &swap.InterruptedError{What: "the load was ended early"}
	r.Verdict.Passed = false
	r.Verdict.Failures = append(r.Verdict.Failures, err.Error())
	return r, err
}
