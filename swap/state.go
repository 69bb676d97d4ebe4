package swap

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
)

// ReleaseRef names one release in one profile.
type ReleaseRef struct {
	Release int    `json:"release"`
	Profile string `json:"profile"`
	Image   string `json:"image"`
	ImageID string `json:"image_id"`
	Digest  string `json:"digest,omitempty"` // in the image's registry; "" when it came from none
}

// State is what the host remembers of a service, in sites/<service>/state.json.
type State struct {
	// Confirmed is the release that nginx was last proved to serve.
	Confirmed *ReleaseRef `json:"confirmed"`
	// Previous is the release that rollback goes back to: confirmed once, and not switched back from.
	Previous *ReleaseRef `json:"previous"`
	// LastLive is the highest number of a release that ever was live, so that a stage which is tried
	// again never goes live twice with the same one.
	LastLive int `json:"last_live"`
	// Intent is a swap that was begun; a run that finds one finishes it or takes it back.
	Intent *Intent `json:"intent"`
	// Settings let a machine without the compose file roll back.
	Settings *config.Settings `json:"settings"`
	// Paused is there while a release waits for promote or abort.
	Paused *Pause `json:"paused,omitempty"`
	// Hooked: the release that is live has hooks for what follows a switch, in its compose file.
	Hooked bool `json:"hooked,omitempty"`
	// Maintenance is there while every request is answered with 503.
	Maintenance *Maintenance `json:"maintenance,omitempty"`
}

// Maintenance says since when a service is down for maintenance, and who said so.
type Maintenance struct {
	Since time.Time `json:"since"`
	Who   string    `json:"who"`
}

// Intent is written before the include and cleared once the swap is confirmed.
type Intent struct {
	Run  string      `json:"run"`
	Kind Command     `json:"kind"`
	From *ReleaseRef `json:"from"`
	To   *ReleaseRef `json:"to"`
	Back bool        `json:"back,omitempty"` // the run switches back from a release that failed
	// Settings are those of the site that comes with it, which State.Settings become once it is confirmed; nil: they stay.
	Settings *config.Settings `json:"settings,omitempty"`
}

// String says in words why an intent is open.
func (i *Intent) String() string {
	if i.Run != "" {
		return "an interrupted run left a swap open"
	}
	return fmt.Sprintf("nginx's include names release %d in %s, and state.json release %d in %s", i.To.Release, i.To.Profile, i.From.Release, i.From.Profile)
}

// Record is one line of sites/<service>/history.jsonl.
type Record struct {
	Time     time.Time `json:"time"`    // when the line was first written: at the swap, or at the end
	Started  time.Time `json:"started"` // when the run began
	Run      string    `json:"run"`
	Command  Command   `json:"command"`
	Outcome  Outcome   `json:"outcome"`
	Release  int       `json:"release,omitempty"`
	Image    string    `json:"image,omitempty"`
	ImageID  string    `json:"image_id,omitempty"`
	Digest   string    `json:"digest,omitempty"` // in the image's registry
	Profile  string    `json:"profile,omitempty"`
	From     int       `json:"from,omitempty"` // release that was live before
	Who      string    `json:"who"`
	Where    string    `json:"where"`
	SwitchMS int64     `json:"switch_ms,omitempty"` // from healthy to confirmed
	MS       int64     `json:"duration_ms"`
	Steps    []Timing  `json:"steps"`
	Error    string    `json:"error,omitempty"`
	// Counted: the run is in Totals, as it is over.
	Counted bool    `json:"counted,omitempty"`
	Totals  *Totals `json:"totals,omitempty"` // of all runs that were over when the line was written; nil: an older bluegreen wrote it
	// Others are runs in Totals that have no counted line: killed ones.
	Others []string `json:"others_counted,omitempty"`
}

// KeptRecords is how many lines of history a service keeps.
const KeptRecords = 500

// parseState reads a state file; an absent one is the state of a service that never was live.
func parseState(text []byte) (State, error) {
	var s State
	if len(text) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read state.json: %w", err)
	}
	if s.Intent != nil && s.Intent.Run == "" {
		return s, errors.New("read state.json: an intent without its run")
	}
	for _, n := range s.numbers() {
		if n < 0 || n > mostReleases {
			return s, fmt.Errorf("read state.json: there is no release %d", n)
		}
	}
	return s, nil
}

// mostReleases is the highest number a release can have: one that somebody wrote into a file must not make the next one overflow.
const mostReleases = 1 << 30

// numbers are the numbers of releases in a state.
func (s State) numbers() []int {
	list := []int{s.LastLive}
	for _, r := range []*ReleaseRef{s.Confirmed, s.Previous} {
		if r != nil {
			list = append(list, r.Release)
		}
	}
	if s.Paused != nil {
		list = append(list, s.Paused.Release)
	}
	if s.Intent != nil && s.Intent.To != nil {
		list = append(list, s.Intent.To.Release)
	}
	return list
}

// text is the state file's text, readable to a person who looks into the volume.
func (s State) text() string {
	b, _ := json.MarshalIndent(s, "", "  ") // plain data: cannot fail
	return string(b) + "\n"
}

// line is the record as a line of the history file. A run has one line: a later word of it replaces the earlier one.
func (r Record) line(service string) nginx.Line {
	b, _ := json.Marshal(r) // plain data: cannot fail
	return nginx.Line{Path: nginx.HistoryPath(service), Text: string(b), Keep: KeptRecords, Instead: fmt.Sprintf(`"run":%q`, r.Run)}
}

// ParseHistory reads a history file, oldest first. A line that cannot be read is left out: history is
// evidence, never a reason to fail.
func ParseHistory(text []byte) []Record {
	var list []Record
	for l := range strings.Lines(string(text)) {
		var r Record
		if json.Unmarshal([]byte(l), &r) == nil && r.Release >= 0 && r.Release <= mostReleases {
			list = append(list, r)
		}
	}
	return list
}
