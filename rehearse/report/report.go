// Package report is what a rehearsal found, and how it is shown: as JSON, as text for a terminal, as one HTML page, and
// as JUnit XML for CI.
package report

import (
	"math"
	"time"
)

// Schema is the version of the report's JSON. A key may be added without a new one; none changes its meaning or goes
// away. docs/rehearsal.schema.json describes it.
const Schema = 1

// Report is what a rehearsal found. Its JSON is what -o json prints and what the page shows.
//
// Times that end in _ms are milliseconds. Those called at, began, ended, … count from the start of the load of their run.
type Report struct {
	Schema   int       `json:"schema"`
	Verdict  Verdict   `json:"verdict"`
	Began    time.Time `json:"began"`
	Duration MS        `json:"duration_ms"` // of everything, setting up and cleaning up included
	Setup    Setup     `json:"setup"`
	Load     Load      `json:"load"`
	Limits   Limits    `json:"limits"`
	Runs     []Run     `json:"runs"` // the first is what the verdict is about; a comparison's is the second
}

// Verdict is the outcome in one sentence.
type Verdict struct {
	Passed bool   `json:"passed"`
	Text   string `json:"text"`
	// Failures says of each limit that was not kept, and of each swap that failed, what happened.
	Failures []string `json:"failures"`
}

// Setup is what was run, and on what. What does not apply is empty: an observation knows of no engine.
type Setup struct {
	Rehearsal string   `json:"rehearsal"` // its id, which is in the names of all it makes
	Bluegreen string   `json:"bluegreen"` // version
	Service   string   `json:"service"`   // as the compose file calls it; "example" for the built-in one
	File      string   `json:"file"`      // compose file
	Images    []string `json:"images"`    // deployed in turn
	Nginx     string   `json:"nginx"`     // version
	NginxFrom string   `json:"nginx_image"`
	Engine    string   `json:"engine"` // version
	EngineOS  string   `json:"engine_os"`
	Storage   string   `json:"storage"` // the engine's storage driver
	Machine   string   `json:"machine"` // operating system and architecture of the client
	CPUs      int      `json:"cpus"`    // of the client
	Notes     []string `json:"notes"`   // what a reader should know: what the copy shares with the real service, say
}

// Load is what the clients sent.
type Load struct {
	URL         string   `json:"url"`
	Protocol    string   `json:"protocol"` // HTTP/1.1 or HTTP/2
	Rate        float64  `json:"rate"`     // requests a second, of all clients together
	Connections int      `json:"connections"`
	Requests    []string `json:"requests"` // the mix: "50% GET /", "50% POST /echo (256 bytes)"
	Slow        int      `json:"slow"`     // clients of each further kind
	Websockets  int      `json:"websockets"`
	Streams     int      `json:"streams"`
}

// Limits are what the verdict goes by.
type Limits struct {
	MaxLost int64 `json:"max_lost"`
	MaxP99  *MS   `json:"max_p99_ms"` // null: none
}

// The names of runs.
const (
	RunBluegreen = "bluegreen" // our swaps
	RunRecipe    = "recipe"    // the five scripts' swaps, for comparison
	RunLoad      = "load"      // a URL of the caller's, no swaps of ours
)

// Run is one way of swapping under load, and what the clients saw.
type Run struct {
	Name     string  `json:"name"`
	Duration MS      `json:"duration_ms"` // of the load
	Requests int64   `json:"requests"`    // the sum of all outcomes
	OK       int64   `json:"ok"`
	Lost     int64   `json:"lost"`
	Rate     float64 `json:"rate"` // requests a second that were really sent

	Outcomes []Outcome `json:"outcomes"` // all kinds, also those that did not occur
	Harmless Harmless  `json:"harmless"`
	Others   []Other   `json:"others"` // clients of further kinds: slow requests, websockets, streams

	// Latency counts from when a request was due to the end of its answer, for requests that were not lost: over all of
	// them ("all"), and apart those before the first swap ("before"), those whose time meets a swap's, from its first
	// step to the end of its drain ("during"), and the rest ("after").
	Latency    []Latency `json:"latency"`
	LongestGap MS        `json:"longest_gap_ms"` // without the end of a good answer on any connection

	Swaps    []Swap         `json:"swaps"`
	Releases []ReleaseCount `json:"releases"`  // good answers by release
	Series   []Slot         `json:"series"`    // over time
	SlotMS   MS             `json:"slot_ms"`   // width of a slot of the series
	Workers  []Workers      `json:"workers"`   // of nginx, over time
	First    []Lost         `json:"lost_some"` // the first 20 lost requests

	Client Client `json:"client"`
}

// Outcome is how often a request ended in one way.
type Outcome struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
	Lost  bool   `json:"lost"`
}

// Harmless is what no client loses anything by.
type Harmless struct {
	// IdleCloses are kept connections that the server closed between two requests.
	IdleCloses int64 `json:"idle_closes"`
	// Unprocessed are HTTP/2 requests that the server did not begin, as its GOAWAY said, and that were sent on another
	// connection (RFC 9113, 6.8).
	Unprocessed int64 `json:"unprocessed"`
	Connects    int64 `json:"connects"`
}

