package rehearse

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"bluegreen/config"
	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
	"bluegreen/swap"
)

// Defaults of a rehearsal.
const (
	DefaultSwaps       = 5
	DefaultRate        = 500 // requests a second
	DefaultConnections = 32
	DefaultTimeout     = load.DefaultTimeout
	// DefaultBetween is from the beginning of one swap to that of the next, and how long the load goes on before the first
	// and after the last.
	DefaultBetween = 4 * time.Second
	// DefaultHold is how long a websocket or a stream is kept before its client leaves and comes again. It is shorter than
	// the time after which nginx cuts what a retired worker carries.
	DefaultHold = 10 * time.Second
)

// Bounds of a rehearsal.
const (
	MaxSwaps       = 1000
	MinRate        = 1.0 / 60 // a second
	MaxRate        = 100_000
	MaxConnections = 10_000
	MaxOthers      = 10_000
	MaxDuration    = 24 * time.Hour
	MaxTimeout     = 5 * time.Minute // of one request
	// MinBetween leaves a swap the time that it takes.
	MinBetween = time.Second
	// MaxObserved is the largest rate, in requests a second, at which somebody's real service is observed.
	MaxObserved = 50
)

// Load is what the clients send.
type Load struct {
	Rate        float64 // requests a second, all together
	Connections int
	Mix         []load.Request
	Header      http.Header
	Host        string // Host header; "": the URL's, or the service's first server name
	HTTP2       bool
	Expect      string        // text that every good answer must hold; "": any
	Timeout     time.Duration // of one request
	Others      []Others
}

// Others are clients of a further kind.
type Others struct {
	Kind    load.Kind
	Clients int
	Path    string
}

// Config is one rehearsal.
type Config struct {
	Load
	Service  *config.Service // as production has it; nil: the built-in example
	Images   []string        // deployed in turn, the first one first
	Swaps    int
	Duration time.Duration // of the load; 0: by the number of swaps
	Compare  bool          // with the recipe of five scripts
	Shared   bool          // the copy joins the real service's networks and uses its volumes and folders
	Keep     bool          // the copy goes on running afterwards
	Verbose  bool          // note each step of a swap
	Limits   report.Limits
	Ports    [2]int      // the range that the copy's ports are taken from
	Host     config.Host // what the copy's nginx is to be; only Image and Probe are looked at

	Actor   swap.Actor
	Version string // of bluegreen, for the report

	Note     func(string)   // what a person should know
	Progress func(Progress) // every second
}

// Progress is how far a rehearsal has come.
type Progress struct {
	Phase    string // what is being done
	Step     string // of a swap
	Requests int64
	Lost     int64
	Rate     float64       // requests a second, lately
	Left     time.Duration // until the load ends, when the swaps keep to their times; 0: they did not
}

// DefaultPorts are below the range that kernels take the ports of outgoing connections from.
var DefaultPorts = [2]int{20000, 29999}

// Check says what in the load makes no sense, as a *config.Error.
func (l Load) Check() error {
	switch {
	case !(l.Rate >= MinRate) || l.Rate > MaxRate:
		return wrong("--rate", fmt.Sprintf("%v requests a second", l.Rate), fmt.Sprintf("From 1 a minute to %d a second.", MaxRate))
	case l.Connections < 1 || l.Connections > MaxConnections:
		return wrong("--connections", fmt.Sprint(l.Connections), fmt.Sprintf("From 1 to %d.", MaxConnections))
	case l.Timeout < time.Millisecond || l.Timeout > MaxTimeout:
		return wrong("--request-timeout", l.Timeout.String(), fmt.Sprintf("From 1ms to %v.", MaxTimeout))
	}
	for _, o := range l.Others {
		if o.Clients < 0 || o.Clients > MaxOthers {
			return wrong(flagOf(o.Kind), fmt.Sprint(o.Clients), fmt.Sprintf("From 0 to %d.", MaxOthers))
		}
	}
	return nil
}

// flagOf is the flag that asks for clients of a kind.
func flagOf(k load.Kind) string {
	return map[load.Kind]string{load.Slow: "--slow", load.Websocket: "--websockets", load.Stream: "--streams"}[k]
}

// Check says what in the configuration makes no sense, as a *config.Error, before anything is made.
func (c Config) Check() error {
	if err := c.Load.Check(); err != nil {
		return err
	}
	switch {
	case c.Swaps < 0 || c.Swaps > MaxSwaps:
		return wrong("--swaps", fmt.Sprint(c.Swaps), fmt.Sprintf("From 0 to %d.", MaxSwaps))
	case c.Duration != 0 && (c.Duration < time.Second || c.Duration > MaxDuration):
		return wrong("--duration", c.Duration.String(), fmt.Sprintf("From 1s to %v.", MaxDuration))
	case c.between() < MinBetween:
		return wrong("--duration", fmt.Sprintf("%v leaves %v for each of %d swaps", c.Duration, c.between().Round(time.Millisecond), c.Swaps),
			fmt.Sprintf("At least %v: a swap takes that long.", MinBetween*time.Duration(c.Swaps+1)))
	case c.Compare && c.Keep:
		return wrong("--keep", "there are two copies with --compare, one after the other", "Leave one of them out.")
	case c.Compare && c.Swaps == 0:
		return wrong("--compare", "without a swap there is nothing to compare", "Give --swaps.")
	case c.Compare && (c.HTTP2 || c.has(load.Websocket)):
		return wrong("--compare", "the recipe's nginx has neither HTTP/2 nor websockets", "Leave --http2 and --websockets out.")
	}
	return errors.Join(checkLimits(c.Limits), checkPorts(c.Ports))
}

func checkLimits(l report.Limits) error {
	switch {
	case l.MaxLost < 0:
		return wrong("--max-lost", fmt.Sprint(l.MaxLost), "0 or more.")
	case l.MaxP99 != nil && *l.MaxP99 <= 0:
		return wrong("--max-p99", l.MaxP99.Std().String(), "A microsecond or more.")
	}
	return nil
}

// has says whether there are clients of a further kind.
func (l Load) has(k load.Kind) bool {
	return slices.ContainsFunc(l.Others, func(o Others) bool { return o.Kind == k && o.Clients > 0 })
}

// duration is how long the load goes on, if the swaps keep to their times.
func (c Config) duration() time.Duration {
	if c.Duration != 0 {
		return c.Duration
	}
	return DefaultBetween * time.Duration(c.Swaps+1)
}

// between is from the beginning of one swap to that of the next.
func (c Config) between() time.Duration { return c.duration() / time.Duration(c.Swaps+1) }

func wrong(where, what, do string) error {
	return &config.Error{Where: where, What: what, Do: do}
}