// Other is what clients of a further kind saw. Done are those that came to their end, whole.
type Other struct {
	Kind     string    `json:"kind"` // slow, websocket, stream
	Begun    int64     `json:"begun"`
	Done     int64     `json:"done"`
	Lost     int64     `json:"lost"`
	Outcomes []Outcome `json:"outcomes"` // those that occurred
}

// Latency is the distribution of latency in one phase.
type Latency struct {
	Phase    string `json:"phase"`
	Requests int64  `json:"requests"`
	P50      MS     `json:"p50_ms"`
	P90      MS     `json:"p90_ms"`
	P99      MS     `json:"p99_ms"`
	P999     MS     `json:"p99_9_ms"`
	P9999    MS     `json:"p99_99_ms"`
	Max      MS     `json:"max_ms"`
}

// The phases.
const (
	PhaseAll    = "all"
	PhaseBefore = "before"
	PhaseDuring = "during"
	PhaseAfter  = "after"
	// PhaseOutside is before and after together: what the swaps are compared with.
	PhaseOutside = "outside"
)

// Swap is one swap.
type Swap struct {
	Number  int    `json:"number"` // from 1
	From    int    `json:"from"`   // release that was live
	Release int    `json:"release"`
	Profile string `json:"profile"`
	Image   string `json:"image"`

	Began     MS  `json:"began_ms"`
	Switched  MS  `json:"switched_ms"`  // the step that reloads nginx began; 0: it was not reached
	Confirmed MS  `json:"confirmed_ms"` // it was proved that only the new workers take connections; 0: it was not
	Ended     MS  `json:"ended_ms"`     // the command was done
	Drained   *MS `json:"drained_ms"`   // no worker of the old generation was left; null: not seen

	Steps []Step `json:"steps"`
	Lost  int64  `json:"lost"`           // requests whose time meets the swap's
	Gap   MS     `json:"longest_gap_ms"` // longest time without a good answer, from began to ended or drained
	P99   MS     `json:"p99_ms"`
	Share *Share `json:"share"` // null: no answer named its release
	Error string `json:"error,omitempty"`
}

// Step is one step of a swap.
type Step struct {
	Name string `json:"name"`
	MS   MS     `json:"ms"`
}

// Share is how many good answers each release gave around a swap, by the millisecond.
type Share struct {
	From int   `json:"from_ms"` // of the first number, counted from Switched: negative is before it
	Old  []int `json:"old"`     // answers by the release that was live, in each millisecond
	New  []int `json:"new"`
	// When the new release gave its first answer and the old one its last, counted from Switched; null: not seen.
	FirstNew *MS `json:"first_new_ms"`
	LastOld  *MS `json:"last_old_ms"`
}

// ReleaseCount is how many good answers one release gave.
type ReleaseCount struct {
	Release string `json:"release"` // as the answers name it; "" when they do not
	Answers int64  `json:"answers"`
	First   MS     `json:"first_ms"` // when its first and its last answer was complete
	Last    MS     `json:"last_ms"`
}

// Slot is a short time of the load. Latencies are zero when nothing was answered in it.
type Slot struct {
	At       MS    `json:"at_ms"`
	Requests int64 `json:"requests"`
	Lost     int64 `json:"lost"`
	P50      MS    `json:"p50_ms"`
	P99      MS    `json:"p99_ms"`
	Max      MS    `json:"max_ms"`
}

// Workers is how many workers nginx had at a moment.
type Workers struct {
	At       MS  `json:"at_ms"`
	Serving  int `json:"serving"`
	Draining int `json:"draining"` // of older generations
}

// Lost is a request that was lost.
type Lost struct {
	At      MS     `json:"at_ms"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Outcome string `json:"outcome"`
	Error   string `json:"error"`
}

// Client is what measuring took.
type Client struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	Cores      float64 `json:"cores"`            // CPU seconds a second
	PeakMemory int64   `json:"peak_memory"`      // bytes, of the whole process so far
	LatestSend MS      `json:"latest_send_ms"`   // how late the client itself sent a request at most
	P99Send    MS      `json:"p99_late_send_ms"` // and in 99 of 100 cases
}

// MS is a time in milliseconds, as JSON and tables have it.
type MS float64

// Millis is d in milliseconds, to the microsecond.
func Millis(d time.Duration) MS { return MS(math.Round(float64(d)/1e3) / 1e3) }

// Std is the time as Go has it.
func (m MS) Std() time.Duration { return time.Duration(float64(m) * float64(time.Millisecond)) }

// LostInAll is what all clients of a run lost, those of further kinds included.
func (r Run) LostInAll() int64 {
	lost := r.Lost
	for _, o := range r.Others {
		lost += o.Lost
	}
	return lost
}

// Phase is the latency of a phase; zero when no request was in it.
func (r Run) Phase(name string) Latency {
	for _, l := range r.Latency {
		if l.Phase == name {
			return l
		}
	}
	return Latency{Phase: name}
}
